"""The log: one event a refusal, with keys that find it, and nothing personal or forged."""

import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.telemetry import (
    LogContext,
    LogEntry,
    StoreCall,
    add_log_context,
    error_chain,
    log_bug,
    log_event,
    log_store_call,
)
from tests.functions.client import JSON, KEY, NOTICE, declare, notices_of, path_of, publish
from tests.functions.positions import CALL, a_position
from tests.support import INSTITUTION, NUMBER, a_body

PERSONAL = "RSSMRA80A01H501U"


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Return what the archive logs, from INFO on."""
    caplog.set_level(logging.INFO, "archive")
    return caplog


def entries(logged: pytest.LogCaptureFixture, event: str = "request_refused") -> list[dict[str, Any]]:
    """Return the keys of each event of this name, as a program reads its line."""
    lines = [json.loads(record.getMessage()) for record in logged.records if record.name == "archive"]
    return [line for line in lines if line.pop("event") == event]


# Refusals


async def test_a_refusal_is_one_event_with_the_keys_that_find_it(
    http: httpx.AsyncClient, logged: pytest.LogCaptureFixture
) -> None:
    await http.get(NOTICE, headers={"X-Request-Id": "an id"})

    assert entries(logged) == [
        {
            "request_id": "an id",
            "function": "get_notice",
            "institution": INSTITUTION,
            "number": NUMBER,
            "caller": "local-ec",
            "code": "notice_not_found",
            "status": 404,
        }
    ]
    assert [record.levelname for record in logged.records if record.name == "archive"] == ["INFO"]


async def test_a_request_that_succeeds_logs_no_refusal(
    http: httpx.AsyncClient, logged: pytest.LogCaptureFixture
) -> None:
    await publish(http)

    assert entries(logged) == []


async def test_each_of_several_refusals_has_its_own_keys(
    http: httpx.AsyncClient, logged: pytest.LogCaptureFixture
) -> None:
    await http.get(NOTICE, headers={KEY: "unknown"})
    await http.get(notices_of(), params={"limit": "0"})
    await http.get("/openapi.json/none")

    assert [(entry["code"], entry.get("caller"), entry.get("number")) for entry in entries(logged)] == [
        ("unauthenticated", None, NUMBER),
        ("invalid_parameter", "local-ec", None),
        ("address_not_found", None, None),
    ]


async def test_a_refused_position_is_logged_with_its_code(
    http: httpx.AsyncClient, logged: pytest.LogCaptureFixture
) -> None:
    answer = await http.post("http://archive.test/api/aca/v1/paCreatePosition", json={"paFiscalCode": INSTITUTION})

    (entry,) = entries(logged)
    assert (entry["code"], entry["caller"], entry["function"]) == ("invalid_body", "local-ec", "pa_create_position")
    assert answer.headers["x-error-code"] == "invalid_body"


@pytest.mark.parametrize(
    ("changes", "code", "institution", "number"),
    [
        ({"amount": 0}, "nothing_to_cancel", INSTITUTION, NUMBER),
        ({"amount": 0, "nav": NUMBER}, "nothing_to_cancel", INSTITUTION, NUMBER),
        ({"paFiscalCode": "99999999999", "nav": NUMBER}, "institution_not_granted", "99999999999", None),
        ({"iuv": PERSONAL, "nav": PERSONAL}, "segregation_code_not_granted", INSTITUTION, None),
    ],
    ids=["named by its IUV", "named by its number", "of another institution", "named by something else"],
)
async def test_a_refused_position_is_logged_with_the_institution_and_the_number_as_far_as_they_are_known(
    http: httpx.AsyncClient,
    logged: pytest.LogCaptureFixture,
    changes: dict[str, Any],
    code: str,
    institution: str,
    number: str | None,
) -> None:
    await http.post(CALL, json=a_position(**changes))

    (entry,) = entries(logged)
    assert (entry["code"], entry.get("institution"), entry.get("number")) == (code, institution, number)


@pytest.mark.parametrize("number", [PERSONAL, "RSSMRA80A01H501U%0A", "Mario Rossi", "1" * 19])
async def test_a_number_that_may_be_something_else_is_not_logged(
    http: httpx.AsyncClient, logged: pytest.LogCaptureFixture, number: str
) -> None:
    await http.get(path_of(number))
    await http.get(notices_of(number))

    assert [entry.get("number") for entry in entries(logged)] == [None, None]
    assert "RSSMRA" not in logged.text
    assert "Rossi" not in logged.text
    assert "1" * 19 not in logged.text


async def test_a_refused_body_leaves_nothing_of_itself_in_the_log(
    http: httpx.AsyncClient, logged: pytest.LogCaptureFixture
) -> None:
    body = a_body(debtor={"type": "F", "fiscalCode": PERSONAL.lower(), "fullName": "Mario Rossi"}, Rossi="Mario")
    await http.put(NOTICE, json=body)
    await http.put(NOTICE, content=f'{{"fullName": "Mario Rossi", {PERSONAL}'.encode(), headers=JSON)
    await declare(http, "cancelled", reason="Mario Rossi")

    assert [entry["code"] for entry in entries(logged)] == ["invalid_body", "invalid_json", "notice_not_found"]
    assert not any(word in logged.text for word in ("Rossi", "Mario", PERSONAL, PERSONAL.lower()))


async def test_a_refused_body_is_logged_with_its_fields_and_rules_and_no_name_of_the_clients(
    http: httpx.AsyncClient, logged: pytest.LogCaptureFixture
) -> None:
    await http.put(NOTICE, json=a_body(amount=0, dueDate="x", Rossi="Mario"))

    (entry,) = entries(logged)
    assert entry["violations"] == "amount:out_of_range dueDate:date_time unknown_field"


async def test_a_refused_position_is_logged_with_the_status_that_was_answered(
    http: httpx.AsyncClient, logged: pytest.LogCaptureFixture
) -> None:
    await http.post(CALL, json=a_position(description=""))

    (entry,) = entries(logged)
    assert (entry["status"], entry["institution"]) == (400, INSTITUTION)


async def test_a_store_that_fails_is_a_warning_with_its_own_name_of_the_fault(
    http: httpx.AsyncClient, application: Application, logged: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "archive.db", isolation_level=None)) as file:
        file.execute("DROP TABLE notices")
        await http.get(NOTICE)

    (entry,) = entries(logged)
    assert (entry["code"], entry["status"]) == ("store_unavailable", 503)
    assert entry["error"] == "StoreUnavailable caused by OperationalError(SQLITE_ERROR)"
    assert [record.levelname for record in logged.records if record.name == "archive"] == ["WARNING"]


# Lines


FORGED = '1\n{"event": "request_refused"}\u2028\x85\x1b[31m ERROR archive key="a" \ud800'


def test_no_value_breaks_out_of_its_line() -> None:
    entry = LogEntry("an_event", {"key": FORGED, "list": [FORGED, FORGED]})

    line = str(entry)

    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == {"event": "an_event", "key": FORGED, "list": [FORGED, FORGED]}


def test_no_value_breaks_out_of_its_line_on_a_terminal() -> None:
    text = LogEntry("an_event", {"key": FORGED, "next": "a b=c", "plain": "47/1-2:3", "count": 3}).text

    assert text.isascii()
    assert text.isprintable()
    assert text.endswith(' next="a b=c" plain=47/1-2:3 count=3')


def test_a_list_takes_a_line_for_each_item_on_a_terminal() -> None:
    assert (
        LogEntry("an_event", {"stack": ["a.py:1 f", "b.py:2 g"]}).text == 'an_event stack=\n  "a.py:1 f"\n  "b.py:2 g"'
    )


def test_keys_of_a_context_stand_on_every_event_inside_it(logged: pytest.LogCaptureFixture) -> None:
    with LogContext(outer=1):
        with LogContext(inner=2):
            add_log_context(added=3)
            log_event("first")
        log_event("second")
    add_log_context(lost=4)
    log_event("third")

    assert [json.loads(record.getMessage()) for record in logged.records] == [
        {"event": "first", "outer": 1, "inner": 2, "added": 3},
        {"event": "second", "outer": 1},
        {"event": "third"},
    ]


def test_a_bug_is_logged_by_type_and_place_without_its_text(logged: pytest.LogCaptureFixture) -> None:
    try:
        raise LookupError(PERSONAL) from ValueError(PERSONAL)
    except LookupError as error:
        log_bug("it_failed", error)

    (entry,) = entries(logged, "it_failed")
    assert entry["error"] == "LookupError caused by ValueError"
    assert [place.rpartition(" ")[2] for place in entry["stack"]] == [
        "test_a_bug_is_logged_by_type_and_place_without_its_text"
    ]
    assert PERSONAL not in logged.text.replace(__file__, "")


class CosmosLikeError(Exception):
    """An error with the codes that the SDK of Cosmos DB gives."""

    status_code = 404
    sub_status = 1003


def test_an_error_chain_shows_the_codes_that_libraries_give() -> None:
    first, second = CosmosLikeError("secret"), RuntimeError("secret")
    second.__cause__ = first
    first.__cause__ = second

    assert error_chain(second) == "RuntimeError caused by CosmosLikeError(404/1003)"


def test_an_error_chain_shows_the_errors_in_whose_handling_others_were_raised() -> None:
    first, second = CosmosLikeError("secret"), LookupError("secret")
    second.__context__ = first

    assert error_chain(second) == "LookupError caused by CosmosLikeError(404/1003)"


async def test_calls_of_the_store_are_logged_for_debugging_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    call = StoreCall("load", "notices", 1.0, 0.1, 1, "done")

    with caplog.at_level(logging.INFO, "archive"):
        log_store_call(call)
    assert caplog.records == []
    with caplog.at_level(logging.DEBUG, "archive"):
        log_store_call(call)

    (record,) = caplog.records
    assert (record.levelname, json.loads(record.getMessage())["operation"]) == ("DEBUG", "load")
