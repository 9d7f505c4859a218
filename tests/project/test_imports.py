"""What the app imports: what stores or sends in the adapters alone, and no Azure SDK before it is needed."""

import ast
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.settings import BUSES, STORES

ROOT = Path(__file__).parents[2]
NOT_BOUND = {"bench", "docs", "tests"}
"""They may import whatever they measure, describe or test."""
DOUBLES = "emulators"
"""They store, in the place of a service."""


def our_packages() -> set[str]:
    return {package.parent.name for package in ROOT.glob("[!.]*/__init__.py")} - NOT_BOUND


def our_sources() -> list[Path]:
    return [source for package in sorted(our_packages()) for source in sorted((ROOT / package).rglob("*.py"))]


def outside_things(source: str) -> Iterator[str]:
    """SQLite and the Azure SDKs that a source imports, inside functions too; `azure.functions` is no SDK."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "sqlite3":
                yield "sqlite3"
            if name.startswith("azure.") and not f"{name}.".startswith("azure.functions."):
                yield ".".join(name.split(".")[:2])


IN_AZURE = {
    "COSMOS__accountEndpoint": "https://archive.documents.azure.com/",
    "SERVICEBUS__fullyQualifiedNamespace": "archive.servicebus.windows.net",
}


@pytest.mark.parametrize("named", [{"ARCHIVE_STORE": "sqlite:unused"}, IN_AZURE], ids=["embedded", "in Azure"])
def test_importing_the_app_imports_no_azure_sdk(named: dict[str, str]) -> None:
    command = [sys.executable, "-c", "import sys, function_app; print(*sys.modules)"]
    environment = {name: value for name, value in os.environ.items() if name not in (*STORES, *BUSES)} | named

    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stderr
    assert "aiohttp" not in answer.stdout.split()
    imported = [name for name in answer.stdout.split() if name.startswith("azure.")]
    assert "azure.functions" in imported
    assert [name for name in imported if not f"{name}.".startswith("azure.functions.")] == []


def test_a_bus_that_has_no_message_yet_imports_no_azure_sdk() -> None:
    made = (
        "import sys; from shared.adapters.service_bus import ServiceBus; from shared.settings import *;"
        "ServiceBus(ServiceBusNamespace('archive.servicebus.windows.net'), None); print(*sys.modules)"
    )

    answer = subprocess.run([sys.executable, "-c", made], cwd=ROOT, capture_output=True, text=True, check=True)

    assert [name for name in answer.stdout.split() if name.startswith("azure.")] == []


def test_importing_the_app_loads_no_models_of_pydantic() -> None:
    command = [sys.executable, "-c", "import sys, function_app; print(*sys.modules)"]
    environment = os.environ | {"ARCHIVE_STORE": "sqlite:unused"}

    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stderr
    assert {"pydantic", "shared.wire.parsing", "shared.wire.positions"}.isdisjoint(answer.stdout.split())


def test_only_adapters_import_what_stores_or_sends() -> None:
    storing = (ROOT / "shared" / "adapters", ROOT / DOUBLES)
    others = [source for source in our_sources() if not any(map(source.is_relative_to, storing))]

    imported = {str(source.relative_to(ROOT)): [*outside_things(source.read_text())] for source in others}

    assert {source: things for source, things in imported.items() if things} == {}


@pytest.mark.parametrize(
    ("source", "things"),
    [
        ("import azure.cosmos.aio", ["azure.cosmos"]),
        ("def connect():\n    from azure.identity.aio import DefaultAzureCredential", ["azure.identity"]),
        ("from azure import servicebus, functions", ["azure.servicebus"]),
        ("from sqlite3 import connect", ["sqlite3"]),
        ("import azure.functions as func", []),
        ("from azure.functions import HttpRequest", []),
    ],
)
def test_what_stores_or_sends_is_seen_however_it_is_imported(source: str, things: list[str]) -> None:
    assert [*outside_things(source)] == things


def test_every_package_is_bound_by_the_import_contracts() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert set(settings["tool"]["importlinter"]["root_packages"]) == our_packages()
