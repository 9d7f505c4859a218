"""What cannot be read, or was never meant to be: refused with a code, never an error of the archive, never echoed."""

import gzip
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from shared.bootstrap import Application
from shared.domain.callers import EVERY
from shared.errors import catalogue
from shared.wire.headers import parse_precondition
from shared.wire.violations import VIOLATIONS
from tests.functions.client import (
    A_STAMP_TRANSFER,
    A_TRANSFER,
    COMUNE,
    EVENTS,
    JSON,
    KEY,
    NOTICE,
    notices_of,
    path_of,
    publish,
    refusal,
    register_caller,
    shown,
    violations,
)
from tests.functions.fields import REFUSED, naming, whole
from tests.support import ADDRESS, IBAN, INSTITUTION, NUMBER, POSTAL_IBAN, a_body, a_number

WRITES = [("PUT", NOTICE), ("PATCH", NOTICE), ("POST", EVENTS)]
BODIES: Mapping[str, Any] = {"PUT": a_body(), "PATCH": {"amount": 1}, "POST": {"type": "closed"}}
MAX_BODY = 256 * 1024


async def send_all(http: httpx.AsyncClient, content: bytes, headers: Mapping[Any, Any] = JSON) -> list[httpx.Response]:
    """Send a body to every operation that takes one."""
    return [await http.request(method, path, content=content, headers=headers) for method, path in WRITES]


# Bodies that are not JSON

NOT_JSON = {
    "nothing": b"",
    "blanks": b" \n ",
    "a word": b"amount",
    "a form": b"amount=12050&description=TARI",
    "XML": b"<notice><amount>12050</amount></notice>",
    "keys without quotes": b"{amount: 12050}",
    "single quotes": b"{'amount': 12050}",
    "a trailing comma": b'{"amount": 12050,}',
    "a comment": b'{"amount": 12050 /* cents */}',
    "two values": b"{}{}",
    "lines of values": b"{}\n{}",
    "a cut value": b'{"amount": 12050',
    "a cut text": b'{"description": "TARI',
    "a number cut": b'{"amount": 12.',
    "a leading zero": b'{"amount": 012050}',
    "a plus sign": b'{"amount": +12050}',
    "a hexadecimal number": b'{"amount": 0x2F12}',
    "NaN": b'{"amount": NaN}',
    "Infinity": b'{"amount": Infinity}',
    "minus Infinity": b'{"amount": -Infinity}',
    "True": b'{"payStandIn": True}',
    "a line break in a text": b'{"description": "TARI\n2026"}',
    "a bare NUL in a text": b'{"description": "TARI\0"}',
    "a NUL at the end": b"{}\0",
    "an unknown escape": b'{"description": "\\x41"}',
    "a cut escape": b'{"description": "\\u00"}',
    "lists too deep": b"[" * 100_000,
    "closed lists too deep": b"[" * 20_000 + b"]" * 20_000,
    "objects too deep": b'{"debtor":' * 20_000 + b"1" + b"}" * 20_000,
    "metadata too deep": b'{"metadata": {"k":' + b"[" * 5_000 + b"]" * 5_000 + b"}}",
}


@pytest.mark.parametrize("name", NOT_JSON)
async def test_a_body_that_is_not_json_is_refused(http: httpx.AsyncClient, name: str) -> None:
    answers = await send_all(http, NOT_JSON[name])

    assert {refusal(answer) for answer in answers} == {(400, "invalid_json")}


NOT_UTF_8 = {
    "Latin-1": '{"description": "perché"}'.encode("latin-1"),
    "UTF-16 with its mark": json.dumps(a_body()).encode("utf-16"),
    "UTF-32 with its mark": json.dumps(a_body()).encode("utf-32"),
    "an overlong slash": b'{"description": "\xc0\xaf"}',
    "a surrogate": b'{"description": "\xed\xa0\x80"}',
    "beyond Unicode": b'{"description": "\xf4\x90\x80\x80"}',
    "a cut character": b'{"description": "\xe2\x82"}',
    "in a key": b'{"descri\xffption": "TARI"}',
    "compressed bytes": gzip.compress(b"{}"),
}


