"""Requests that the SDK does not send: malformed ones, and those that show what the double must not be kind about."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.emulators.cosmos import CosmosDouble, Fault

KEY = '["77777777777","1"]'
DOCS = "/dbs/archive/colls/notices/docs"
ITEM = {"id": "a", "institution": "77777777777", "number": "1", "n": 1}
CONTAINER: dict[str, Any] = {
    "id": "notices",
    "partitionKey": {"paths": ["/institution", "/number"], "kind": "MultiHash", "version": 2},
    "indexingPolicy": {
        "indexingMode": "consistent",
        "includedPaths": [{"path": "/n/?"}],
        "excludedPaths": [{"path": "/*"}],
        "compositeIndexes": [[{"path": "/n", "order": "ascending"}, {"path": "/id", "order": "descending"}]],
    },
    "defaultTtl": -1,
}
BATCH = {"x-ms-cosmos-is-batch-request": "True", "x-ms-cosmos-batch-atomic": "True"}
QUERY = {"x-ms-documentdb-isquery": "true", "content-type": "application/query+json"}
PLAN = {"x-ms-cosmos-is-query-plan-request": "True", "x-ms-documentdb-query-enablecrosspartition": "True"}
ACROSS = QUERY | {"x-ms-documentdb-query-enablecrosspartition": "True"}
PATCH = {"operations": [{"op": "set", "path": "/n", "value": 2}], "condition": "from c where c.n = 1"}
OPERATIONS = [
    {"operationType": "Create", "resourceBody": ITEM | {"id": "b"}},
    {"operationType": "Read", "id": "a"},
    {"operationType": "Replace", "id": "a", "resourceBody": ITEM, "ifMatch": "*"},
    {"operationType": "Patch", "id": "a", "resourceBody": PATCH},
    {"operationType": "Delete", "id": "b"},
]
OTHERS: list[Any] = [..., None, True, -1, 1.5, 10**30, "", "x", [], [1], {}, {"a": [{}]}]
ASKED = {"query": "SELECT * FROM c WHERE c.n = @n", "parameters": [{"name": "@n", "value": 1}]}


@dataclass(frozen=True, slots=True)
class Client:
    """A client that sends what it is told to."""

    http: httpx.AsyncClient

    async def send(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Send a request, with a partition key unless the headers say otherwise; a body that is no text is JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"x-ms-documentdb-partitionkey": KEY} | {name: value for name, value in headers.items() if value}
        if headers.get("x-ms-documentdb-partitionkey") == "":
            del named["x-ms-documentdb-partitionkey"]
        return await self.http.request(method, path, content=content, headers=named)

    async def ask(self, query: str, **headers: str) -> httpx.Response:
        """Send a query."""
        return await self.send("POST", DOCS, {"query": query}, **(QUERY | headers))


@pytest.fixture
async def double() -> AsyncIterator[CosmosDouble]:
    """Yield a double that takes a token in place of a signature."""
    async with CosmosDouble.started(token="t") as double:
        yield double


@pytest.fixture
async def client(double: CosmosDouble) -> AsyncIterator[Client]:
    """Yield a client of a container with one item."""
    signed = {"authorization": "type%3Daad%26ver%3D1.0%26sig%3Dt"}
    async with httpx.AsyncClient(base_url=double.endpoint, headers=signed) as http:
        client = Client(http)
        assert (await client.send("POST", "/dbs", {"id": "archive"})).status_code == 201
        assert (await client.send("POST", "/dbs/archive/colls", CONTAINER)).status_code == 201
        assert (await client.send("POST", DOCS, ITEM)).status_code == 201
        yield client


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


async def test_the_first_values_of_a_key_are_no_partition_key(client: Client) -> None:
    response = await client.ask("SELECT * FROM c", **{"x-ms-documentdb-partitionkey": '["77777777777"]'})

    assert (response.status_code, response.headers["x-ms-substatus"]) == (400, "1001")


async def test_a_query_that_needs_a_plan_is_refused_with_the_plan(client: Client) -> None:
    across = {"x-ms-documentdb-partitionkey": "", "x-ms-documentdb-query-enablecrosspartition": "True"}
    response = await client.ask("SELECT TOP 1 * FROM c", **across)

    assert (response.status_code, response.headers["x-ms-substatus"]) == (400, "1004")
    assert json.loads(response.json()["additionalErrorInfo"])["queryInfo"]["top"] == 1


async def test_a_creation_ignores_if_match(client: Client) -> None:
    assert (await client.send("POST", DOCS, ITEM | {"id": "b"}, **{"if-match": '"stale"'})).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", f"{DOCS}/none", None, {}, 404),
        ("POST", DOCS, ITEM, {}, 409),
        ("PUT", f"{DOCS}/a", ITEM, {"if-match": '"stale"'}, 412),
    ],
)
async def test_a_refusal_carries_the_session_that_it_was_decided_in(
    client: Client, method: str, path: str, body: object, headers: dict[str, str], status: int
) -> None:
    response = await client.send(method, path, body, **headers)

    assert (response.status_code, response.headers["x-ms-session-token"]) == (status, "0:-1#1")


async def test_every_write_is_one_transaction_and_a_refused_one_none(client: Client) -> None:
    expected = 1
    for method, path, body, headers, transactions in (
        ("POST", DOCS, ITEM | {"id": "b"}, {}, 1),
        ("PUT", f"{DOCS}/a", ITEM, {}, 1),
        ("POST", DOCS, ITEM, {}, 0),
        ("PUT", f"{DOCS}/a", ITEM, {"if-match": '"stale"'}, 0),
        ("POST", DOCS, [{"operationType": "Delete", "id": "b"}, {"operationType": "Read", "id": "a"}], BATCH, 1),
        ("POST", DOCS, [{"operationType": "Read", "id": "a"}], BATCH, 0),
        ("POST", DOCS, [{"operationType": "Delete", "id": "a"}, {"operationType": "Read", "id": "a"}], BATCH, 0),
        ("DELETE", f"{DOCS}/a", None, {}, 1),
    ):
        await client.send(method, path, body, **headers)
        expected += transactions
        lsn = (await client.send("GET", f"{DOCS}/none")).headers["lsn"]
        assert (method, body, lsn) == (method, body, str(expected))


async def test_a_container_made_anew_refuses_the_clients_of_the_old_one(client: Client) -> None:
    old = (await client.send("GET", "/dbs/archive/colls/notices")).json()["_rid"]
    await client.send("DELETE", "/dbs/archive/colls/notices")
    await client.send("POST", "/dbs/archive/colls", CONTAINER)
    new = (await client.send("GET", "/dbs/archive/colls/notices")).json()["_rid"]

    for method, path, body in (("POST", DOCS, ITEM), ("GET", f"{DOCS}/a", None), ("GET", DOCS, None)):
        refused = await client.send(method, path, body, **{"x-ms-cosmos-intended-collection-rid": old})
        assert (refused.status_code, refused.headers["x-ms-substatus"]) == (400, "1024")
        answered = await client.send(method, path, body, **{"x-ms-cosmos-intended-collection-rid": new})
        assert answered.status_code in (200, 201)


async def test_12_and_12_0_are_one_partition_key(client: Client) -> None:
    made = {"x-ms-documentdb-partitionkey": '["77777777777",12]'}
    await client.send("POST", DOCS, ITEM | {"number": 12}, **made)

    for text in ("12.0", "1.2e1"):
        read = await client.send("GET", f"{DOCS}/a", **{"x-ms-documentdb-partitionkey": f'["77777777777",{text}]'})
        assert read.status_code == 200


async def test_an_answer_to_a_batch_holds_4_mb_at_most(client: Client) -> None:
    await client.send("POST", DOCS, ITEM | {"id": "large", "text": "x" * 1_000_000})
    reads = [{"operationType": "Read", "id": "large"}]

    few = await client.send("POST", DOCS, reads * 4, **BATCH)
    many = await client.send("POST", DOCS, reads * 6, **BATCH)

    assert few.status_code == 200
    assert [result["statusCode"] for result in many.json()] == [424, 424, 424, 424, 413, 424]


async def test_pages_hold_4_mb_at_most(client: Client) -> None:
    for n in range(6):
        await client.send("POST", DOCS, ITEM | {"id": str(n), "text": "x" * 1_000_000})

    page = await client.ask("SELECT * FROM c", **{"x-ms-max-item-count": "-1"})
    feed = await client.send("GET", DOCS, **{"a-im": "Incremental Feed", "x-ms-max-item-count": "-1"})
    rest = await client.send("GET", DOCS, **{"a-im": "Incremental Feed", "if-none-match": feed.headers["etag"]})

    assert len(page.json()["Documents"]) == 5
    assert page.headers["x-ms-continuation"]
    assert [item["id"] for item in feed.json()["Documents"]] == ["a", "0", "1", "2", "3"]
    assert [item["id"] for item in rest.json()["Documents"]] == ["4", "5"]


async def test_a_page_that_a_rule_cuts_is_empty_and_leads_on(client: Client, double: CosmosDouble) -> None:
    double.inject(Fault("Query", page=0), Fault("ChangeFeed", page=0))

    empty = await client.ask("SELECT * FROM c")
    rest = await client.ask("SELECT * FROM c", **{"x-ms-continuation": empty.headers["x-ms-continuation"]})
    nothing = await client.send("GET", DOCS, **{"a-im": "Incremental Feed"})
    more = await client.send("GET", DOCS, **{"a-im": "Incremental Feed", "if-none-match": nothing.headers["etag"]})

    assert empty.json()["Documents"] == []
    assert [item["id"] for item in rest.json()["Documents"]] == ["a"]
    assert "x-ms-continuation" not in rest.headers
    assert nothing.status_code == 304
    assert [item["id"] for item in more.json()["Documents"]] == ["a"]


async def test_a_query_goes_on_after_the_last_item_whatever_is_written_meanwhile(client: Client) -> None:
    for n in range(2, 7):
        await client.send("POST", DOCS, ITEM | {"id": str(n), "n": n})
    one = {"x-ms-max-item-count": "2"}

    first = await client.ask("SELECT * FROM c ORDER BY c.n", **one)
    for name in ("0", "00"):
        await client.send("POST", DOCS, ITEM | {"id": name, "n": 0})
    await client.send("DELETE", f"{DOCS}/2")
    second = await client.ask("SELECT * FROM c ORDER BY c.n", **one, **leading_on(first))
    third = await client.ask("SELECT * FROM c ORDER BY c.n", **one, **leading_on(second))

    assert [found(page) for page in (first, second, third)] == [["a", "2"], ["3", "4"], ["5", "6"]]


async def test_a_limited_query_goes_on_to_its_limit(client: Client) -> None:
    for n in range(2, 7):
        await client.send("POST", DOCS, ITEM | {"id": str(n), "n": n})
    for limit, expected in (("TOP 3 *", [["a", "2"], ["3"]]), ("*", [["2", "3"], ["4"]])):
        query = f"SELECT {limit} FROM c ORDER BY c.n" + ("" if "TOP" in limit else " OFFSET 1 LIMIT 3")
        first = await client.ask(query, **{"x-ms-max-item-count": "2"})
        second = await client.ask(query, **{"x-ms-max-item-count": "2"}, **leading_on(first))
        assert [found(first), found(second)] == expected
        assert "x-ms-continuation" not in second.headers


async def test_items_that_are_equal_are_listed_by_their_rid_in_the_direction_of_the_order(client: Client) -> None:
    for name in ("b", "c"):
        await client.send("POST", DOCS, ITEM | {"id": name})

    assert found(await client.ask("SELECT * FROM c ORDER BY c.n")) == ["a", "b", "c"]
    assert found(await client.ask("SELECT * FROM c ORDER BY c.n DESC")) == ["c", "b", "a"]


async def test_a_client_can_tell_what_a_rid_is_of(client: Client) -> None:
    container = b64decode((await client.send("GET", "/dbs/archive/colls/notices")).json()["_rid"], b"+-")
    item = b64decode((await client.send("GET", f"{DOCS}/a")).json()["_rid"], b"+-")

    assert container[4] & 0x80
    assert (item[:8], int.from_bytes(item[8:], "little")) == (container, 1)


def leading_on(page: httpx.Response) -> dict[str, str]:
    """Return the header with which a query goes on after a page."""
    return {"x-ms-continuation": page.headers["x-ms-continuation"]}


def found(page: httpx.Response) -> list[str]:
    """Return the ids of the items of a page."""
    return [item["id"] for item in page.json()["Documents"]]


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
