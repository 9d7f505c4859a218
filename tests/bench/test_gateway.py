"""The gateway of the bench: an archive works on it as on the double, and each answer is the double's."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.cosmos.aio import ContainerProxy, CosmosClient

from bench.gateway import KEY, Gateway
from local.cosmos import make_containers
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.ports import NoticeStore
from shared.settings import CosmosStore
from tests.contracts.notice_store import NoticeStoreContract
from tests.stores import an_account

ONE = {"id": "notice", "creditorInstitution": "15376371009", "noticeNumber": "347000000000000124", "status": "ACTIVE"}
EVENT = {**ONE, "id": "event-00000001"}
PLACE = [ONE["creditorInstitution"], ONE["noticeNumber"]]
CHANGING = frozenset({"_etag", "_rid", "_self", "_ts", "eTag", "id", "message", "name", "databaseAccountEndpoint"})
"""Fields whose values differ from one service to another."""
OF_ANY_SERVER = frozenset({"connection", "content-length", "date", "server", "transfer-encoding"})


@asynccontextmanager
async def an_instant_account(consistency: str = "BoundedStaleness") -> AsyncIterator[CosmosStore]:
    """Yield a gateway with the containers of the archive."""
    gateway = Gateway(consistency)
    await gateway.start()
    account = CosmosStore(gateway.endpoint, "archive", KEY)
    await make_containers(account)
    yield account
    await gateway.close()


class TestNoticeStoreOnTheGateway(NoticeStoreContract):
    """NoticeStore on Cosmos DB, with the gateway in the place of the service."""

    @pytest.fixture
    async def store(self) -> AsyncIterator[NoticeStore]:
        async with an_instant_account() as account:
            cosmos = Cosmos(account, budget=60)
            yield CosmosNoticeStore(cosmos)
            await cosmos.close()


async def _creations(notices: ContainerProxy) -> None:
    for document in (EVENT, ONE, ONE):
        with suppress(HttpResponseError):
            await notices.create_item(document)
    await notices.upsert_item(ONE)
    await notices.upsert_item({**ONE, "noticeNumber": "347000000000000225"}, no_response=True)


async def _replacements(notices: ContainerProxy) -> None:
    created = await notices.create_item(ONE)
    await notices.replace_item("notice", created)
    options = {"etag": created["_etag"], "match_condition": MatchConditions.IfNotModified}
    with suppress(HttpResponseError):
        await notices.replace_item("notice", ONE, **options)
    with suppress(HttpResponseError):
        await notices.delete_item("notice", PLACE, **options)
    await notices.delete_item("notice", PLACE)
    with suppress(HttpResponseError):
        await notices.replace_item("notice", ONE)


async def _reads(notices: ContainerProxy) -> None:
    with suppress(HttpResponseError):
        await notices.read_item("notice", PLACE)
    await notices.create_item({**ONE, "text": 'città "✓" \u2028 😀', "numbers": [0, 0.1, 1e21, None, True]})
    await notices.read_item("notice", PLACE)


async def _batches(notices: ContainerProxy) -> None:
    publish: list[Any] = [("create", (EVENT,)), ("create", (ONE,))]
    await notices.execute_item_batch(publish, PLACE)
    with suppress(HttpResponseError):
        await notices.execute_item_batch([("upsert", (ONE,)), ("create", (EVENT,))], PLACE)
    await notices.execute_item_batch([("read", ("notice",)), ("read", ("event-00000001",))], PLACE)
    with suppress(HttpResponseError):
        await notices.execute_item_batch([("read", ("notice",)), ("read", ("event-00000002",))], PLACE)
    change: list[Any] = [("create", ({**EVENT, "id": "event-00000002"},)), ("replace", ("notice", ONE))]
    await notices.execute_item_batch(change, PLACE, no_response=True)


async def _queries(notices: ContainerProxy) -> None:
    for number in range(7):
        await notices.create_item({**ONE, "noticeNumber": f"34700000000000{number:04}", "nextChangeAt": "2026-12"})
    order = "c.creditorInstitution, c.noticeNumber"
    text = f"SELECT * FROM c WHERE c.id = 'notice' AND c.noticeNumber >= @number ORDER BY {order}"
    (everything,) = [part async for part in notices.read_feed_ranges()]
    for where in ({"feed_range": everything, "max_item_count": 3}, {"partition_key": PLACE}):
        found = notices.query_items(text, parameters=[{"name": "@number", "value": "347000000000000002"}], **where)
        async for _ in found:
            pass
    due = "SELECT TOP 5 * FROM c WHERE c.nextChangeAt <= '2026-12' ORDER BY c.nextChangeAt"
    async for _ in notices.query_items(due, feed_range=everything):
        pass
    async for _ in notices.query_items("SELECT VALUE COUNT(1) FROM c", partition_key=PLACE):
        pass


async def _unknown_containers(notices: ContainerProxy) -> None:
    nowhere = notices.client_connection
    for link in ("dbs/archive/colls/nowhere", "dbs/nowhere/colls/notices"):
        with suppress(HttpResponseError):
            await nowhere.ReadContainer(link)


@pytest.mark.parametrize(
    "calls",
    [_creations, _replacements, _reads, _batches, _queries, _unknown_containers],
    ids=lambda calls: calls.__name__,
)
@pytest.mark.parametrize("consistency", ["BoundedStaleness", "Session"])
async def test_each_answer_is_the_one_of_the_double(
    calls: Callable[[ContainerProxy], Awaitable[None]], consistency: str
) -> None:
    async with an_account(consistency=consistency) as double, an_instant_account(consistency) as instant:
        exact = await _answers(CosmosStore(double.endpoint, "archive", KEY), calls)
        fast = await _answers(instant, calls)

    assert fast == exact
    assert len(exact) > 2


async def _answers(account: CosmosStore, calls: Callable[[ContainerProxy], Awaitable[None]]) -> list[tuple[Any, ...]]:
    """Return all answers that a client gets, without what differs from one service to another."""
    answers: list[tuple[Any, ...]] = []

    def keep(response: Any) -> None:
        answer = response.http_response
        headers = {name.lower(): value for name, value in answer.headers.items()}
        body = answer.body()
        content = _lasting(json.loads(body)) if body else None
        path = urlsplit(response.http_request.url).path
        named = sorted(headers.keys() - OF_ANY_SERVER)
        if path == "/" and any(answer[1] == "/" for answer in answers):
            return  # the SDK asks for the account again whenever it likes
        same = {name: headers.get(name) for name in ("x-ms-alt-content-path", "x-ms-documentdb-partitionkeyrangeid")}
        answers.append((response.http_request.method, path, answer.status_code, named, same, content))

    assert account.key is not None
    async with CosmosClient(account.endpoint, account.key, raw_response_hook=keep) as client:
        await calls(client.get_database_client("archive").get_container_client("notices"))
    return answers


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: "…" if name in CHANGING else _lasting(each) for name, each in value.items() if name != "requestCharge"
        }
    return [*map(_lasting, value)] if isinstance(value, list) else value