@pytest.mark.parametrize("name", NOT_UTF_8)
async def test_a_body_that_is_not_utf_8_is_refused(http: httpx.AsyncClient, name: str) -> None:
    answers = await send_all(http, NOT_UTF_8[name])

    assert {refusal(answer) for answer in answers} == {(400, "invalid_encoding")}


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
async def test_a_body_in_an_encoding_that_looks_like_ascii_is_refused(
    http: httpx.AsyncClient, method: str, path: str, encoding: str
) -> None:
    answer = await http.request(method, path, content=json.dumps(BODIES[method]).encode(encoding), headers=JSON)

    assert answer.status_code == 400


MISENCODED = {
    "a lone surrogate": rb'{"description": "\ud800"}',
    "a lone low surrogate": rb'{"description": "\udc00"}',
    "a pair the wrong way round": rb'{"description": "\udc00\ud800"}',
    "a surrogate before a letter": rb'{"description": "\ud83da"}',
    "a lone surrogate in a key": rb'{"metadata": {"\ud800": "v"}}',
    "a lone surrogate in the middle of metadata": rb'{"metadata": {"k": "a\udfffb"}}',
    "a byte order mark": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("name", MISENCODED)
async def test_a_lone_surrogate_or_a_byte_order_mark_cannot_be_read(http: httpx.AsyncClient, name: str) -> None:
    answers = await send_all(http, MISENCODED[name])

    assert {answer.status_code for answer in answers} == {400}


@pytest.mark.parametrize("name", MISENCODED)
async def test_a_lone_surrogate_or_a_byte_order_mark_is_an_error_of_the_encoding(
    http: httpx.AsyncClient, name: str
) -> None:
    answer = await http.put(NOTICE, content=MISENCODED[name], headers=JSON)

    assert refusal(answer) == (400, "invalid_encoding")


# Bodies that are JSON, and odd


@pytest.mark.parametrize(
    "number", ["9223372036854775808", "18446744073709551616", "-9223372036854775809", "1" + "0" * 300, "1e400",
               "-1e400", "1e-400", "1.0000000000000000000000000000000001", "1e2", "-0.0"]
)  # fmt: skip
async def test_a_number_that_is_no_amount_is_refused(http: httpx.AsyncClient, number: str) -> None:
    body = json.dumps(a_body()).replace("12050", number)

    answer = await http.put(NOTICE, content=body, headers=JSON)

    assert [field for field, _ in violations(answer)] == ["amount"]


async def test_a_number_of_ten_thousand_digits_is_refused(http: httpx.AsyncClient) -> None:
    body = json.dumps(a_body()).replace("12050", "9" * 10_000)

    answer = await http.put(NOTICE, content=body, headers=JSON)

    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    ("first", "then", "where", "expected"),
    [
        (b'"amount": 0', b'"amount": 12050', "amount", 12050),
        (b'"description": "A"', b'"description": "B"', "description", "B"),
        (b'"metadata": {"k": "v"}', b'"metadata": {"l": "w"}', "metadata", {"l": "w"}),
        (b'"metadata": {}', b'"metadata": {"k": "v", "k": "w"}', "metadata", {"k": "w"}),
        (b'"iban": 7', b'"iban": null', "iban", POSTAL_IBAN),
    ],
)
async def test_of_a_key_given_twice_the_last_counts(
    http: httpx.AsyncClient, first: bytes, then: bytes, where: str, expected: object
) -> None:
    rest = json.dumps(a_body(**{json.loads(b"{" + first + b"}").popitem()[0]: ...})).encode()
    rest = rest.removeprefix(b"{").removesuffix(b"}")

    answer = await http.put(NOTICE, content=b"{" + first + b", " + rest + b", " + then + b"}", headers=JSON)

    assert (answer.status_code, answer.json()[where]) == (201, expected)


async def test_of_a_key_given_twice_the_last_is_checked(http: httpx.AsyncClient) -> None:
    body = json.dumps(a_body()).encode().removesuffix(b"}") + b', "amount": 0}'

    answer = await http.put(NOTICE, content=body, headers=JSON)

    assert violations(answer) == [("amount", "out_of_range")]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('"\\ud83c\\udfdb"', "\N{CLASSICAL BUILDING}"),
        ('"perch\\u00e9"', "perché"),
        ('"perché"', "perché"),
        ('"\\/\\"\\\\"', '/"\\'),
        ('"a\\u202e\\ufeff"', "a\u202e\ufeff"),
        ('"{amount}%s{0}$(x)"', "{amount}%s{0}$(x)"),
        ('"\'; DROP TABLE notices; --"', "'; DROP TABLE notices; --"),
    ],
)
async def test_a_text_is_kept_as_it_was_written(http: httpx.AsyncClient, written: str, read: str) -> None:
    body = json.dumps(a_body(description="@")).replace('"@"', written)
    await http.put(NOTICE, content=body.encode(), headers=JSON)

    assert (await shown(http))["description"] == read


