"""How the archive refuses, and how it fails."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared import bootstrap
from shared.bootstrap import Application
from shared.domain.callers import EVERY
from shared.domain.identifiers import Iuv, NoticeNumber
from shared.domain.notice import Address
from shared.errors import NotDoneInTime, catalogue
from shared.ports import IuvClaim
from shared.settings import EmbeddedStore, Settings
from tests.conftest import PLATFORM_KEY
from tests.functions.client import (
    COMUNE,
    EVENTS,
    JSON,
    KEY,
    LENIENT_NOTICE,
    NOTICE,
    STATUS_OF,
    bring_to,
    declare,
    notices_of,
    path_of,
    publish,
    publish_from_gpd,
    refusal,
    register_caller,
    register_institution,
    shown,
)
from tests.openapi_check import defect_expected
from tests.support import (
    DAY,
    INSTITUTION,
    NUMBER,
    SECOND,
    StillClock,
    a_body,
    a_number,
    a_publication,
    an_act,
    an_institution,
)

LIST = notices_of()
UNREGISTERED = path_of(institution="12345678903")


@pytest.fixture
def file(http: httpx.AsyncClient, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection of another program to the file of the store."""
    with closing(sqlite3.connect(tmp_path / "archive.db", isolation_level=None)) as file:
        yield file


# The problem document


async def test_a_refusal_is_a_problem_document(http: httpx.AsyncClient) -> None:
    answer = await http.get(NOTICE)

    assert answer.json() == {
        "type": "urn:archivio-avvisi:error:notice_not_found",
        "title": "The notice is not in the archive",
        "status": 404,
        "detail": "Check the fiscal code of the institution and the notice number. PUT publishes a new notice.",
        "instance": f"/api/v1{NOTICE}",
        "code": "notice_not_found",
    }


async def test_a_refused_body_names_what_it_breaks(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body(amount=0))

    assert answer.json()["violations"] == [{"field": "amount", "code": "out_of_range", "message": "At least 1"}]


