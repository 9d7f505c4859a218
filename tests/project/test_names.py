"""No dependency hides a package of ours: on the platform, what it installs comes before us on the path."""

import json
import subprocess
import sys
from pathlib import Path

from tests.functions.worker import worker_python

ROOT = Path(__file__).parents[2]

SHIPPED = """
import importlib.metadata, json

shipped = {}
for distribution in importlib.metadata.distributions():
    for file in distribution.files or ():
        top = file.parts[0]
        if top not in ("..", "__pycache__") and not top.endswith(".dist-info"):
            shipped.setdefault(top.partition(".")[0], set()).add(distribution.name)
print(json.dumps({name: sorted(distributions) for name, distributions in shipped.items()}))
"""


def shipped_top_level(python: Path) -> dict[str, list[str]]:
    """The top-level names that the distributions installed for a Python ship, each with who ships it."""
    answer = subprocess.run([python, "-I", "-c", SHIPPED], capture_output=True, text=True, check=True)
    shipped: dict[str, list[str]] = json.loads(answer.stdout)
    return shipped


def our_top_level() -> set[str]:
    """Our packages and modules at the root, but the tests: nothing that is deployed imports them."""
    packages = {package.parent.name for package in ROOT.glob("[!.]*/__init__.py")}
    modules = {module.stem for module in ROOT.glob("*.py")}
    return (packages | modules) - {"tests"}


def test_no_development_dependency_ships_a_package_of_our_name() -> None:
    shipped = shipped_top_level(Path(sys.executable))

    assert "azure" in shipped
    assert {name: shipped[name] for name in our_top_level() & shipped.keys()} == {}


def test_nothing_beside_the_worker_ships_a_package_of_our_name() -> None:
    shipped = shipped_top_level(worker_python())

    assert "azure" in shipped
    assert {name: shipped[name] for name in our_top_level() & shipped.keys()} == {}


def test_a_name_that_is_shipped_is_seen() -> None:
    # The reason why what is deployed never imports `tests`.
    assert shipped_top_level(worker_python())["tests"] == ["azure-functions-runtime-v1"]