@pytest.mark.parametrize("value", ["{amount}", "{0}", "{", "}", "%s", "{__class__}"])
@pytest.mark.parametrize("where", ["debtor.type", "debtor.fiscalCode", "dueDate", "iban", "amuont", "payStandIn"])
async def test_a_refused_value_that_looks_like_a_template_is_only_refused(
    http: httpx.AsyncClient, where: str, value: str
) -> None:
    answer = await http.put(NOTICE, json=whole(where, value))

    assert [field for field, _ in violations(answer)] == [where]


@pytest.mark.parametrize("depth", [1, 50, 150])
async def test_a_value_of_bearable_depth_is_of_the_wrong_type(http: httpx.AsyncClient, depth: int) -> None:
    body = json.dumps(a_body(description="@")).replace('"@"', "[" * depth + "]" * depth)

    answer = await http.put(NOTICE, content=body, headers=JSON)

    assert violations(answer) == [("description", "wrong_type")]


async def test_of_many_unknown_fields_a_hundred_are_named(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body(**{f"field{n}": n for n in range(5000)}))

    assert violations(answer) == [("*", "unknown_field")] * 100


# Size


def padded(size: int) -> bytes:
    """Return a notice of so many bytes."""
    body = json.dumps(a_body()).encode()
    return body + b" " * (size - len(body))


async def test_a_body_of_256_kib_is_taken(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, content=padded(MAX_BODY), headers=JSON)

    assert answer.status_code == 201


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("size", [MAX_BODY + 1, 257 * 1024, 10_000_000])
async def test_a_larger_body_is_refused(http: httpx.AsyncClient, method: str, path: str, size: int) -> None:
    answer = await http.request(method, path, content=padded(size), headers=JSON)

    assert refusal(answer) == (413, "body_too_large")