async def test_the_instance_is_the_address_without_its_query(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{LIST}?limit=0")

    assert answer.json()["instance"] == f"/api/v1{LIST}"


@pytest.mark.parametrize("path", [NOTICE, EVENTS, LIST, f"{NOTICE}?at=x"])
async def test_a_refusal_is_not_tagged(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path, headers={KEY: "unknown"})

    assert "etag" not in answer.headers


# Every error, by its code


@dataclass(frozen=True, slots=True)
class Here:
    """The archive under test, and all that can be done to it."""

    http: httpx.AsyncClient
    application: Application
    clock: StillClock
    file: sqlite3.Connection


Ask = Callable[[Here], Awaitable[httpx.Response]]


@pytest.fixture
def here(http: httpx.AsyncClient, application: Application, clock: StillClock, file: sqlite3.Connection) -> Here:
    """Return the archive under test."""
    return Here(http, application, clock, file)


async def _invalid_json(here: Here) -> httpx.Response:
    return await here.http.put(NOTICE, content=b"{", headers=JSON)


async def _invalid_encoding(here: Here) -> httpx.Response:
    return await here.http.put(NOTICE, content=b'"\xff"', headers=JSON)


async def _invalid_header(here: Here) -> httpx.Response:
    return await here.http.put(NOTICE, json=a_body(), headers={"If-Match": "1"})


async def _invalid_parameter(here: Here) -> httpx.Response:
    return await here.http.get(f"{LIST}?limit=0")


async def _invalid_cursor(here: Here) -> httpx.Response:
    return await here.http.get(f"{LIST}?cursor=x")


async def _unauthenticated(here: Here) -> httpx.Response:
    return await here.http.get(NOTICE, headers={KEY: "unknown"})


async def _scope(here: Here) -> httpx.Response:
    return await here.http.put(NOTICE, json=a_body(), headers=PLATFORM_KEY)


async def _institution(here: Here) -> httpx.Response:
    return await here.http.get(UNREGISTERED)


async def _segregation_code(here: Here) -> httpx.Response:
    return await here.http.get(path_of(a_number(1, "49")))


async def _institution_unknown(here: Here) -> httpx.Response:
    return await here.http.get(UNREGISTERED, headers=PLATFORM_KEY)


async def _notice_unknown(here: Here) -> httpx.Response:
    return await here.http.get(NOTICE)


async def _no_file(here: Here) -> httpx.Response:
    return await here.http.get("http://archive.test/api/docs/nothing.js")


def _after(status: str) -> Ask:
    async def ask(here: Here) -> httpx.Response:
        await bring_to(status, here.http, here.application)
        return await here.http.patch(NOTICE, json={"amount": 1})

    return ask


async def _older(here: Here) -> httpx.Response:
    await publish(here.http)
    return await here.http.patch(NOTICE, json={"amount": 1, "occurredAt": "2026-01-01T00:00:00Z"})


async def _managed_by_gpd(here: Here) -> httpx.Response:
    await publish_from_gpd(here.application)
    return await declare(here.http, "cancelled")


async def _iuv_is_fixed(here: Here) -> httpx.Response:
    await publish(here.http)
    return await here.http.patch(NOTICE, json={"iuv": "1"})


async def _iuv_already_used(here: Here) -> httpx.Response:
    await publish(here.http, LENIENT_NOTICE)
    return await here.http.put(path_of("A1", COMUNE), json=a_body(iuv=NUMBER[1:]))


async def _precondition(here: Here) -> httpx.Response:
    return await here.http.put(NOTICE, json=a_body(), headers={"If-Match": "*"})


async def _body_too_large(here: Here) -> httpx.Response:
    return await here.http.put(NOTICE, content=b" " * 300_000, headers=JSON)


async def _media_type(here: Here) -> httpx.Response:
    return await here.http.put(NOTICE, content=b"{}")


async def _invalid_body(here: Here) -> httpx.Response:
    return await here.http.put(NOTICE, json={})


async def _notice_number(here: Here) -> httpx.Response:
    return await here.http.put(path_of("347000000000000125"), json=a_body())


async def _no_iban(here: Here) -> httpx.Response:
    await register_institution(here.application)
    return await here.http.put(NOTICE, json=a_body())


async def _due_date_in_past(here: Here) -> httpx.Response:
    return await here.http.put(NOTICE, json=a_body(dueDate="2026-01-01", switchToExpired=True))


async def _amend_the_due_date(here: Here) -> httpx.Response:
    await publish(here.http, switchToExpired=True)
    here.clock.advance(30 * DAY)
    return await declare(here.http, "restored")


async def _internal_error(here: Here) -> httpx.Response:
    await publish(here.http)
    here.file.execute("UPDATE notices SET document = '{}'")
    with defect_expected():
        return await here.http.get(NOTICE)


async def _store_unavailable(here: Here) -> httpx.Response:
    await here.application.archive.store.close()
    return await here.http.get(NOTICE)


async def _address_not_found(here: Here) -> httpx.Response:
    return await here.http.get("/notices")


async def _method_not_allowed(here: Here) -> httpx.Response:
    return await here.http.delete(NOTICE)


async def _length_required(here: Here) -> httpx.Response:
    return await here.http.put(NOTICE, content=b"", headers={**JSON, "Transfer-Encoding": "chunked"})


REACHED: dict[str, Ask] = {
    "address_not_found": _address_not_found,
    "method_not_allowed": _method_not_allowed,
    "length_required": _length_required,
    "invalid_json": _invalid_json,
    "invalid_encoding": _invalid_encoding,
    "invalid_header": _invalid_header,
    "invalid_parameter": _invalid_parameter,
    "invalid_cursor": _invalid_cursor,
    "unauthenticated": _unauthenticated,
    "scope_not_granted": _scope,
    "institution_not_granted": _institution,
    "segregation_code_not_granted": _segregation_code,
    "institution_not_found": _institution_unknown,
    "notice_not_found": _notice_unknown,
    "file_not_found": _no_file,
    "notice_cancelled": _after("CANCELLED"),
    "notice_closed": _after("CLOSED"),
    "notice_paid": _after("PAID"),
    "notice_reported": _after("REPORTED"),
    "stale_declaration": _older,
    "managed_by_gpd": _managed_by_gpd,
    "iuv_is_fixed": _iuv_is_fixed,
    "iuv_already_used": _iuv_already_used,
    "precondition_failed": _precondition,
    "body_too_large": _body_too_large,
    "unsupported_media_type": _media_type,
    "invalid_body": _invalid_body,
    "notice_number": _notice_number,
    "no_iban_registered": _no_iban,
    "due_date_in_past": _due_date_in_past,
    "notice_expired": _amend_the_due_date,
    "internal_error": _internal_error,
    "store_unavailable": _store_unavailable,
}
NOT_OVER_HTTP = {
    "managed_by_ec",  # a declaration of GPD, which comes by queue
    "not_done_in_time",  # a hundred other writers win in turn
}
ELSEWHERE = {"not_configured"}
"""IfNoneMatch by test_not_configured.py, in a process of its own."""
WITHOUT_CODE = {
    "nothing_to_cancel",  # only paCreatePosition says it, whose errors have a title and no code
}


@pytest.mark.parametrize("code", REACHED)
async def test_an_error_is_answered_with_its_status_and_code(here: Here, code: str) -> None:
    answer = await REACHED[code](here)

    assert refusal(answer) == (STATUS_OF[code], code)


@pytest.mark.parametrize("code", REACHED)
async def test_an_error_has_the_id_of_its_request_and_names_a_time_to_try_again_if_it_passes(
    here: Here, code: str
) -> None:
    here.http.headers["X-Request-Id"] = f"request of {code}"

    answer = await REACHED[code](here)

    assert (answer.headers["x-request-id"], answer.headers.get("retry-after")) == (
        f"request of {code}",
        "1" if answer.status_code in (429, 503) else None,
    )


@pytest.mark.parametrize(("seconds", "asked"), [(-3, 1), (0, 1), (0.2, 1), (1.2, 2), (59.9, 60), (61, 60), (86400, 60)])
def test_a_client_is_asked_to_wait_a_second_to_a_minute_in_whole_seconds(seconds: float, asked: int) -> None:
    assert NotDoneInTime(retry_after=seconds).retry_after == asked


async def test_who_waits_in_vain_for_the_claim_of_an_iuv_is_asked_to_come_back_when_it_has_run_out(
    application: Application, clock: StillClock
) -> None:
    institution = an_institution(lenient=True)
    one, other = (Address(institution.fiscal_code, NoticeNumber(number)) for number in ("A1", "A2"))
    await application.archive.store.claim_iuv(INSTITUTION, Iuv("IUV1"), IuvClaim(one.number, clock() + 42 * SECOND))

    with pytest.raises(NotDoneInTime) as refusal:
        await application.archive.publish(replace(a_publication(other), iuv=Iuv("IUV1")), institution, an_act())

    assert refusal.value.retry_after == 42


def test_every_error_is_reached_here_or_cannot_be() -> None:
    assert {error.code for error in catalogue()} == REACHED.keys() | NOT_OVER_HTTP | WITHOUT_CODE | ELSEWHERE


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", NOTICE, a_body()),
        ("PUT", path_of(a_number(2)), a_body()),
        ("PATCH", NOTICE, {"amount": 1}),
        ("POST", EVENTS, {"type": "closed"}),
        ("GET", NOTICE, None),
        ("GET", f"{NOTICE}?at=2026-11-23T10:00:00Z", None),
        ("GET", EVENTS, None),
        ("GET", LIST, None),
        ("GET", "/health", None),
    ],
)
async def test_an_answer_has_the_id_of_its_request(
    http: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None
) -> None:
    await publish(http)

    answer = await http.request(method, path, json=body, headers={"X-Request-Id": "an id"})

    assert (answer.is_success, answer.headers["x-request-id"]) == (True, "an id")


