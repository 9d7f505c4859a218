"""Errors that no code expects: none leaves a function, because the platform would log its text."""

import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import azure.functions as func
import pytest
from azure.functions.timer import TimerRequest

from local.functions import Function, load
from shared import bootstrap
from shared.http import Response, open_endpoint
from shared.inbound import NotApplied
from shared.settings import EmbeddedStore, Settings
from tests.conftest import ROOT
from tests.support import DEBTOR_KEYS

MARKER = "Mario Rossi RSSMRA80A01H501U"
FUNCTIONS = {function.name: function for function in load(ROOT)}


def fail(*arguments: object) -> NoReturn:
    try:
        raise ValueError(MARKER)
    except ValueError as error:
        raise LookupError(MARKER) from error


class Failing(Mapping[str, str]):
    """Headers or parameters that cannot be read, but for the id of the request."""

    def __getitem__(self, name: str) -> str:
        return "an id" if name == "x-request-id" else fail()

    def __iter__(self) -> Iterator[str]:
        fail()

    def __len__(self) -> int:
        return 1


class FailingRequest(func.HttpRequest):
    """A request of which no part can be read, but its id and its address."""

    headers = Failing()
    route_params = Failing()


class FailingMessage(func.ServiceBusMessage):
    """A message that cannot be read."""

    message_id = property(fail)


FAILED = {
    "apply_due_changes": "due_changes_failed",
    "relay_events": "relay_failed",
    "project_debtors": "debtors_failed",
    "consume_events": "message_not_applied",
}
"""The event that each function without an address logs."""


@pytest.fixture
async def failing_clock(tmp_path: Path) -> AsyncIterator[None]:
    """Open the archive with a clock that fails."""

    def clock() -> datetime:
        fail()

    bootstrap.open_application(Settings(EmbeddedStore(tmp_path / "archive.db"), debtor_keys=DEBTOR_KEYS), clock)
    yield
    await bootstrap.close()


@pytest.mark.usefixtures("failing_clock")
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
async def test_an_error_that_a_function_does_not_expect_ends_there_and_its_text_is_not_logged(
    function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    kind = function.trigger["type"]
    if kind == "serviceBusTrigger":
        with pytest.raises(NotApplied) as raised:
            await function.call(FailingMessage())
        assert (str(raised.value), raised.value.__suppress_context__) == ("", True)
        answer = None
    else:
        request = FailingRequest("GET", f"http://archive.test/api/{function.trigger.get('route')}", body=b"{}")
        answer = await function.call(TimerRequest() if kind == "timerTrigger" else request)

    (entry,) = (json.loads(record.getMessage()) for record in caplog.records if record.levelno == logging.ERROR)
    assert entry["error"] == "LookupError caused by ValueError"
    if kind != "httpTrigger":
        assert (answer, entry["event"]) == (None, FAILED[function.name])
    else:
        assert isinstance(answer, func.HttpResponse)
        assert (answer.status_code, answer.headers["x-request-id"]) == (500, "an id")
        assert MARKER.encode() not in answer.get_body()
        assert (entry["event"], entry["request_id"]) == ("request_failed", "an id")
    assert "Rossi" not in caplog.text
    assert "RSSMRA80A01H501U" not in caplog.text


async def test_an_answer_that_cannot_be_rendered_is_a_bug_like_any_other(caplog: pytest.LogCaptureFixture) -> None:
    @open_endpoint()
    async def show(req: func.HttpRequest) -> Response:
        return Response(200, {"a": object()})

    answer = await show(func.HttpRequest("GET", "http://archive.test/api/show", body=b""))

    assert answer.status_code == 500
    (entry,) = (json.loads(record.getMessage()) for record in caplog.records)
    assert (entry["event"], entry["function"]) == ("request_failed", "show")


async def test_an_archive_that_cannot_be_opened_is_a_warning_of_the_timer(caplog: pytest.LogCaptureFixture) -> None:
    await FUNCTIONS["apply_due_changes"].call(TimerRequest())  # tests/conftest.py names a store that cannot be.

    (record,) = caplog.records
    assert (record.levelno, json.loads(record.getMessage())["event"]) == (logging.WARNING, "due_changes_failed")
