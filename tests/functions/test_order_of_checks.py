"""A request that breaks several rules is refused for the first of them."""

from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.callers import EVERY
from tests.conftest import PLATFORM_KEY
from tests.functions.client import (
    JSON,
    KEY,
    NOTICE,
    UNREGISTERED,
    bring_to,
    notices_of,
    path_of,
    refusal,
    register_caller,
    register_institution,
)
from tests.support import DAY, StillClock, a_body, a_number

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


async def test_an_unsupported_media_type_is_told_before_a_missing_length(http: httpx.AsyncClient) -> None:
    headers = {**WRONG_TYPE, "Transfer-Encoding": "chunked"}

    answer = await http.put(NOTICE, content=b"", headers=headers)

    assert refusal(answer) == (415, "unsupported_media_type")


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