async def test_an_answer_without_a_body_has_the_id_of_its_request(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await http.get(NOTICE, headers={"If-None-Match": "*", "X-Request-Id": "an id"})

    assert (answer.status_code, answer.headers["x-request-id"]) == (304, "an id")


# Of several reasons to refuse

BIG = b"{" + b" " * 300_000
WRONG_TYPE = {"Content-Type": "text/plain"}


@pytest.mark.parametrize(
    ("path", "content", "headers", "code"),
    [
        (NOTICE, BIG, {**WRONG_TYPE, KEY: "unknown"}, "unauthenticated"),
        (UNREGISTERED, BIG, {**WRONG_TYPE, KEY: "local-platform"}, "unsupported_media_type"),
        (UNREGISTERED, BIG, {**JSON, KEY: "local-platform"}, "body_too_large"),
        (UNREGISTERED, b"{", {**JSON, KEY: "local-platform"}, "scope_not_granted"),
        (path_of("x", "12345678903"), b"{", {**JSON, "If-Match": "x"}, "institution_not_granted"),
        (path_of("x"), b"{", {**JSON, "If-Match": "x"}, "segregation_code_not_granted"),
        (UNREGISTERED, b"{", {**JSON, KEY: "every"}, "invalid_json"),
        (UNREGISTERED, b"\xff", {**JSON, KEY: "every"}, "invalid_encoding"),
        (UNREGISTERED, b"{}", {**JSON, KEY: "every", "If-Match": "x"}, "invalid_header"),
        (path_of("x", "12345678903"), b"{}", {**JSON, KEY: "every"}, "institution_not_found"),
        (path_of("x"), b"{}", {**JSON, KEY: "every"}, "notice_number"),
        (NOTICE, b"{}", {**JSON, "If-Match": "*"}, "invalid_body"),
    ],
)
async def test_of_several_reasons_to_refuse_a_put_the_first_is_told(
    http: httpx.AsyncClient,
    application: Application,
    path: str,
    content: bytes,
    headers: dict[str, str],
    code: str,
) -> None:
    await register_caller(application, "every", grants={EVERY: frozenset({EVERY})})

    answer = await http.put(path, content=content, headers=headers)

    assert refusal(answer)[1] == code


@pytest.mark.parametrize(
    ("path", "body", "headers", "code"),
    [
        (NOTICE, {"amount": 0}, {"If-Match": '"7-PAID"'}, "invalid_body"),
        (path_of(a_number(2)), {"amount": 0}, {}, "invalid_body"),
        (path_of(a_number(2)), {"amount": 1}, {"If-Match": '"7-PAID"'}, "notice_not_found"),
        (NOTICE, {"amount": 1, "iuv": "1"}, {"If-Match": '"7-PAID"'}, "precondition_failed"),
        (NOTICE, {"validFrom": "2027-01-01"}, {}, "notice_cancelled"),
    ],
)
async def test_of_several_reasons_to_refuse_a_patch_the_first_is_told(
    http: httpx.AsyncClient,
    application: Application,
    path: str,
    body: dict[str, Any],
    headers: dict[str, str],
    code: str,
) -> None:
    await bring_to("CANCELLED", http, application)

    answer = await http.patch(path, json=body, headers=headers)

    assert refusal(answer)[1] == code


async def test_that_no_iban_is_registered_is_told_before_the_state(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await bring_to("CANCELLED", http, application)
    await register_institution(application)
    clock.advance(DAY)

    answer = await http.put(NOTICE, json=a_body(), headers={"If-None-Match": "*"})

    assert refusal(answer) == (422, "no_iban_registered")


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        (f"{UNREGISTERED}?x=1", {}, "institution_not_granted"),
        (f"{UNREGISTERED}?x=1", PLATFORM_KEY, "invalid_parameter"),
        (f"{NOTICE}?at=x", {"If-None-Match": "x"}, "invalid_parameter"),
        (f"{notices_of('12345678903')}?cursor=x", PLATFORM_KEY, "invalid_cursor"),
    ],
)
async def test_of_several_reasons_to_refuse_a_read_the_first_is_told(
    http: httpx.AsyncClient, path: str, headers: dict[str, str], code: str
) -> None:
    answer = await http.get(path, headers=headers)

    assert refusal(answer)[1] == code


