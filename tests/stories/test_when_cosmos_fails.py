"""Whatever fails on the way to Cosmos DB, what was asked is done once, or refused whole and worth asking again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import count
from time import monotonic

import httpx
import pytest
from azure.cosmos.aio import CosmosClient

from local.seed import seed
from shared import bootstrap
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.archive import Archive
from shared.bootstrap import Application
from shared.domain.events import NoticeEvent
from shared.domain.identifiers import Iuv
from shared.domain.notice import Address, Change, Notice
from shared.errors import StoreUnavailable
from shared.ports import Search
from shared.settings import CosmosStore, Settings
from tests.conftest import PLATFORM_KEY
from tests.emulators.cosmos import CosmosDouble, Fault
from tests.stores import account_of, an_account
from tests.support import (
    INSTITUTION,
    NOW,
    StillClock,
    a_body,
    a_number,
    a_payment,
    a_publication,
    an_act,
    an_institution,
    life_of,
)

STRICT, LENIENT = an_institution(), an_institution(lenient=True)
NOTICES = f"/creditor-institutions/{INSTITUTION}/notices"

serials = count(1)
Verb = Callable[[Archive, Address], Awaitable[object]]


@pytest.fixture
def kept_in(cosmos: CosmosDouble) -> CosmosStore:
    """Return the account that fails."""
    return account_of(cosmos)


async def publish(archive: Archive, address: Address) -> object:
    return await archive.publish(a_publication(address), STRICT, an_act())


async def publish_anew(archive: Archive, address: Address) -> object:
    return await archive.publish(a_publication(address, amount=1), STRICT, an_act())


async def publish_with_an_iuv(archive: Archive, address: Address) -> object:
    publication = replace(a_publication(address), iuv=Iuv(f"IUV{address.number[-15:]}"))
    return await archive.publish(publication, LENIENT, an_act())


async def amend(archive: Archive, address: Address) -> object:
    return await archive.amend(address, {"description": "TARI 2026, rettificata"}, STRICT, an_act())


async def cancel(archive: Archive, address: Address) -> object:
    return await archive.cancel(address, an_act())


async def record_a_payment(archive: Archive, address: Address) -> object:
    return await archive.record_payment(address, a_payment(), an_act())


VERBS: dict[str, tuple[Verb, ...]] = {
    "publish": (publish,),
    "publish again": (publish, publish),
    "publish anew": (publish, publish_anew),
    "publish with an IUV": (publish_with_an_iuv,),
    "amend": (publish, amend),
    "cancel": (publish, cancel),
    "record a payment": (publish, record_a_payment),
    "record a payment of a notice nobody communicated": (record_a_payment,),
}
"""Each with what must have been done before; the last is the one that meets the failure."""

FAILURES = {
    "the connection is lost before": Fault(drop="before"),
    "the answer is lost": Fault(drop="after"),
    "503 before": Fault(status=503),
    "503 although it was done": Fault(status=503, after_commit=True),
    "408 although it was done": Fault(status=408, after_commit=True),
    "500 although it was done": Fault(status=500, after_commit=True),
    "429": Fault(status=429, substatus=3200, retry_after=0.01),
    "449": Fault(status=449),
    "410": Fault(status=410, substatus=1002),
    "410 although it was done": Fault(status=410, after_commit=True),
}


@dataclass(frozen=True, slots=True)
class Life:
    """What a notice is and how it came to that, without what names this one."""

    notice: Notice
    events: list[NoticeEvent]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("verb", VERBS)
async def test_a_failure_of_any_one_request_changes_nothing_of_what_is_done(
    application: Application, cosmos: CosmosDouble, verb: str, failure: str
) -> None:
    *before, last = VERBS[verb]
    undisturbed, requests = await lived(application.archive, cosmos, before, last, None)
    assert requests

    for place in range(requests):
        fault = replace(FAILURES[failure], skip=place)
        life, _ = await lived(application.archive, cosmos, before, last, fault)

        assert life == undisturbed, f"request {place + 1} of {requests}"


async def test_a_replica_that_lags_costs_an_attempt_and_nothing_else(clock: StillClock) -> None:
    # An account with less consistency than the archive wants.
    async with an_account(consistency="Session") as lax:
        archive = bootstrap.open_application(Settings(account_of(lax)), clock).archive
        address = an_address()
        await publish(archive, address)
        await amend(archive, address)
        lax.inject(Fault("Read", stale=True))

        await cancel(archive, address)

        assert lax.log.count("Batch", status=207) == 1
        assert [event.type for event in (await archive.history(address)).events] == [
            "published",
            "amended",
            "cancelled",
        ]
        await bootstrap.close()


async def test_another_writer_between_a_lost_answer_and_its_repetition_is_told_apart(
    application: Application, cosmos: CosmosDouble
) -> None:
    archive, address = application.archive, an_address()
    other_host = Archive(CosmosNoticeStore(Cosmos(account_of(cosmos), budget=5)), archive.registry, archive.clock)
    await publish(archive, address)
    cosmos.inject(Fault("Batch", drop="after"), Fault("Batch", delay=0.2))

    first = asyncio.ensure_future(amend(archive, address))
    await asyncio.sleep(0.1)
    cosmos.faults.clear()
    await cancel(other_host, address)
    await first
    await other_host.store.close()

    assert [event.type for event in (await archive.history(address)).events] == ["published", "amended", "cancelled"]


@pytest.mark.parametrize("answers_lost", [0.0, 0.3])
async def test_many_writers_of_one_notice_leave_one_event_each_and_no_gap(
    application: Application, cosmos: CosmosDouble, answers_lost: float
) -> None:
    archive, address = application.archive, an_address()
    await publish(archive, address)
    cosmos.inject(Fault("Batch", drop="after", probability=answers_lost, times=None))

    descriptions = {f"rettifica {n}" for n in range(32)}
    await asyncio.gather(*(archive.amend(address, {"description": d}, STRICT, an_act()) for d in descriptions))

    cosmos.faults.clear()
    events = (await archive.history(address)).events
    assert [event.version for event in events] == list(range(1, 34))
    assert {event.changed["description"][1] for event in events[1:]} == descriptions
    assert (await archive.get(address)).version == 33


async def test_throttled_often_all_is_done_or_refused_and_nothing_is_lost(
    application: Application, cosmos: CosmosDouble
) -> None:
    addresses = [an_address() for _ in range(200)]
    cosmos.inject(Fault(status=429, substatus=3200, retry_after=0.02, probability=0.3, times=None))

    outcomes = await asyncio.gather(
        *(publish(application.archive, address) for address in addresses), return_exceptions=True
    )

    cosmos.faults.clear()
    assert {type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)} <= {StoreUnavailable}
    done = {address.number for address, outcome in zip(addresses, outcomes, strict=True) if isinstance(outcome, Change)}
    listed = await application.archive.list(Search(INSTITUTION, NOW, limit=500))
    assert done <= {notice.address.number for notice in listed.notices}
    assert len(done) > 190  # each asks seven times or more within the budget
    for address in addresses[:20]:
        assert [event.type for event in (await application.archive.history(address)).events] == ["published"]


async def test_those_who_were_throttled_together_do_not_come_back_together(
    application: Application, cosmos: CosmosDouble
) -> None:
    address = an_address()
    await publish(application.archive, address)
    came: list[float] = []
    cosmos.inject(Fault("Read", status=429, retry_after=0.3, times=100))
    began = monotonic()

    async def read() -> None:
        await application.archive.get(address)
        came.append(monotonic() - began)

    cosmos.log.clear()
    await asyncio.gather(*(read() for _ in range(100)))

    assert cosmos.log.count("Read") == 200, "each was asked again once"
    assert max(came) - min(came) > 0.15


async def test_throttled_without_a_word_how_long_a_reader_does_not_hammer(
    application: Application, cosmos: CosmosDouble
) -> None:
    address = an_address()
    await publish(application.archive, address)
    cosmos.log.clear()
    cosmos.inject(Fault("Read", status=429, times=None))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await application.archive.get(address)

    assert 3 < cosmos.log.count("Read") < 12


async def test_a_number_that_no_notice_can_have_is_not_there(http: httpx.AsyncClient) -> None:
    # Cosmos DB refuses a key of more than 2,048 bytes.
    for path in ("", "/events", "?at=2026-11-23T09:00:00Z"):
        answer = await http.get(f"{NOTICES}/347{'0' * 5000}{path}", headers=PLATFORM_KEY)
        assert (answer.status_code, answer.json()["code"]) == (404, "notice_not_found")
    of_nobody = await http.get(f"/creditor-institutions/{'1' * 3000}/notices/347", headers=PLATFORM_KEY)
    assert of_nobody.status_code == 404


async def test_what_is_asked_while_the_archive_closes_is_done_or_refused(
    application: Application, http: httpx.AsyncClient, cosmos: CosmosDouble
) -> None:
    addresses = [an_address() for _ in range(30)]
    cosmos.inject(Fault("Batch", delay=0.05, times=None))
    asked = [asyncio.ensure_future(http.put(f"{NOTICES}/{a.number}", json=a_body())) for a in addresses]
    await asyncio.sleep(0.03)

    await application.closers[0]()

    assert {answer.status_code for answer in await asyncio.gather(*asked)} <= {201, 503}


async def test_a_listing_goes_on_where_it_was_when_its_partition_is_split(
    application: Application, cosmos: CosmosDouble
) -> None:
    addresses = sorted((an_address() for _ in range(40)), key=lambda address: address.number)
    for address in addresses:
        await publish(application.archive, address)

    search, seen = Search(INSTITUTION, NOW, limit=7), list[Address]()
    for page_number in count():
        page = await application.archive.list(search)
        seen += [notice.address for notice in page.notices]
        if not page.has_more:
            break
        search = replace(search, after=search.position(page.notices[-1]))
        if page_number in (1, 3):
            cosmos.split("archive", "notices", at=[INSTITUTION, addresses[page_number * 10].number])

    assert seen == addresses


async def test_what_is_due_is_found_while_partitions_are_split(application: Application, cosmos: CosmosDouble) -> None:
    addresses = {an_address() for _ in range(30)}
    for address in addresses:
        await application.archive.record_payment(address, a_payment(), an_act())
    later = NOW.replace(day=25)

    found: list[Address] = []
    async for notice in application.archive.store.due(later):
        if len(found) == 10:
            cosmos.split("archive", "notices", at=[INSTITUTION, notice.address.number])
        found.append(notice.address)

    assert len(found) == 30
    assert set(found) == addresses


class TestOutOfReach:
    """Beyond the budget the answer is 503, and nothing is half done."""

    BUDGET = 0.4

    @pytest.fixture
    async def application(self, kept_in: CosmosStore, clock: StillClock) -> AsyncIterator[Application]:
        """Yield the archive with little patience."""
        bootstrap.open_application(Settings(kept_in), clock)
        await seed()
        await bootstrap.close()
        yield bootstrap.open_application(Settings(kept_in, store_budget=self.BUDGET), clock)
        await bootstrap.close()

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(delay=30),
            Fault(drop="before"),
            Fault(drop="after"),
            Fault(status=429, retry_after=60),
            Fault(status=429, retry_after=0.01),
            Fault(status=449),
            Fault(status=410, substatus=1002),
            Fault(status=503),
            Fault(status=503, after_commit=True),
            Fault(status=403),
            Fault(status=400),
            Fault(status=413),
            Fault(status=404, substatus=1003),
        ],
        ids=lambda fault: f"{fault.status or fault.drop or 'silence'}-{fault.retry_after or fault.after_commit}",
    )
    async def test_a_store_that_does_not_answer_is_503_in_time_and_leaves_a_whole_notice_or_none(
        self, http: httpx.AsyncClient, cosmos: CosmosDouble, fault: Fault
    ) -> None:
        known, unknown = (f"{NOTICES}/{an_address().number}" for _ in range(2))
        assert (await http.put(known, json=a_body())).status_code == 201
        cosmos.inject(replace(fault, times=None))

        for request in (
            http.put(unknown, json=a_body()),
            http.patch(known, json={"description": "b"}),
            http.get(known),
            http.get(f"{known}/events"),
            http.get(NOTICES),
        ):
            began = monotonic()
            answer = await request
            assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
            assert monotonic() - began < 2 * self.BUDGET + 1

        cosmos.faults.clear()
        for address in (known, unknown):
            versions = [item["version"] for item in (await http.get(f"{address}/events")).json().get("items", [])]
            notice = await http.get(address)
            assert versions == list(range(1, len(versions) + 1))
            assert notice.json().get("version", 0) == len(versions)

    async def test_an_account_that_is_not_there_is_503(self, kept_in: CosmosStore, clock: StillClock) -> None:
        nowhere = replace(kept_in, endpoint="http://127.0.0.1:9/")
        archive = bootstrap.open_application(Settings(nowhere, store_budget=self.BUDGET), clock).archive

        with pytest.raises(StoreUnavailable):
            await archive.get(an_address())

        await bootstrap.close()

    @pytest.mark.parametrize("missing", ["archive", "notices", "registries", "checkpoints"])
    async def test_a_container_that_is_not_there_is_no_empty_archive(
        self, kept_in: CosmosStore, clock: StillClock, http: httpx.AsyncClient, missing: str
    ) -> None:
        await bootstrap.close()
        async with CosmosClient(kept_in.endpoint, kept_in.key or "") as client:
            if missing == "archive":
                await client.delete_database(missing)
            else:
                await client.get_database_client("archive").delete_container(missing)
        bootstrap.open_application(Settings(kept_in, store_budget=self.BUDGET), clock)

        answer = await http.get(f"{NOTICES}/{an_address().number}")
        health = await http.get("/health")

        code = "notice_not_found" if missing == "checkpoints" else "store_unavailable"
        assert answer.json()["code"] == code
        # Health writes to the container of the checkpoints alone.
        assert health.status_code == (503 if missing in ("archive", "checkpoints") else 200)


async def lived(
    archive: Archive, cosmos: CosmosDouble, before: list[Verb], last: Verb, fault: Fault | None
) -> tuple[Life, int]:
    """Return the life of a new notice, and how many requests its last verb made; the fault meets one of them."""
    address = an_address()
    for verb in before:
        await verb(archive, address)
    cosmos.log.clear()
    if fault:
        cosmos.inject(fault)
    await last(archive, address)
    cosmos.faults.clear()
    requests = cosmos.log.count()
    found = await life_of(archive.store, address)
    assert found
    return nameless(*found), requests


def nameless(notice: Notice, events: list[NoticeEvent]) -> Life:
    one, iuv = an_address(1), Iuv("1")
    return Life(
        replace(notice, address=one, iuv=iuv),
        [replace(event, number=one.number, write_id="", summary=replace(event.summary, iuv=iuv)) for event in events],
    )


def an_address(serial: int | None = None) -> Address:
    """Return the address of a notice that is not there yet."""
    return Address(INSTITUTION, a_number(next(serials) if serial is None else serial))