# Media type and encoding


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json", "APPLICATION/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"',
        "application/json ; Charset=Utf-8", "application/json; profile=x; charset=utf-8", " application/json",
    ],
)  # fmt: skip
@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_json_in_utf_8_is_taken(http: httpx.AsyncClient, method: str, path: str, media_type: str) -> None:
    await publish(http)

    answer = await http.request(method, path, content=json.dumps(BODIES[method]), headers={"Content-Type": media_type})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ""},
        {"Content-Type": ";"},
        {"Content-Type": "json"},
        {"Content-Type": "*/*"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "text/json"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "application/x-ndjson"},
        {"Content-Type": "application/problem+json"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json, application/json"},
        {"Content-Type": "text/plain; application/json"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json; charset="},
        {"Content-Type": "application/json; charset"},
        {"Content-Type": "application/json; charset=utf-8; charset=latin-1"},
        {"Content-Type": "application/jsön"},
        {**JSON, "Content-Encoding": "gzip"},
        {**JSON, "Content-Encoding": "GZIP"},
        {**JSON, "Content-Encoding": "deflate"},
        {**JSON, "Content-Encoding": "br, gzip"},
        {**JSON, "Content-Encoding": "nonsense"},
        {**JSON, "Content-Encoding": ""},
        {**JSON, "Content-Encoding": "identity, gzip"},
        {"Content-Type": "application/json; charset=utf 8"},
        {"Content-Type": "application/json; charset=utf8; charset=latin-1"},
    ],
    ids=str,
)
async def test_anything_else_is_not_supported(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    encoded = {name.encode(): value.encode() for name, value in headers.items()}

    answers = await send_all(http, json.dumps(a_body()).encode(), encoded)

    assert {refusal(answer) for answer in answers} == {(415, "unsupported_media_type")}


@pytest.mark.parametrize(("method", "path"), [WRITES[0], WRITES[2]])
async def test_only_patch_takes_a_merge_patch(http: httpx.AsyncClient, method: str, path: str) -> None:
    headers = {"Content-Type": "application/merge-patch+json"}

    answer = await http.request(method, path, content=json.dumps(BODIES[method]), headers=headers)

    assert refusal(answer) == (415, "unsupported_media_type")


async def test_a_compressed_body_is_not_unpacked(http: httpx.AsyncClient) -> None:
    headers = {**JSON, "Content-Encoding": "gzip"}

    answer = await http.put(NOTICE, content=gzip.compress(json.dumps(a_body()).encode()), headers=headers)

    assert refusal(answer) == (415, "unsupported_media_type")


# Addresses

ODD = {
    "an encoded slash": "347%2F000",
    "a control character": "%01",
    "a control character after the number": f"{NUMBER}%01",
    "no encoding": "%zz",
    "a cut encoding": "%",
    "no UTF-8": "%FF",
    "an encoded surrogate": "%ED%A0%80",
    "digits of another script": "%D9%A3%D9%A4" + NUMBER[2:],
    "full-width digits": "%EF%BC%93" + NUMBER[1:],
    "superscript digits": "%C2%B2" + NUMBER[1:],
    "very long": "3" * 8000,
    "dots": "....",
    "encoded dots": "%2E%2E%2E",
    "a blank": "%20",
    "a blank before": f"%20{NUMBER}",
    "a plus": f"+{NUMBER}",
    "a line break": f"{NUMBER}%0A",
    "a semicolon": f"{NUMBER};v=1",
    "a quote": "%27%20OR%201=1--",
    "a wildcard": "%25",
    "a star": "*",
    "braces": "%7Bnav%7D",
    "a reverse solidus": "..%5C..",
    "an accent": "%C3%A9",
}


@pytest.mark.parametrize("name", ODD)
async def test_a_number_that_is_none_names_no_notice(
    http: httpx.AsyncClient, application: Application, name: str
) -> None:
    key = await register_caller(application, "all")
    path = path_of(ODD[name])

    answers = [
        await http.get(path, headers=key),
        await http.get(f"{path}/events", headers=key),
        await http.get(f"{path}?at=2026-11-23T10:00:00Z", headers=key),
        await http.patch(path, json={"amount": 1}, headers=key),
        await http.post(f"{path}/events", json={"type": "closed"}, headers=key),
    ]

    assert {refusal(answer) for answer in answers} == {(404, "notice_not_found")}


@pytest.mark.parametrize("name", ODD)
async def test_a_number_that_is_none_is_not_published(
    http: httpx.AsyncClient, application: Application, name: str
) -> None:
    key = await register_caller(application, "all", grants={EVERY: frozenset({EVERY})})

    answers = [
        await http.put(path_of(ODD[name], institution), json=a_body(), headers=key)
        for institution in (INSTITUTION, COMUNE)
    ]

    assert {refusal(answer) for answer in answers} == {(422, "notice_number")}


@pytest.mark.parametrize("name", ODD)
async def test_an_institution_that_is_none_is_not_registered(
    http: httpx.AsyncClient, application: Application, name: str
) -> None:
    key = await register_caller(application, "all", grants={EVERY: frozenset({EVERY})})

    answers = [
        await http.put(path_of(institution=ODD[name]), json=a_body(), headers=key),
        await http.get(path_of(institution=ODD[name]), headers=key),
        await http.get(notices_of(ODD[name]), headers=key),
    ]

    assert {refusal(answer) for answer in answers} == {(404, "institution_not_found")}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/creditor-institutions", 404),
        ("GET", f"/creditor-institutions/{INSTITUTION}", 404),
        ("GET", f"{NOTICE}/events/1", 404),
        ("GET", f"//creditor-institutions/{INSTITUTION}/notices", 404),
        ("GET", "/creditor-institutions//notices", 404),
        ("PUT", f"{notices_of()}/", 405),
        ("DELETE", NOTICE, 405),
        ("DELETE", notices_of(), 405),
        ("POST", NOTICE, 405),
        ("PUT", EVENTS, 405),
        ("PATCH", EVENTS, 405),
        ("TRACE", NOTICE, 405),
        ("BREW", NOTICE, 405),
    ],
)
async def test_an_unknown_address_or_method_is_refused(
    http: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await http.request(method, path, json=a_body())

    assert answer.status_code == status


# Headers


@pytest.mark.parametrize(
    "given", ["1", "x" * 128, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "a b", '~!"#{}']
)
async def test_a_request_id_is_echoed(http: httpx.AsyncClient, given: str) -> None:
    answer = await http.get(NOTICE, headers={"X-Request-Id": given})

    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize(
    "given", [b"", b"x" * 129, "perché".encode(), b"a\tb", b"a\x7fb", b"\xff", b"a\x00b", b"x" * 9000]
)
async def test_a_request_id_that_cannot_be_echoed_is_replaced(http: httpx.AsyncClient, given: bytes) -> None:
    answer = await http.get(NOTICE, headers=[(b"X-Request-Id", given)])

    made = answer.headers["x-request-id"]
    assert (made.encode() != given, made.isascii(), made.isprintable(), 1 <= len(made) <= 128) == (True,) * 4


async def test_an_id_that_two_requests_have_makes_them_no_single_write(
    http: httpx.AsyncClient, application: Application
) -> None:
    http.headers["X-Request-Id"] = "always the same"
    await publish(http)
    await http.patch(NOTICE, json={"amount": 1})

    first, second = await application.archive.store.history(ADDRESS)
    assert first.write_id != second.write_id


async def test_requests_without_an_id_are_given_different_ones(http: httpx.AsyncClient) -> None:
    given = {(await http.get(NOTICE)).headers["x-request-id"] for _ in range(20)}

    assert len(given) == 20


@pytest.mark.parametrize(
    "tag", ["1-ACTIVE", "1", "W/1-ACTIVE", '"1-ACTIVE', "'1-ACTIVE'", '"1-ACTIVE" "2-ACTIVE"', '"1-ACTIVE",', ""]
)
async def test_a_tag_that_cannot_be_read_is_to_be_sent_as_it_was_received(http: httpx.AsyncClient, tag: str) -> None:
    await publish(http)

    answer = await http.patch(NOTICE, json={"amount": 1}, headers={"If-Match": tag})

    assert refusal(answer) == (400, "invalid_header")
    assert answer.json()["detail"] == (
        "Send in If-Match the ETag as it was received, quotes included, a list of ETags, or *"
    )


@pytest.mark.parametrize("tags", ['"6"', '"33a64df5"', '"01-ACTIVE"', 'W/"1"', '"6", "x"', '""'])
def test_tags_that_the_archive_never_gives_name_no_version(tags: str) -> None:
    assert parse_precondition({"if-match": tags}).versions == frozenset()


@pytest.mark.parametrize(
    "host", ["", "[", "[::1", "]", "a b", "%", "x" * 5000, "archive.test:x", "a/b", "a@b", "//", "\x7f"]
)
async def test_a_host_that_is_none_makes_no_difference(http: httpx.AsyncClient, host: str) -> None:
    answer = await http.put(NOTICE, json=a_body(amount=0), headers={"Host": host})

    assert refusal(answer) == (422, "invalid_body")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Accept", "text/html"),
        ("Accept", "nonsense"),
        ("Accept-Encoding", "br"),
        ("Range", "bytes=0-1"),
        ("If-Modified-Since", "yesterday"),
        ("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("Cookie", "a=" + "b" * 5000),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Forwarded", "for=[::1"),
        ("traceparent", "nonsense"),
    ],
)
async def test_a_header_that_decides_nothing_makes_no_difference(
    http: httpx.AsyncClient, name: str, value: str
) -> None:
    published = await publish(http)

    answer = await http.get(NOTICE, headers={name: value})

    assert (answer.status_code, answer.json()) == (200, published)


