"""Whatever fails on the way to Cosmos DB, what was asked is done once, or refused whole and worth asking again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import count

import httpx
import orjson
import pytest

from emulators.cosmos import CosmosDouble, Fault
from shared import bootstrap
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.archive import Archive
from shared.bootstrap import Application
from shared.domain.events import NoticeEvent
from shared.domain.identifiers import Iuv
from shared.domain.lifecycle import EventType
from shared.domain.notice import Address, Notice
from shared.ports import Search
from shared.settings import CosmosStore, Settings
from tests.conftest import PLATFORM_KEY
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
    return await archive.declare(address, EventType.CANCELLED, an_act())


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


async def test_a_number_that_no_notice_can_have_is_not_there(http: httpx.AsyncClient) -> None:
    # Cosmos DB refuses a key of more than 2,048 bytes.
    for path in ("", "/events", "?at=2026-11-23T09:00:00Z"):
        answer = await http.get(f"{NOTICES}/347{'0' * 5000}{path}", headers=PLATFORM_KEY)
        assert (answer.status_code, answer.json()["code"]) == (404, "notice_not_found")
    of_nobody = await http.get(f"/creditor-institutions/{'1' * 3000}/notices/347", headers=PLATFORM_KEY)
    assert of_nobody.status_code == 404


async def test_the_claim_of_an_iuv_is_no_notice(http: httpx.AsyncClient) -> None:
    notices = "/creditor-institutions/77777777777/notices"
    assert (await http.put(f"{notices}/{an_address().number}", json=a_body(iuv="IUV1"))).status_code == 201

    for path in ("", "/events", "?at=2026-11-23T09:00:00Z"):
        answer = await http.get(f"{notices}/iuv:IUV1{path}", headers=PLATFORM_KEY)
        assert (answer.status_code, answer.json()["code"]) == (404, "notice_not_found")


async def test_the_page_of_a_gateway_makes_neither_a_key_nor_a_notice_unknown(
    application: Application, http: httpx.AsyncClient, cosmos: CosmosDouble
) -> None:
    address = an_address()
    await publish(application.archive, address)

    for place in range(4):
        cosmos.inject(Fault("Read", status=404, body="<html>Not Found</html>", skip=place))
        answer = await http.get(f"{NOTICES}/{address.number}")
        cosmos.faults.clear()
        assert answer.status_code == 200


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

    search, seen = Search(INSTITUTION, NOW, limit=7), list[str]()
    for page_number in count():
        page = await application.archive.list(search)
        seen += [orjson.loads(notice.json)["noticeNumber"] for notice in page.notices]
        if page.after is None:
            break
        search = replace(search, after=page.after)
        if page_number in (1, 3):
            cosmos.split("archive", "notices", at=[INSTITUTION, addresses[page_number * 10].number])

    assert seen == [address.number for address in addresses]


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
