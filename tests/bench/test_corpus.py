"""The corpus, as the archive answers it: a change of a rule shows here, not when somebody measures."""

from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bench.client import Reply
from bench.corpus import CASES, Case, passing_dates
from bench.corpus.replay import Answer, Ask, compared, differences
from local.host import Host
from shared.bootstrap import Application
from tests.support import NOW, StillClock

Wait = Callable[[float], Coroutine[Any, Any, None]]


@pytest.fixture
async def ask(application: Application, local_host: Host) -> AsyncIterator[Ask]:
    """Yield the function that sends the request of a case to the archive in this process."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(local_host), base_url="http://archive.test") as client:

        async def send(case: Case) -> Reply:
            answer = await client.request(case.method, case.path, headers=case.headers, content=case.body)
            return Reply(answer.status_code, answer.headers, answer.content)

        yield send


@pytest.fixture
def wait(clock: StillClock) -> Wait:
    """Return the function that lets seconds pass."""

    async def advance(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    return advance


async def test_the_archive_answers_each_case_as_expected(ask: Ask, clock: StillClock, wait: Wait) -> None:
    assert await differences({"archive": ask}, clock, wait) == []


async def test_a_side_with_another_verdict_is_named_with_the_case(ask: Ask, clock: StillClock, wait: Wait) -> None:
    async def another(case: Case) -> Reply:
        reply = await ask(case)
        return Reply(422, {}, b'{"code": "another"}') if case.name == "broken: a list" else reply

    assert await differences({"peer": another}, clock, wait) == [
        "broken: a list: peer answers 422 another, not 422 invalid_body"
    ]


def test_a_side_with_other_content_is_named_with_the_field() -> None:
    case = Case("get", "GET", "/", 200)
    first = Answer(200, content={"items": [{"amount": 1, "status": "ACTIVE"}]})
    second = Answer(200, content={"items": [{"amount": 2, "status": "ACTIVE"}]})

    assert [*compared([case], {"archive": [first], "peer": [second]})] == [
        "get: peer answers 2 as content.items[0].amount, not 1"
    ]


def test_each_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in (*CASES, *passing_dates(NOW))]

    assert len({*names}) == len(names)


def test_the_corpus_has_valid_requests_and_refusals_of_every_kind() -> None:
    assert len(CASES) >= 60
    assert {case.status for case in CASES} >= {200, 201, 304, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422}
