"""A body that cannot be read is refused with the place and the reason, never with the text."""

import json

import httpx
import pytest
from hypothesis import given, strategies as st

from shared.errors import InvalidEncoding, InvalidJson
from shared.wire.parsing import parse_json
from tests.functions.bad_input import MISENCODED, NOT_JSON, NOT_UTF_8, WRITES, send_all
from tests.functions.client import BODIES, JSON, NOTICE, refusal
from tests.support import a_body


@pytest.mark.parametrize("name", NOT_JSON)
async def test_a_body_that_is_not_json_is_refused(http: httpx.AsyncClient, name: str) -> None:
    answers = await send_all(http, NOT_JSON[name])

    assert {refusal(answer) for answer in answers} == {(400, "invalid_json")}


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


# The place and the reason


def detail(body: bytes) -> str:
    """The detail with which a body is refused."""
    with pytest.raises((InvalidJson, InvalidEncoding)) as refusal:
        parse_json(body)
    return refusal.value.detail


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "Send one JSON object: the body is empty"),
        (b" \r\n\t ", "Send one JSON object: the body is empty"),
        (b'{"amount": 12050,}', "Correct line 1, column 18: a comma stands before a closing bracket"),
        (b'{\n "amount": 12050,\n}', "Correct line 3, column 1: a comma stands before a closing bracket"),
        (b'{\r\n "transfers": [1,]}', "Correct line 2, column 18: a comma stands before a closing bracket"),
        ('{"iban": "perch\u00e9", }'.encode(), "Correct line 1, column 20: a comma stands before a closing bracket"),
        (b'{"amount": 12050', "Correct line 1, column 16: the body ends before its JSON does"),
        (b'{"description": "TARI', "Correct line 1, column 21: the body ends before its JSON does"),
        (b'{"amount": 12050}\n{}', "Correct line 2, column 1: something follows the JSON value"),
        (b'{"amount": NaN}', "Correct line 1, column 12: NaN and Infinity are not JSON"),
        (b'{"amount": -Infinity}', "Correct line 1, column 13: NaN and Infinity are not JSON"),
        (b"{'amount': 1}", "Correct line 1, column 2: texts and names stand in double quotes"),
        (b'{"iban": \'IT\'}', "Correct line 1, column 10: texts and names stand in double quotes"),
        (b"{amount: 1}", "Correct line 1, column 2: the name of a field in double quotes is expected"),
        (b'{"amount" 1}', "Correct line 1, column 11: a colon is expected after the name of a field"),
        (b'{"amount": 1 "iban": 2}', "Correct line 1, column 14: a comma or a closing brace is expected"),
        (b"[1 2]", "Correct line 1, column 4: a comma or a closing bracket is expected"),
        (b'{"amount": }', "Correct line 1, column 12: a value is expected"),
        (b'{"amount": 012}', "Correct line 1, column 13: a number is written wrongly"),
        (b'{"amount": 1 // cents\n}', "Correct line 1, column 14: comments are not JSON"),
        (b'{"payStandIn": True}', "Correct line 1, column 16: true, false and null are written so, in lower case"),
        (b'{"payStandIn": trou}', "Correct line 1, column 18: true, false or null is not spelled so"),
        (b'{"description": "a\nb"}',
         "Correct line 1, column 19: a control character in a text is written as an escape, such as \\n"),
        (b'{"description": "\\x41"}', "Correct line 1, column 19: an escape in a text is not known"),
        (b"9" * 5000, "Correct line 1, column 4302: a number is too long"),
        (b"[" * 300, "Correct line 1, column 202: objects and lists are nested too deeply"),
        (b"\xef\xbb\xbf{}", "Leave out the byte order mark, the bytes EF BB BF with which the body begins"),
        ('{"iban": "perch\u00e9"}'.encode("latin-1"), "Encode the body in UTF-8: the character at byte 16 is not"),
        (b'{"description": "\xe2\x82"}', "Encode the body in UTF-8: the character at byte 18 is not"),
        (json.dumps(a_body()).encode("utf-16"), "Encode the body in UTF-8: the character at byte 1 is not"),
        (b'{"a": "\\ud800"}', "Send both escapes of a surrogate pair: the one at byte 8 is alone"),
        (b'{"a": "x\\uDC00y"}', "Send both escapes of a surrogate pair: the one at byte 9 is alone"),
        (b'{"a":\n"\\ud83da"}', "Send both escapes of a surrogate pair: the one at byte 8 is alone"),
        (b'{"a": "\\ud83d\\n"}', "Send both escapes of a surrogate pair: the one at byte 8 is alone"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_told_where_and_why(body: bytes, expected: str) -> None:
    assert detail(body) == expected


async def test_the_place_and_the_reason_are_answered(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, content=b'{"amount": 12050,}', headers=JSON)

    problem = answer.json()
    assert (problem["code"], problem["detail"]) == (
        "invalid_json",
        "Correct line 1, column 18: a comma stands before a closing bracket",
    )


@pytest.mark.parametrize("charset", ["utf8", "UTF8", '"utf8"', "utf-8"])
async def test_utf_8_may_be_named_without_its_hyphen(http: httpx.AsyncClient, charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}

    answer = await http.put(NOTICE, content=json.dumps(a_body()), headers=headers)

    assert answer.status_code == 201


VALID = json.dumps(
    a_body(companyName="Citt\u00e0 \N{CLASSICAL BUILDING}", metadata={"k": "\u00e8"}), ensure_ascii=False
).encode()


@given(st.integers(0, len(VALID) - 1), st.binary(max_size=3), st.integers(0, 2))
def test_every_change_of_a_body_is_read_or_refused_with_a_place(at: int, put: bytes, taken: int) -> None:
    changed = VALID[:at] + put + VALID[at + taken :]
    try:
        parse_json(changed)
    except (InvalidJson, InvalidEncoding) as refusal:
        assert any(word in refusal.detail for word in ("line", "byte", "empty"))  # noqa: PT017  both are right
        assert "TARI" not in refusal.detail  # noqa: PT017