# Nothing that was sent is repeated

MARK = "Zqx7RSSMRA80A01H501U"
"""What no error may repeat, in whatever place it was sent."""


MARKED: list[Any] = [MARK, [MARK], {f"{MARK} ": MARK}, {"k": [MARK]}, f"{MARK}\0", f"{{{MARK}}}"]


@pytest.mark.parametrize("where", [where for where in REFUSED if where != "metadata"])
async def test_no_refusal_repeats_a_value(http: httpx.AsyncClient, where: str) -> None:
    await publish(http, path_of(a_number(2)))

    refusals = [
        answer
        for value in MARKED
        for answer in (
            await http.put(NOTICE, json=whole(where, value)),
            await http.patch(path_of(a_number(2)), json=naming(where, value)),
        )
        if answer.is_error
    ]

    assert (len(refusals) > 0, [answer.text for answer in refusals if MARK in answer.text]) == (True, [])


async def test_no_refusal_repeats_what_happened(http: httpx.AsyncClient) -> None:
    await publish(http)

    answers = [
        await http.post(EVENTS, json={"type": value, "reason": [value], "replacedBy": value, "occurredAt": value})
        for value in MARKED
    ]

    assert [answer.text for answer in answers if answer.is_success or MARK in answer.text] == []


@pytest.mark.parametrize(
    "metadata", [{MARK: 7}, {MARK: ""}, {MARK * 9: "v"}, {MARK: MARK * 9}, {f"{MARK}\0": MARK}, [MARK]], ids=repr
)
async def test_no_refusal_repeats_metadata(http: httpx.AsyncClient, metadata: Any) -> None:
    answer = await http.put(NOTICE, json=a_body(metadata=metadata))

    assert (answer.status_code, MARK in answer.text) == (422, False)