@pytest.mark.parametrize("path", [NOTICE, UNREGISTERED])
async def test_a_tag_that_cannot_be_read_is_told_before_what_is_not_there(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path, headers={**PLATFORM_KEY, "If-None-Match": "x"})

    assert refusal(answer) == (400, "invalid_header")


# The store does not answer

REQUESTS = [
    ("PUT", NOTICE, a_body()),
    ("PUT", path_of(a_number(2)), a_body()),
    ("PUT", path_of("A1", COMUNE), a_body()),
    ("PATCH", NOTICE, {"amount": 1}),
    ("POST", EVENTS, {"type": "closed"}),
    ("GET", NOTICE, None),
    ("GET", f"{NOTICE}?at=2026-11-23T10:00:00Z", None),
    ("GET", EVENTS, None),
    ("GET", LIST, None),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_while_the_store_does_not_answer_nothing_is_done(
    http: httpx.AsyncClient, file: sqlite3.Connection, method: str, path: str, body: dict[str, Any] | None
) -> None:
    await publish(http)
    file.execute("ALTER TABLE notices RENAME TO gone")

    answer = await http.request(method, path, json=body)

    assert (refusal(answer), answer.headers["retry-after"]) == ((503, "store_unavailable"), "1")


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_once_the_store_answers_again_so_does_the_archive(
    http: httpx.AsyncClient, file: sqlite3.Connection, method: str, path: str, body: dict[str, Any] | None
) -> None:
    await publish(http)
    file.execute("ALTER TABLE notices RENAME TO gone")
    await http.request(method, path, json=body)
    file.execute("ALTER TABLE gone RENAME TO notices")

    answer = await http.request(method, path, json=body)

    assert answer.is_success


async def test_a_write_that_the_store_did_not_take_left_nothing(
    http: httpx.AsyncClient, file: sqlite3.Connection
) -> None:
    published = await publish(http)
    file.execute("ALTER TABLE events RENAME TO gone")
    refused = await http.patch(NOTICE, json={"amount": 1})
    file.execute("ALTER TABLE gone RENAME TO events")

    assert (refused.status_code, await shown(http)) == (503, published)


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_while_the_registry_does_not_answer_nothing_is_done(
    http: httpx.AsyncClient, file: sqlite3.Connection, method: str, path: str, body: dict[str, Any] | None
) -> None:
    file.execute("ALTER TABLE registry RENAME TO gone")

    answer = await http.request(method, path, json=body)

    assert refusal(answer) == (503, "store_unavailable")


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_a_store_that_was_closed_does_not_answer(
    http: httpx.AsyncClient, application: Application, method: str, path: str, body: dict[str, Any] | None
) -> None:
    await publish(http)
    await application.archive.store.close()

    async with asyncio.timeout(2):
        answer = await http.request(method, path, json=body)

    assert refusal(answer) == (503, "store_unavailable")


async def test_a_write_gives_up_when_another_program_keeps_the_file_locked(
    http: httpx.AsyncClient, file: sqlite3.Connection, kept_in: EmbeddedStore, clock: StillClock
) -> None:
    await bootstrap.close()
    bootstrap.open_application(Settings(kept_in, store_budget=0.5), clock)
    file.execute("BEGIN IMMEDIATE")

    async with asyncio.timeout(30):
        answer = await http.put(NOTICE, json=a_body())

    assert refusal(answer) == (503, "store_unavailable")


async def test_a_write_waits_while_another_program_writes(http: httpx.AsyncClient, file: sqlite3.Connection) -> None:
    file.execute("BEGIN IMMEDIATE")
    writing = asyncio.ensure_future(http.put(NOTICE, json=a_body()))
    await asyncio.sleep(0.2)
    waited = not writing.done()
    file.execute("ROLLBACK")

    answer = await writing

    assert (waited, answer.status_code) == (True, 201)


async def test_reads_are_answered_while_another_program_writes(
    http: httpx.AsyncClient, file: sqlite3.Connection
) -> None:
    published = await publish(http)
    file.execute("BEGIN IMMEDIATE")
    file.execute("DELETE FROM notices")

    answer = await http.get(NOTICE)

    assert (answer.status_code, answer.json()) == (200, published)


# The archive fails


def damage(file: sqlite3.Connection) -> None:
    """Leave the stored notices as no version of the archive wrote them, with somebody's name."""
    file.execute("UPDATE notices SET document = CAST(replace(document, '\"ACTIVE\"', '\"Mario Rossi\"') AS BLOB)")


ON_THE_NOTICE = [request for request in REQUESTS if request[1].startswith(NOTICE)]


async def test_a_list_serves_the_others_where_one_notice_cannot_be_decoded(
    http: httpx.AsyncClient, file: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    await publish(http)
    damage(file)
    await http.put(path_of(a_number(2)), json=a_body())

    answer = await http.get(LIST, headers={"X-Request-Id": "the list"})

    assert [notice["noticeNumber"] for notice in answer.json()["items"]] == [a_number(2)]
    assert ("document_unreadable" in caplog.text, "the list" in caplog.text) == (True, True)
    assert "Mario" not in caplog.text


@pytest.mark.parametrize(("method", "path", "body"), ON_THE_NOTICE)
async def test_a_defect_is_told_without_a_word_of_it(
    http: httpx.AsyncClient, file: sqlite3.Connection, method: str, path: str, body: dict[str, Any] | None
) -> None:
    await publish(http)
    damage(file)

    with defect_expected():
        async with asyncio.timeout(2):
            answer = await http.request(method, path, json=body)

    assert answer.json() == {
        "type": "urn:archivio-avvisi:error:internal_error",
        "title": "The archive failed",
        "status": 500,
        "detail": "Repeat the request. If it fails again, give the X-Request-Id to the operators of the archive.",
        "instance": f"/api/v1{path.partition('?')[0]}",
        "code": "internal_error",
    }


@pytest.mark.parametrize(("method", "path", "body"), ON_THE_NOTICE)
async def test_a_defect_is_logged_without_personal_data(
    http: httpx.AsyncClient,
    file: sqlite3.Connection,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    body: dict[str, Any] | None,
) -> None:
    await publish(http)
    damage(file)

    with suppress(TimeoutError), defect_expected():
        async with asyncio.timeout(2):
            await http.request(method, path, json=body, headers={"X-Request-Id": "the failed one"})

    assert ("the failed one" in caplog.text, "Mario" in caplog.text) == (True, False)


@pytest.mark.parametrize(("method", "path", "body"), ON_THE_NOTICE)
async def test_after_a_defect_the_next_request_is_served(
    http: httpx.AsyncClient, file: sqlite3.Connection, method: str, path: str, body: dict[str, Any] | None
) -> None:
    await publish(http)
    damage(file)
    with suppress(TimeoutError), defect_expected():
        async with asyncio.timeout(2):
            await http.request(method, path, json=body)

    async with asyncio.timeout(2):
        answer = await http.put(path_of(a_number(2)), json=a_body())

    assert answer.status_code == 201
