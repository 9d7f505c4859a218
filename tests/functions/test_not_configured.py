"""An app with a wrong setting: it loads, answers 503 on every address, and says in one event what is wrong."""

import json
import os
import subprocess
import sys

import pytest

from shared.settings import BUSES, STORES, VARIABLES, Settings, SettingsError
from tests.conftest import ROOT

ASK = """
import asyncio, json, sys
from pathlib import Path
from local.host import Host
import httpx

async def main():
    host = Host.load(Path("."))
    answers = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(host), base_url="http://archive.test") as client:
        for method, path in json.loads(sys.argv[1]):
            answer = await client.request(method, path, headers={"X-Request-Id": "an id"})
            answers.append([answer.status_code, answer.headers["x-error-code"], answer.headers["retry-after"],
                            answer.headers["x-request-id"], answer.text])
    print(json.dumps(answers))

asyncio.run(main())
"""
NOTICE = "/api/v1/creditor-institutions/77777777777/notices/347000000000000124"
ADDRESSES = [
    ("GET", NOTICE),
    ("PUT", NOTICE),
    ("PATCH", NOTICE),
    ("DELETE", NOTICE),
    ("GET", f"{NOTICE}/events"),
    ("POST", f"{NOTICE}/events"),
    ("GET", f"{NOTICE}/payability"),
    ("GET", "/api/v1/creditor-institutions/77777777777/notices"),
    ("POST", "/api/aca/v1/paCreatePosition"),
    ("GET", "/api/v1/health"),
    ("HEAD", "/api/v1/health"),
    ("GET", "/api/openapi.json"),
    ("GET", "/api/docs"),
    ("GET", "/api/docs/page.js"),
    ("GET", "/api/nothing"),
]
WRONG: list[dict[str, str]] = [
    {},
    {"ARCHIVE_STORE": "postgres://somewhere"},
    {"COSMOS": "AccountEndpoint=https://a.documents.azure.com;AccountKey=secret"},
    {"COSMOS": "AccountEndpoint=http://a.example;AccountKey=QUJD;", "ARCHIVE_STORE": "sqlite:x"},
    {"COSMOS__accountEndpoint": "a.documents.azure.com", "COSMOS__credential": "key"},
    {"COSMOS__accountEndpoint": "https://archive.documents.azure.com/"},
    {"COSMOS__accountEndpoint": "https://archive.documents.azure.com/", "SERVICEBUS": "Endpoint=sb://a.example;"},
    *({"ARCHIVE_STORE": "sqlite:x", name: "\u20ac none"} for name in ("STORE_BUDGET_SECONDS", "AWAITED_HOURS")),
]


def run(code: str, settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process whose environment has these settings and no others of the archive."""
    names = {variable.name for variable in VARIABLES} | {*STORES, *BUSES}
    environment = {name: value for name, value in os.environ.items() if name not in names} | settings
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("settings", WRONG, ids=lambda settings: " ".join(settings) or "nothing")
def test_every_address_answers_503_whatever_is_wrong(settings: dict[str, str]) -> None:
    process = run(ASK, settings, json.dumps(ADDRESSES))

    assert process.returncode == 0, process.stderr
    answers = json.loads(process.stdout)
    assert [answer[:4] for answer in answers] == [[503, "not_configured", "60", "an id"]] * len(ADDRESSES)
    assert not any(value in process.stdout for value in settings.values())


def test_one_critical_event_names_every_fault() -> None:
    settings = {"STORE_BUDGET_SECONDS": "0", "AWAITED_HOURS": "x"}

    show = "import logging; logging.basicConfig(format='%(levelname)s %(message)s')"
    process = run(f"{show}; import function_app", settings)

    assert process.returncode == 0
    (line,) = process.stderr.splitlines()
    level, _, text = line.partition(" ")
    event = json.loads(text)
    assert (level, event["event"]) == ("CRITICAL", "not_configured")
    assert [fault.split()[0] for fault in event["faults"]] == ["No", "STORE_BUDGET_SECONDS", "AWAITED_HOURS"]


@pytest.mark.parametrize("name", sorted({variable.name for variable in VARIABLES}))
@pytest.mark.parametrize("value", ["", " ", "\u20ac", "x" * 10_000, "%", "{}", "0", "-1", ";;==", "sqlite:"])
def test_no_setting_can_stop_the_import(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    from shared import bootstrap

    monkeypatch.setenv(name, value)
    bootstrap.settings.cache_clear()

    assert isinstance(bootstrap.settings(), Settings | SettingsError)
    bootstrap.settings.cache_clear()
