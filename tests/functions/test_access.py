"""Who may do what: denied unless granted, before anything is looked up."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.auth import key_hash
from shared.bootstrap import Application
from shared.domain.callers import EVERY, Key, Scope
from shared.domain.identifiers import InstitutionCode
from tests.conftest import PLATFORM_KEY
from tests.functions.client import (
    BODIES,
    COMUNE,
    KEY,
    MINUTE,
    NOTICE,
    declare,
    notices_of,
    path_of,
    pay,
    publish,
    refusal,
    register_caller,
    register_institution,
)
from tests.support import DAY, HOUR, IBAN, INSTITUTION, NOW, NUMBER, SECOND, StillClock, a_body, a_number

READS = [("GET", ""), ("GET", "/events"), ("GET", "?at=2026-11-23T10:00:00Z")]
WRITES = [("PUT", ""), ("PATCH", ""), ("POST", "/events")]
REQUESTS = [*READS, *WRITES]

NOTHING_GRANTED: dict[str, frozenset[str]] = {}
EVERY_CODE = frozenset({EVERY})


async def ask(
    http: httpx.AsyncClient, method: str, rest: str, key: Mapping[str, str] | None = None, path: str = NOTICE
) -> httpx.Response:
    """Ask for one of the operations on a notice, with a body it would take."""
    body = BODIES.get(method)
    return await http.request(method, path + rest, json=body, headers=dict(key or {}))


async def ask_all(
    http: httpx.AsyncClient, key: Mapping[str, str] | None = None, path: str = NOTICE
) -> list[httpx.Response]:
    """Ask for each of the operations on a notice."""
    return [await ask(http, method, rest, key, path) for method, rest in REQUESTS]


# Who calls


@pytest.mark.parametrize(
    "key",
    [
        None, "", " ", "unknown", "LOCAL-EC", "local-ec ", " local-ec", "local-ec, local-ec", "local-e", "*",
        "x" * 10_000, key_hash("local-ec"),
    ],
    ids=str,
)  # fmt: skip
async def test_without_a_live_key_nothing_is_done(http: httpx.AsyncClient, key: str | None) -> None:
    await publish(http)
    http.headers.pop(KEY)

    answers = await ask_all(http, {} if key is None else {KEY: key})

    assert {refusal(answer) for answer in answers} == {(401, "unauthenticated")}


@pytest.mark.parametrize(
    "key", [b"\xff\xfe", "pass\N{LATIN SMALL LETTER E WITH GRAVE}".encode(), b"local-ec\xff", b"\xed\xa0\x80"]
)
async def test_a_key_that_is_not_ascii_is_not_live(http: httpx.AsyncClient, key: bytes) -> None:
    answer = await http.get(NOTICE, headers=[(KEY.encode(), key)])

    assert refusal(answer) == (401, "unauthenticated")


async def test_a_key_given_twice_is_not_live(http: httpx.AsyncClient) -> None:
    answer = await http.get(NOTICE, headers=[(KEY, "local-ec"), (KEY, "local-platform")])

    assert refusal(answer) == (401, "unauthenticated")


async def test_a_list_asks_for_a_key_too(http: httpx.AsyncClient) -> None:
    http.headers.pop(KEY)

    assert refusal(await http.get(notices_of())) == (401, "unauthenticated")


@pytest.mark.parametrize("elsewhere", ["query", "authorization", "cookie"])
async def test_a_key_counts_in_its_header_only(http: httpx.AsyncClient, elsewhere: str) -> None:
    http.headers.pop(KEY)
    headers = {"authorization": "Bearer local-ec", "cookie": f"{KEY}=local-ec"}
    address = f"{NOTICE}?{KEY}=local-ec" if elsewhere == "query" else NOTICE

    answer = await http.get(address, headers={name: headers[name] for name in headers if name == elsewhere})

    assert refusal(answer) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("name", "expected"), [("ocp-apim-subscription-key", 404), ("OCP-APIM-SUBSCRIPTION-KEY", 404), ("x-api-key", 401)]
)
async def test_the_case_of_a_header_does_not_matter(http: httpx.AsyncClient, name: str, expected: int) -> None:
    http.headers.pop(KEY)

    answer = await http.get(NOTICE, headers={name: "local-ec"})

    assert answer.status_code == expected


@pytest.mark.parametrize(
    ("expires", "status"), [(HOUR, 404), (timedelta(milliseconds=1), 404), (timedelta(0), 401), (-HOUR, 401)]
)
async def test_a_key_is_live_until_it_expires(
    http: httpx.AsyncClient, application: Application, expires: timedelta, status: int
) -> None:
    key = await register_caller(application, "a-key", keys=(Key(key_hash("a-key"), NOW + expires),))

    answer = await http.get(NOTICE, headers=key)

    assert answer.status_code == status


async def test_a_key_that_expires_in_the_meantime_is_refused_at_once(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    key = await register_caller(application, "a-key", keys=(Key(key_hash("a-key"), NOW + SECOND),))
    await http.get(NOTICE, headers=key)
    clock.advance(SECOND)

    answer = await http.get(NOTICE, headers=key)

    assert refusal(answer) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("validity", "status"),
    [
        ({"valid_from": NOW}, 404),
        ({"valid_from": NOW + SECOND}, 401),
        ({"valid_until": NOW + SECOND}, 404),
        ({"valid_until": NOW}, 401),
        ({"valid_from": NOW - DAY, "valid_until": NOW + DAY}, 404),
    ],
)
async def test_a_caller_is_known_while_it_is_valid(
    http: httpx.AsyncClient, application: Application, validity: dict[str, Any], status: int
) -> None:
    key = await register_caller(application, "a-key", **validity)

    answer = await http.get(NOTICE, headers=key)

    assert answer.status_code == status


@pytest.mark.parametrize("key", ["first", "second"])
async def test_a_caller_may_hold_two_keys(http: httpx.AsyncClient, application: Application, key: str) -> None:
    await register_caller(application, "two-keys", keys=(Key(key_hash("first")), Key(key_hash("second"), NOW + DAY)))

    answer = await http.get(NOTICE, headers={KEY: key})

    assert refusal(answer) == (404, "notice_not_found")


# What was granted


@pytest.mark.parametrize(("method", "rest"), WRITES)
async def test_who_may_read_may_not_write(http: httpx.AsyncClient, method: str, rest: str) -> None:
    await publish(http)

    answer = await ask(http, method, rest, PLATFORM_KEY)

    assert refusal(answer) == (403, "scope_not_granted")


@pytest.mark.parametrize(("method", "rest"), READS)
async def test_who_may_write_may_not_read(
    http: httpx.AsyncClient, application: Application, method: str, rest: str
) -> None:
    key = await register_caller(application, "writer", scopes=frozenset({Scope.NOTICES_WRITE}))
    await publish(http)

    answer = await ask(http, method, rest, key)

    assert refusal(answer) == (403, "scope_not_granted")


async def test_a_refused_scope_is_named(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body(), headers=PLATFORM_KEY)

    assert "notices:write" in answer.json()["detail"]


@pytest.mark.parametrize(
    "institution",
    [
        "12345678903", "1537637100", "153763710090", "15376371009%20", "15376371009%01", "*", "%2A", "x", "%EF%BC%91",
    ],
)  # fmt: skip
async def test_an_institution_that_was_not_granted_is_refused(http: httpx.AsyncClient, institution: str) -> None:
    answers = await ask_all(http, path=path_of(institution=institution))

    assert {refusal(answer) for answer in answers} == {(403, "institution_not_granted")}


async def test_the_list_of_an_institution_that_was_not_granted_is_refused(http: httpx.AsyncClient) -> None:
    assert refusal(await http.get(notices_of("12345678903"))) == (403, "institution_not_granted")


@pytest.mark.parametrize("code", ["46", "49", "00"])
async def test_a_segregation_code_that_was_not_granted_is_refused(http: httpx.AsyncClient, code: str) -> None:
    answers = await ask_all(http, path=path_of(a_number(1, code)))

    assert {refusal(answer) for answer in answers} == {(403, "segregation_code_not_granted")}


NO_CODE = [
    "001000000000000141", "100000000000000102", "212000000000004259", "847000000000000124", "3470000000000001240",
    "34700000000000012", "347", "x", "%20347000000000000124", "347000000000000124%01", "34700000000000012%EF%BC%94",
    "%EF%BC%9347000000000000124", "*", "47", "a%2Fb",
]  # fmt: skip


@pytest.mark.parametrize("number", NO_CODE)
async def test_a_number_without_a_segregation_code_needs_the_grant_of_every_code(
    http: httpx.AsyncClient, number: str
) -> None:
    answers = await ask_all(http, path=path_of(number))

    assert {refusal(answer) for answer in answers} == {(403, "segregation_code_not_granted")}


@pytest.mark.parametrize("number", NO_CODE)
async def test_with_the_grant_of_every_code_any_number_may_be_asked_for(
    http: httpx.AsyncClient, application: Application, number: str
) -> None:
    key = await register_caller(application, "all")

    answer = await http.get(path_of(number), headers=key)

    assert refusal(answer) == (404, "notice_not_found")


@pytest.mark.parametrize("code", ["47", "48"])
async def test_each_granted_segregation_code_is_open(http: httpx.AsyncClient, code: str) -> None:
    answer = await http.put(path_of(a_number(1, code)), json=a_body())

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "grants",
    [
        {EVERY: EVERY_CODE},
        {EVERY: frozenset({"47"})},
        {INSTITUTION: EVERY_CODE},
        {INSTITUTION: frozenset({"12"}), EVERY: frozenset({"47"})},
    ],
)
async def test_grants_for_every_institution_or_code_open_the_notice(
    http: httpx.AsyncClient, application: Application, grants: dict[str, frozenset[str]]
) -> None:
    key = await register_caller(application, "a-key", grants=grants)

    answer = await http.put(NOTICE, json=a_body(), headers=key)

    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("grants", "code"),
    [
        (NOTHING_GRANTED, "institution_not_granted"),
        ({COMUNE: EVERY_CODE}, "institution_not_granted"),
        ({INSTITUTION: frozenset[str]()}, "institution_not_granted"),
        ({COMUNE: EVERY_CODE, INSTITUTION: frozenset({"48"})}, "segregation_code_not_granted"),
        ({EVERY: frozenset({"48"})}, "segregation_code_not_granted"),
    ],
)
async def test_the_grant_for_one_institution_or_code_opens_no_other(
    http: httpx.AsyncClient, application: Application, grants: dict[str, frozenset[str]], code: str
) -> None:
    key = await register_caller(application, "a-key", grants=grants)

    answer = await http.put(NOTICE, json=a_body(), headers=key)

    assert refusal(answer) == (403, code)


async def test_a_caller_of_a_lenient_institution_is_bound_to_its_segregation_codes_too(
    http: httpx.AsyncClient, application: Application
) -> None:
    key = await register_caller(application, "a-key", grants={COMUNE: frozenset({"47"})})

    answer = await http.put(path_of("A1", COMUNE), json=a_body(), headers=key)

    assert refusal(answer) == (403, "segregation_code_not_granted")


# Nothing is given away


def _comparable(answer: httpx.Response) -> tuple[int, bytes, list[str]]:
    return answer.status_code, answer.content, sorted(name for name in answer.headers)


DENIED: list[tuple[str, dict[str, Any]]] = [
    ("no key", {}),
    ("no scope", {"scopes": frozenset({Scope.DEBTORS_READ})}),
    ("no institution", {"grants": {COMUNE: EVERY_CODE}}),
    ("no segregation code", {"grants": {INSTITUTION: frozenset({"48"})}}),
]


@pytest.mark.parametrize(("name", "granted"), DENIED, ids=[name for name, _ in DENIED])
async def test_who_is_denied_learns_nothing_of_the_notice(
    http: httpx.AsyncClient, application: Application, name: str, granted: dict[str, Any]
) -> None:
    key = await register_caller(application, "denied", **granted) if granted else {KEY: "unknown"}
    before = await ask_all(http, key)
    await publish(http)
    await declare(http, "cancelled")
    await pay(application)

    after = await ask_all(http, key)

    assert {answer.status_code for answer in before} == {403 if granted else 401}
    assert [*map(_comparable, after)] == [*map(_comparable, before)]


@pytest.mark.parametrize(("name", "granted"), DENIED, ids=[name for name, _ in DENIED])
async def test_who_is_denied_changes_nothing(
    http: httpx.AsyncClient, application: Application, name: str, granted: dict[str, Any]
) -> None:
    key = await register_caller(application, "denied", **granted) if granted else {KEY: "unknown"}
    published = await publish(http, amount=7)

    await ask_all(http, key)

    assert (await http.get(NOTICE)).json() == published


async def test_who_is_denied_an_institution_does_not_learn_whether_it_is_registered(http: httpx.AsyncClient) -> None:
    unregistered = await http.get(path_of(institution="12345678903"))

    assert refusal(unregistered) == (403, "institution_not_granted")


async def test_who_is_granted_every_institution_learns_that_one_is_not_registered(http: httpx.AsyncClient) -> None:
    answer = await http.get(path_of(institution="12345678903"), headers=PLATFORM_KEY)

    assert refusal(answer) == (404, "institution_not_found")


async def test_who_is_denied_is_not_told_what_is_wrong_with_the_request(http: httpx.AsyncClient) -> None:
    answer = await http.put(path_of(a_number(1, "49")), content=b"{", headers={"Content-Type": "application/json"})

    assert refusal(answer) == (403, "segregation_code_not_granted")


# How soon the registry is heard


async def test_a_key_that_was_just_registered_is_found_at_once(
    http: httpx.AsyncClient, application: Application
) -> None:
    await http.get(NOTICE)
    key = await register_caller(application, "new")

    assert refusal(await http.get(NOTICE, headers=key)) == (404, "notice_not_found")


async def test_a_key_that_was_refused_and_then_registered_is_found_a_second_later(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await http.get(NOTICE, headers={KEY: "new"})
    key = await register_caller(application, "new")
    clock.advance(SECOND)

    assert refusal(await http.get(NOTICE, headers=key)) == (404, "notice_not_found")


async def test_an_unknown_key_is_looked_up_once_a_second_at_most(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await http.get(NOTICE, headers={KEY: "new"})
    key = await register_caller(application, "new")
    clock.advance(SECOND - timedelta(milliseconds=1))

    assert refusal(await http.get(NOTICE, headers=key)) == (401, "unauthenticated")


async def test_a_revoked_key_is_refused_within_a_minute(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    key = await register_caller(application, "a-key")
    await http.get(NOTICE, headers=key)
    await register_caller(application, "a-key", keys=(Key(key_hash("another")),))
    clock.advance(MINUTE)

    assert refusal(await http.get(NOTICE, headers=key)) == (401, "unauthenticated")


async def test_a_revoked_key_is_refused_within_a_minute_though_it_was_used_all_the_time(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    key = await register_caller(application, "a-key")
    await http.get(NOTICE, headers=key)
    await register_caller(application, "a-key", keys=())
    answers = []
    for _ in range(6):
        clock.advance(10 * SECOND)
        answers.append(await http.get(NOTICE, headers=key))

    assert refusal(answers[-1]) == (401, "unauthenticated")


async def test_a_grant_that_was_taken_back_is_refused_within_a_minute(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    key = await register_caller(application, "a-key")
    await http.get(NOTICE, headers=key)
    await register_caller(application, "a-key", grants={COMUNE: EVERY_CODE})
    clock.advance(MINUTE)

    assert refusal(await http.get(NOTICE, headers=key)) == (403, "institution_not_granted")


GRANTS: list[tuple[str, dict[str, Any]]] = [
    ("scope", {"scopes": frozenset({Scope.STAND_IN_READ})}),
    ("institution", {"grants": {COMUNE: EVERY_CODE}}),
    ("segregation code", {"grants": {INSTITUTION: frozenset({"48"})}}),
]


@pytest.mark.parametrize(("name", "before"), GRANTS, ids=[name for name, _ in GRANTS])
async def test_a_right_that_was_just_granted_is_seen_at_once(
    http: httpx.AsyncClient, application: Application, clock: StillClock, name: str, before: dict[str, Any]
) -> None:
    key = await register_caller(application, "a-key", **before)
    await http.get(NOTICE, headers=key)
    await register_caller(application, "a-key")
    clock.advance(SECOND)

    assert refusal(await http.get(NOTICE, headers=key)) == (404, "notice_not_found")


async def test_a_list_shows_what_was_just_granted(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await publish(http)
    await publish(http, path_of(a_number(1, "48")))
    key = await register_caller(application, "one", grants={COMUNE: frozenset({"47"})})
    assert (await http.get(notices_of(), headers=key)).status_code == 403
    await register_caller(application, "one", grants={INSTITUTION: frozenset({"47"})})
    clock.advance(SECOND)

    answer = await http.get(notices_of(), headers=key)

    assert [notice["noticeNumber"] for notice in answer.json()["items"]] == [NUMBER]


@pytest.mark.parametrize(("name", "before"), GRANTS, ids=[name for name, _ in GRANTS])
async def test_a_missing_right_is_looked_up_once_a_second_at_most(
    http: httpx.AsyncClient, application: Application, clock: StillClock, name: str, before: dict[str, Any]
) -> None:
    key = await register_caller(application, "a-key", **before)
    await http.get(NOTICE, headers=key)
    await register_caller(application, "a-key")
    clock.advance(SECOND - timedelta(milliseconds=1))

    assert (await http.get(NOTICE, headers=key)).status_code == 403


async def test_a_key_that_was_revoked_is_refused_when_a_missing_right_is_looked_up(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    key = await register_caller(application, "a-key", grants={COMUNE: EVERY_CODE})
    await http.get(NOTICE, headers=key)
    await register_caller(application, "a-key", keys=())
    clock.advance(SECOND)

    assert refusal(await http.get(NOTICE, headers=key)) == (401, "unauthenticated")


async def test_an_institution_that_was_just_registered_is_found_a_second_later(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    key = await register_caller(application, "a-key", grants={EVERY: EVERY_CODE})
    await http.get(path_of(institution="12345678903"), headers=key)
    await register_institution(application, fiscal_code=InstitutionCode("12345678903"))
    clock.advance(SECOND)

    answer = await http.get(path_of(institution="12345678903"), headers=key)

    assert refusal(answer) == (404, "notice_not_found")


async def test_a_changed_institution_is_seen_within_a_minute(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    key = await register_caller(application, "all")
    refused = await http.put(path_of("A1"), json=a_body(iban=IBAN), headers=key)
    await register_institution(application, lenient=True)
    clock.advance(MINUTE)

    answer = await http.put(path_of("A1"), json=a_body(iban=IBAN), headers=key)

    assert (refused.status_code, answer.status_code) == (422, 201)


async def test_a_clock_that_was_set_back_keeps_nothing_alive(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    key = await register_caller(application, "a-key")
    await http.get(NOTICE, headers=key)
    await register_caller(application, "a-key", keys=())
    clock.advance(-HOUR)

    assert refusal(await http.get(NOTICE, headers=key)) == (401, "unauthenticated")