@pytest.mark.parametrize(
    "content",
    [
        f'{{"description": "{MARK}"',
        f'"{MARK}',
        MARK,
        f'{{"description": NaN, "{MARK}": 1}}',
        f'{{"a": "{MARK}\\ud800"}}',
    ],
)
async def test_no_refusal_repeats_what_cannot_be_read(http: httpx.AsyncClient, content: str) -> None:
    answer = await http.put(NOTICE, content=content, headers=JSON)

    assert (answer.status_code, MARK in answer.text) == (400, False)


@pytest.mark.parametrize(
    "query",
    [
        f"{name}={MARK}"
        for name in (
            "status",
            "anomaly",
            "dueFrom",
            "dueTo",
            "updatedFrom",
            "updatedTo",
            "limit",
            "cursor",
            "page",
            "tax-code",
        )
    ],
)
async def test_no_refusal_repeats_a_parameter(http: httpx.AsyncClient, query: str) -> None:
    answer = await http.get(f"{notices_of()}?{query}")

    assert (answer.status_code, MARK in answer.text) == (400, False)


@pytest.mark.parametrize("name", [KEY, "If-Match", "If-None-Match", "Content-Type", "Content-Encoding"])
async def test_no_refusal_repeats_a_header(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.put(NOTICE, content=json.dumps(a_body()), headers={**JSON, name: MARK})

    assert (answer.is_client_error, MARK in answer.text) == (True, False)


async def test_no_refusal_repeats_what_is_stored(http: httpx.AsyncClient) -> None:
    await publish(http, debtor={**a_body()["debtor"], "fullName": MARK}, description=MARK, iban=IBAN)

    answers = [
        await http.put(NOTICE, json=a_body(), headers={"If-None-Match": "*"}),
        await http.patch(NOTICE, json={"validFrom": "2027-01-01"}),
        await http.post(EVENTS, json={"type": "closed", "replacedBy": NUMBER}),
    ]

    assert ([answer.is_client_error for answer in answers], [MARK in answer.text for answer in answers]) == (
        [True] * 3,
        [False] * 3,
    )


# Whatever comes

TEXTS = st.text(st.characters(exclude_categories=()), max_size=300) | st.sampled_from(
    [
        "",
        "\0",
        "ANONIMO",
        "2026-12-16",
        "2026-12-16T10:00:00Z",
        IBAN,
        POSTAL_IBAN,
        NUMBER,
        "cancelled",
        "F",
        "47",
        "null",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXTS,
    lambda values: st.lists(values, max_size=7) | st.dictionaries(TEXTS, values, max_size=12),
    max_leaves=12,
)
WHOLE = a_body(
    iban=None, postalIban=None, validFrom="2026-12-01", switchToExpired=True, payStandIn=False, iupd="1",
    companyName="C", officeName="O", metadata={"k": "v"}, iuv=None, occurredAt=None, transfers=[A_STAMP_TRANSFER],
    status="ACTIVE",
)  # fmt: skip
STARTING_POINTS: dict[str, list[Any]] = {
    "PUT": [WHOLE, a_body(), a_body(transfers=[A_TRANSFER], iban=IBAN)],
    "PATCH": [WHOLE, {"debtor": {"fullName": "x"}}, {"metadata": {"k": None}}, {}],
    "POST": [{"type": "cancelled", "reason": "x", "replacedBy": a_number(2), "occurredAt": None}, {"type": "restored"}],
}


@st.composite
def bodies(draw: st.DrawFn, method: str) -> Any:
    """Draw any JSON, or a valid body with some of its parts replaced by any JSON."""
    if draw(st.integers(0, 4)) == 0:
        return draw(VALUES)
    body = json.loads(json.dumps(draw(st.sampled_from(STARTING_POINTS[method]))))
    for _ in range(draw(st.integers(1, 3))):
        part = body
        while isinstance(part, dict | list) and part:
            step = draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
            if not isinstance(part[step], dict | list) or draw(st.booleans()):
                part[step] = draw(VALUES)
                break
            part = part[step]
    return body


ANSWERS = {"PUT": {200, 201, 400, 409, 422}, "PATCH": {200, 400, 409, 422}, "POST": {200, 400, 409, 422}}
CODES = {error.code for error in catalogue()}
WHATEVER = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def is_documented(method: str, answer: httpx.Response) -> bool:
    """Tell whether the answer is one that the contract has for the method."""
    if answer.is_success:
        return answer.status_code in ANSWERS[method] and answer.json()["noticeNumber"] == NUMBER
    problem = answer.json()
    return (
        answer.status_code in ANSWERS[method]
        and answer.headers["content-type"] == "application/problem+json"
        and problem["code"] in CODES
        and all(broken["code"] in VIOLATIONS for broken in problem.get("violations", []))
    )


@WHATEVER
@given(body=bodies("PUT"))
async def test_whatever_is_published_the_answer_is_a_documented_one(http: httpx.AsyncClient, body: Any) -> None:
    answer = await http.put(NOTICE, content=json.dumps(body), headers=JSON)

    assert is_documented("PUT", answer), answer.text


@WHATEVER
@given(body=bodies("PATCH"))
async def test_whatever_is_amended_the_answer_is_a_documented_one(http: httpx.AsyncClient, body: Any) -> None:
    await publish(http, metadata={"k": "v"})

    answer = await http.patch(NOTICE, content=json.dumps(body), headers=JSON)

    assert is_documented("PATCH", answer), answer.text


@WHATEVER
@given(body=bodies("POST"))
async def test_whatever_is_declared_the_answer_is_a_documented_one(http: httpx.AsyncClient, body: Any) -> None:
    await http.put(NOTICE, json=a_body())

    answer = await http.post(EVENTS, content=json.dumps(body), headers=JSON)

    assert is_documented("POST", answer), answer.text


@WHATEVER
@given(content=st.binary(max_size=60) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")))
async def test_whatever_bytes_come_the_answer_is_a_documented_one(http: httpx.AsyncClient, content: bytes) -> None:
    answer = await http.put(NOTICE, content=content, headers=JSON)

    assert is_documented("PUT", answer), answer.text


@WHATEVER
@given(query=st.dictionaries(
    st.sampled_from(["status", "anomaly", "dueFrom", "dueTo", "updatedFrom", "updatedTo", "limit", "cursor"]),
    st.text(max_size=40) | st.sampled_from(["ACTIVE", "true", "2026-12-16", "2026-12-16T10:00:00Z", "7", "W10"]),
    max_size=3,
))  # fmt: skip
async def test_whatever_is_searched_for_the_answer_is_a_documented_one(
    http: httpx.AsyncClient, query: dict[str, str]
) -> None:
    answer = await http.get(notices_of(), params=query)

    assert answer.status_code == 200 or refusal(answer) in ((400, "invalid_parameter"), (400, "invalid_cursor"))


async def test_after_all_of_it_the_next_request_is_served(http: httpx.AsyncClient) -> None:
    for content in (*NOT_JSON.values(), *NOT_UTF_8.values(), *MISENCODED.values(), padded(MAX_BODY + 1)):
        await send_all(http, content)
    for number in ODD.values():
        await http.put(path_of(number, COMUNE), json=a_body())

    answer = await http.put(NOTICE, json=a_body())

    assert answer.status_code == 201
