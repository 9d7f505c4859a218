"""Which size, media type and encoding a body may have."""

import gzip
import json

import httpx
import pytest

from tests.functions.bad_input import MAX_BODY, WRITES, padded, send_all
from tests.functions.client import BODIES, JSON, NOTICE, publish, refusal
from tests.support import a_body

# Size


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
