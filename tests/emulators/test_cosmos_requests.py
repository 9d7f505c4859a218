"""Requests that the SDK does not send: malformed ones, and what the double refuses by name."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from tests.emulators.plain_client import BATCH, CONTAINER, DOCS, ITEM, QUERY, Client

PLAN = {"x-ms-cosmos-is-query-plan-request": "True", "x-ms-documentdb-query-enablecrosspartition": "True"}
ACROSS = QUERY | {"x-ms-documentdb-query-enablecrosspartition": "True"}
PATCH = {"operations": [{"op": "set", "path": "/n", "value": 2}], "condition": "from c where c.n = 1"}
ACCENTED = "\\u00e0"
"""Two bytes, as JSON in a header writes them."""
OPERATIONS = [
    {"operationType": "Create", "resourceBody": ITEM | {"id": "b"}},
    {"operationType": "Read", "id": "a"},
    {"operationType": "Replace", "id": "a", "resourceBody": ITEM, "ifMatch": "*"},
    {"operationType": "Patch", "id": "a", "resourceBody": PATCH},
    {"operationType": "Delete", "id": "b"},
]
OTHERS: list[Any] = [..., None, True, -1, 1.5, 10**30, "", "x", [], [1], {}, {"a": [{}]}]
ASKED = {"query": "SELECT * FROM c WHERE c.n = @n", "parameters": [{"name": "@n", "value": 1}]}


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("POST", DOCS, b"{", {}),
        ("POST", DOCS, b'{"id": "b", "n": NaN}', {}),
        ("POST", DOCS, b'{"id": "b\xff"}', {}),
        ("POST", DOCS, [], {}),
        ("PUT", f"{DOCS}/a", b"", {}),
        ("PATCH", f"{DOCS}/a", {}, {}),
        ("PATCH", f"{DOCS}/a", {"operations": []}, {}),
        ("PATCH", f"{DOCS}/a", {"operations": [{"op": "set", "path": "/n"}]}, {}),
        ("PATCH", f"{DOCS}/a", {"operations": [{"op": "incr", "path": "/n", "value": "1"}]}, {}),
        ("PATCH", f"{DOCS}/a", {"operations": [{"op": "move", "from": "/none", "path": "/n"}]}, {}),
        ("PATCH", f"{DOCS}/a", PATCH | {"condition": "where"}, {}),
        ("POST", DOCS, {}, BATCH),
        ("POST", DOCS, ["Create"], BATCH),
        ("POST", DOCS, [{"operationType": "Read"}], BATCH),
        ("POST", DOCS, [{"operationType": "Replace", "id": "a"}], BATCH),
        ("POST", DOCS, {"parameters": []}, QUERY),
        ("POST", DOCS, ASKED | {"parameters": [{"name": "@n"}]}, QUERY),
        ("POST", DOCS, {"query": f"SELECT * FROM c WHERE {'(' * 5000}1{')' * 5000}"}, QUERY),
        ("POST", DOCS, {"query": "SELECT * FROM c WHERE n = 1"}, QUERY),
        ("POST", DOCS, ASKED, QUERY | {"x-ms-max-item-count": "many"}),
        ("POST", DOCS, ASKED, QUERY | {"x-ms-continuation": "e30="[:-1]}),
        ("POST", DOCS, ASKED, QUERY | {"x-ms-continuation": "W10="}),
        ("POST", DOCS, ASKED, QUERY | {"x-ms-consistency-level": "Strong"}),
        ("GET", f"{DOCS}/a", None, {"x-ms-session-token": "0:-1#far"}),
        ("GET", f"{DOCS}/a", None, {"x-ms-documentdb-partitionkey": "77777777777"}),
        ("GET", f"{DOCS}/a", None, {"x-ms-documentdb-partitionkey": '["77777777777"]'}),
        ("GET", f"{DOCS}/a", None, {"x-ms-documentdb-partitionkey": '["77777777777",{"a":1}]'}),
        ("GET", f"{DOCS}/a", None, {"x-ms-documentdb-partitionkey": f'["77777777777","{"x" * 2049}"]'}),
        ("GET", f"{DOCS}/a", None, {"x-ms-documentdb-partitionkey": f'["77777777777","{ACCENTED * 1100}"]'}),
        ("GET", DOCS, None, {"a-im": "Incremental Feed", "if-none-match": '"abc"'}),
        ("GET", DOCS, None, {"a-im": "Incremental Feed", "if-modified-since": "yesterday"}),
        ("POST", "/dbs", {}, {}),
        ("POST", "/dbs", {"id": "a/b"}, {}),
        ("POST", "/dbs/archive/colls", {"id": "b"}, {}),
        ("POST", "/dbs/archive/colls", CONTAINER | {"id": "b", "defaultTtl": 0}, {}),
    ],
)
async def test_a_malformed_request_is_refused_with_400(
    client: Client, method: str, path: str, body: object, headers: dict[str, str]
) -> None:
    response = await client.send(method, path, body, **headers)

    assert response.status_code == 400, response.text
    assert float(response.headers["x-ms-request-charge"]) > 0


@pytest.mark.parametrize(
    ("method", "path", "valid", "headers"),
    [
        ("POST", DOCS, ITEM | {"id": "b", "ttl": 5}, {}),
        ("PATCH", f"{DOCS}/a", PATCH, {}),
        ("POST", DOCS, OPERATIONS, BATCH),
        ("POST", DOCS, ASKED, QUERY),
        ("POST", DOCS, ASKED, PLAN),
        ("POST", "/dbs/archive/colls", CONTAINER | {"id": "another"}, {}),
    ],
)
async def test_no_value_in_the_place_of_another_makes_the_double_fail(
    client: Client, method: str, path: str, valid: Any, headers: dict[str, str]
) -> None:
    for body in spoilt(valid):
        response = await client.send(method, path, body, **headers)
        assert response.status_code != 500, body


@pytest.mark.parametrize(
    "name",
    [
        "x-ms-documentdb-partitionkey",
        "x-ms-documentdb-partitionkeyrangeid",
        "x-ms-start-epk",
        "x-ms-max-item-count",
        "x-ms-continuation",
        "x-ms-session-token",
        "x-ms-activity-id",
        "x-ms-consistency-level",
        "x-ms-cosmos-intended-collection-rid",
        "authorization",
        "if-match",
        "if-none-match",
        "if-modified-since",
        "a-im",
        "prefer",
    ],
)
async def test_no_header_makes_the_double_fail(client: Client, name: str) -> None:
    for value in ("", "-1", "1e9", "#", "0:#", "[[]]", '"', "\u00e9", "AAAA", "x" * 300):
        for method, path, body in (("GET", f"{DOCS}/a", b""), ("GET", DOCS, b""), ("PUT", f"{DOCS}/a", b"{}")):
            response = await client.http.request(method, path, content=body, headers={name.encode(): value.encode()})
            assert response.status_code != 500, (method, path, value)


@pytest.mark.parametrize(
    "path", ["/", "/dbs", "/dbs/x", DOCS, f"{DOCS}/a", f"{DOCS}/%ff", f"{DOCS}/a/x", f"{DOCS}/a/x/y"]
)
async def test_no_method_makes_the_double_fail(client: Client, path: str) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
        assert (await client.send(method, path, {})).status_code != 500, method


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("PUT", DOCS, ITEM, {}),
        ("DELETE", DOCS, {}, {}),
        ("POST", f"{DOCS}/b", ITEM, {}),
        ("POST", DOCS, ITEM, {"x-ms-documentdb-is-upsert": "true", "if-none-match": "*"}),
        ("POST", "/dbs/archive/colls", CONTAINER | {"id": "b", "partitionKey": {"paths": ["/key"]}}, {}),
        ("POST", "/dbs/archive/colls", CONTAINER | {"id": "b", "uniqueKeyPolicy": {}}, {}),
        ("POST", DOCS, {"query": "SELECT COUNT(1) AS n FROM c"}, ACROSS),
        ("POST", DOCS, {"query": "SELECT VALUE MIN(c.n) FROM c"}, PLAN),
        ("POST", DOCS, {"query": "SELECT * FROM t IN c.tags"}, QUERY),
    ],
)
async def test_what_the_service_may_do_otherwise_is_refused_by_name(
    client: Client, method: str, path: str, body: object, headers: dict[str, str]
) -> None:
    response = await client.send(method, path, body, **headers)

    assert response.status_code == 501, response.text
    assert "does not implement" in response.json()["message"]


def spoilt(valid: Any) -> Iterator[Any]:
    """Yield the JSON with one value after the other taken out or replaced by each of some others."""
    for place in places(valid, ()):
        for other in OTHERS:
            body = deepcopy(valid)
            parent = body
            for step in place[:-1]:
                parent = parent[step]
            if other is ...:
                del parent[place[-1]]
            else:
                parent[place[-1]] = other
            yield body


def places(value: Any, place: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield the place of each value inside another."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in inner:
        yield (*place, step)
        yield from places(each, (*place, step))
