"""Every error of the catalogue is answered with its status and code."""

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.identifiers import Iuv, NoticeNumber
from shared.domain.notice import Address
from shared.errors import NotDoneInTime, catalogue
from shared.ports import IuvClaim
from tests.conftest import PLATFORM_KEY
from tests.functions.client import (
    COMUNE,
    JSON,
    KEY,
    LENIENT_NOTICE,
    LIST,
    NOTICE,
    STATUS_OF,
    UNREGISTERED,
    bring_to,
    declare,
    path_of,
    publish,
    publish_from_gpd,
    refusal,
    register_institution,
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
    here.file.execute("UPDATE notices SET shown = CAST('{}' AS BLOB)")
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
