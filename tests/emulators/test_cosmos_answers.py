"""Where the double must not be kinder than the service, and what the Python SDK would not notice."""

import json
from base64 import b64decode

import httpx
import pytest

from emulators.cosmos import CosmosDouble, Fault, charges
from tests.emulators.plain_client import BATCH, CONTAINER, DOCS, ITEM, Client


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


async def test_the_body_of_a_patch_may_be_the_list_of_its_operations(client: Client) -> None:
    """The SDK for JavaScript sends a patch without a condition like that, and its own tests expect 200."""
    response = await client.send("PATCH", f"{DOCS}/a", [{"op": "incr", "path": "/n", "value": 2}])

    assert (response.status_code, response.json()["n"]) == (200, 3)
    assert (await client.send("PATCH", f"{DOCS}/a", [])).status_code == 400
    assert (await client.send("PATCH", f"{DOCS}/a", [1])).status_code == 400


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


@pytest.mark.parametrize(
    "path",
    ["/", "/dbs", "/dbs/archive", "/dbs/archive/colls", "/dbs/archive/colls/notices/pkranges", f"{DOCS}/a", DOCS],
)
async def test_every_answer_has_a_request_charge(client: Client, path: str) -> None:
    response = await client.send("GET", path)

    assert response.status_code == 200
    assert float(response.headers["x-ms-request-charge"]) >= 0


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


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_items_that_are_equal_are_given_once_over_the_pages(client: Client, direction: str) -> None:
    names = ["b", "c", "d", "e"]
    for name in names:
        await client.send("POST", DOCS, ITEM | {"id": name})

    given: list[str] = []
    page: httpx.Response | None = None
    for _ in range(3):
        further = leading_on(page) if page is not None else {}
        page = await client.ask(f"SELECT * FROM c ORDER BY c.n {direction}", **{"x-ms-max-item-count": "2"}, **further)
        given += found(page)

    assert given == (["a", *names] if direction == "ASC" else [*reversed(names), "a"])


async def test_what_a_query_looks_at_is_charged_once_for_all_its_pages(client: Client) -> None:
    for name in ("b", "c"):
        await client.send("POST", DOCS, ITEM | {"id": name})

    first = await client.ask("SELECT * FROM c", **{"x-ms-max-item-count": "2"})
    second = await client.ask("SELECT * FROM c", **leading_on(first))

    assert float(first.headers["x-ms-request-charge"]) == charges.query(3, 2)
    assert float(second.headers["x-ms-request-charge"]) == charges.query(0, 1)


async def test_a_client_can_tell_what_a_rid_is_of(client: Client) -> None:
    container = b64decode((await client.send("GET", "/dbs/archive/colls/notices")).json()["_rid"], b"+-")
    item = b64decode((await client.send("GET", f"{DOCS}/a")).json()["_rid"], b"+-")

    assert container[4] & 0x80
    assert (item[:8], int.from_bytes(item[8:], "little")) == (container, 1)


async def test_a_replica_may_lag_behind_by_ten_transactions(client: Client, double: CosmosDouble) -> None:
    for n in range(2, 15):
        await client.send("PUT", f"{DOCS}/a", ITEM | {"n": n})
    double.inject(Fault("Read", stale=10, times=None))

    assert (await client.send("GET", f"{DOCS}/a")).json()["n"] == 4
    session = {"x-ms-session-token": "0:-1#6"}
    assert (await client.send("GET", f"{DOCS}/a", **session)).json()["n"] == 6


async def test_an_operation_of_a_batch_says_why_it_failed(client: Client) -> None:
    elsewhere = {"operationType": "Create", "resourceBody": ITEM | {"id": "b", "number": "2"}}

    (result,) = (await client.send("POST", DOCS, [elsewhere], **BATCH)).json()

    assert (result["statusCode"], result["subStatusCode"]) == (400, 1001)


async def test_if_match_with_a_star_wants_the_item_to_be_there(client: Client) -> None:
    any_of_them = {"if-match": "*"}

    assert (await client.send("PUT", f"{DOCS}/a", ITEM, **any_of_them)).status_code == 200
    assert (await client.send("DELETE", f"{DOCS}/none", **any_of_them)).status_code == 404


def leading_on(page: httpx.Response) -> dict[str, str]:
    """Return the header with which a query goes on after a page."""
    return {"x-ms-continuation": page.headers["x-ms-continuation"]}


def found(page: httpx.Response) -> list[str]:
    """Return the ids of the items of a page."""
    return [item["id"] for item in page.json()["Documents"]]
