"""Whatever happens to a notice by HTTP and by queue, in any order and repeated, it ends as the written model says."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, product
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from shared.bootstrap import Application
from shared.domain.lifecycle import TRANSITIONS
from shared.domain.notice import Address
from shared.inbound import Outcome
from shared.messages import INBOUND_REJECTED
from tests.functions.client import A_TRANSFER, path_of, types
from tests.functions.inbound import an_event, deliver
from tests.stores import AZURE
from tests.stories.life_model import CHANGED, CREATED, NOTHING, TABLE, Content, Life
from tests.support import ADDRESS, DAY, NOW, SECOND, StillClock, a_body, a_number

PLAIN = Content()
DEARER = Content(amount=13000)
LATER = Content(starts_at=NOW + DAY)
BRIEF = Content(ends_at=NOW + 2 * DAY)
LATER_AND_BRIEF = Content(starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
IN_PARTS = Content(transfers=2)
CONTENTS = (PLAIN, DEARER, LATER, BRIEF, LATER_AND_BRIEF, IN_PARTS)

serials = count(1000)


@dataclass
class Story:
    """One notice in the archive, and the same one in the model."""

    http: httpx.AsyncClient
    application: Application
    clock: StillClock
    address: Address = field(default_factory=lambda: Address(ADDRESS.creditor_institution, a_number(next(serials))))
    life: Life = field(default_factory=Life)

    @property
    def path(self) -> str:
        """Return the address of the notice over HTTP."""
        return path_of(self.address.number)

    async def check(self) -> None:
        """Compare the notice with the model."""
        notice = await self.application.archive.store.load(self.address)
        answer = await self.http.get(self.path)
        life = self.life
        if life.stored is None:
            assert notice is None
            return
        assert notice is not None
        assert notice.status_at(self.clock.now) == life.status(self.clock.now)
        assert [payment.receipt_id for payment in notice.payments] == life.receipts
        lines = [(line.flow_id, line.transfer_id, int(line.outcome_code)) for line in notice.settlements]
        assert lines == life.lines
        assert [*notice.anomalies] == life.anomalies
        assert notice.version == len(life.events)
        assert answer.status_code == (404 if life.stored == "AWAITED" else 200)
        if life.content is not None and answer.status_code == 200:
            shown = answer.json()
            assert (shown["origin"], shown["amount"]) == (life.origin, life.content.amount)
            assert shown["status"] == life.status(self.clock.now)
            assert await types(self.http, self.path) == life.events


Step = Callable[[Story], Awaitable[None]]


def named(step: Step, name: str) -> Step:
    """Return the step under a name, which a failure shows."""
    step.__name__ = name
    return step


def put(content: Content) -> Step:
    """The institution publishes, or replaces."""

    async def step(story: Story) -> None:
        before = len(story.life.events)
        answer = await story.http.put(story.path, json=body_of(content))
        assert answered(answer, before) == story.life.publish("ec", content, story.clock.now)

    return named(step, f"put {content}")


def patch(amount: int) -> Step:
    """The institution changes the amount."""

    async def step(story: Story) -> None:
        # Of a notice in parts, the amount is the sum of its parts.
        if story.life.content is None or story.life.content.transfers == 1:
            before = len(story.life.events)
            answer = await story.http.patch(story.path, json={"amount": amount})
            assert answered(answer, before) == story.life.amend("ec", amount, story.clock.now)

    return named(step, f"patch {amount}")


def declare(event: str) -> Step:
    """The institution cancels, closes or restores."""

    async def step(story: Story) -> None:
        before = len(story.life.events)
        answer = await story.http.post(f"{story.path}/events", json={"type": event})
        assert answered(answer, before) == story.life.end("ec", event, story.clock.now)

    return named(step, f"declare {event}")


def gpd_publishes(content: Content) -> Step:
    """GPD publishes, or replaces."""

    async def step(story: Story) -> None:
        came = await send(story, "publish", {"notice": body_of(content)})
        assert came == as_consumed(story.life.publish("gpd", content, story.clock.now))

    return named(step, f"gpd publishes {content}")


def gpd_ends(type_: str, event: str) -> Step:
    """GPD cancels or closes."""

    async def step(story: Story) -> None:
        came = await send(story, type_)
        assert came == as_consumed(story.life.end("gpd", event, story.clock.now))

    return named(step, f"gpd {type_}s")


def pay(receipt: str) -> Step:
    """A receipt comes."""

    async def step(story: Story) -> None:
        came = await send(story, "paid", {"receiptId": receipt})
        assert came == as_consumed(story.life.pay(receipt, story.clock.now))

    return named(step, f"paid {receipt}")


def report(flow: str, transfer: int = 1, code: int = 0) -> Step:
    """A settlement line comes."""

    async def step(story: Story) -> None:
        came = await send(story, "reported", {"flowId": flow, "transferId": transfer, "outcomeCode": code})
        assert came == as_consumed(story.life.report(flow, transfer, code, story.clock.now))

    return named(step, f"reported {flow} {transfer} {code}")


def wait(time: timedelta) -> Step:
    """Time passes."""

    async def step(story: Story) -> None:
        story.clock.advance(time)

    return named(step, f"wait {time.days} days")


FACTS = [
    pay("r1"), pay("r2"), report("f1"), report("f2"), report("f1", 2), report("f3", code=3), report("f4", 2, 3),
]  # fmt: skip
BY_EC = [put(PLAIN), put(DEARER), patch(13000), *map(declare, ("cancelled", "closed", "restored"))]
BY_GPD = [gpd_publishes(PLAIN), gpd_publishes(DEARER), gpd_ends("cancel", "cancelled"), gpd_ends("close", "closed")]
WITH_DATES = [put(LATER), put(BRIEF), put(LATER_AND_BRIEF), put(IN_PARTS), gpd_publishes(LATER_AND_BRIEF)]
WAITS = [wait(DAY), wait(2 * DAY)]
STEPS = [*FACTS, *BY_EC, *BY_GPD, *WITH_DATES, *WAITS]

WAYS: dict[str | None, list[Step]] = {
    None: [],
    "AWAITED": [pay("r1")],
    "SCHEDULED": [put(LATER)],
    "ACTIVE": [put(PLAIN)],
    "EXPIRED": [put(BRIEF), wait(3 * DAY)],
    "CANCELLED": [put(PLAIN), declare("cancelled")],
    "CLOSED": [put(PLAIN), declare("closed")],
    "PAID": [put(PLAIN), pay("r1")],
    "REPORTED": [put(PLAIN), report("f1")],
}
"""How a notice gets into each status."""
COLUMNS: dict[str, list[Step]] = {
    "published": [put(DEARER), put(PLAIN)],
    "amended": [patch(13000), patch(12050)],
    "cancelled": [declare("cancelled")],
    "closed": [declare("closed")],
    "restored": [declare("restored")],
    "paid": [pay("r9"), pay("r1")],
    "reported": [report("f9"), report("f1"), report("f9", 2), report("f9", code=3)],
}
"""What happens in each column of the table."""
BY_QUEUE: dict[str, list[Step]] = {
    "published": [gpd_publishes(DEARER), gpd_publishes(PLAIN)],
    "cancelled": [gpd_ends("cancel", "cancelled")],
    "closed": [gpd_ends("close", "closed")],
}
"""The columns that GPD has too."""


@pytest.fixture
def story(http: httpx.AsyncClient, application: Application, clock: StillClock) -> Story:
    """Return a story that begins."""
    return Story(http, application, clock)


def test_the_model_has_the_cells_of_the_code() -> None:
    assert {str(row) for row in TABLE} == {str(row) for row in TRANSITIONS}
    for row, cells in TRANSITIONS.items():
        assert TABLE[row and row.value].keys() == {event.value for event in cells}


@pytest.mark.parametrize("status", TABLE, ids=str)
@pytest.mark.parametrize("column", [*COLUMNS])
async def test_each_cell_of_the_table_is_reached_by_http_or_queue(
    story: Story, status: str | None, column: str
) -> None:
    for step in COLUMNS[column]:
        other = Story(story.http, story.application, story.clock)
        await told(other, WAYS[status])
        assert other.life.status(story.clock.now) == status

        await told(other, [step, step])


@pytest.mark.parametrize("status", TABLE, ids=str)
@pytest.mark.parametrize("column", [*BY_QUEUE])
async def test_each_cell_of_the_table_is_reached_for_a_notice_of_gpd(
    story: Story, status: str | None, column: str
) -> None:
    of_gpd = {put(PLAIN).__name__: gpd_publishes(PLAIN), put(LATER).__name__: gpd_publishes(LATER),
              put(BRIEF).__name__: gpd_publishes(BRIEF), declare("cancelled").__name__: gpd_ends("cancel", "cancelled"),
              declare("closed").__name__: gpd_ends("close", "closed")}  # fmt: skip
    for step in BY_QUEUE[column]:
        other = Story(story.http, story.application, story.clock)
        await told(other, [of_gpd.get(each.__name__, each) for each in WAYS[status]])
        assert other.life.status(story.clock.now) == status

        await told(other, [step, step])


@pytest.mark.parametrize("first", STEPS, ids=lambda step: step.__name__)
async def test_any_two_facts_in_either_order_end_as_the_model_says(story: Story, first: Step) -> None:
    for second, begin in product(STEPS, ([], [put(PLAIN)], [gpd_publishes(PLAIN)])):
        await told(Story(story.http, story.application, story.clock), [*begin, first, second])


ANY_STEPS = given(steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=14))
ANY_PACE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=150, suppress_health_check=ANY_PACE)
@ANY_STEPS
async def test_any_interleaving_and_repetition_ends_as_the_model_says(story: Story, steps: list[Step]) -> None:
    await told(Story(story.http, story.application, story.clock), steps)


@pytest.mark.parametrize("kept_in", [AZURE], indirect=True)
@settings(max_examples=40, suppress_health_check=ANY_PACE)
@ANY_STEPS
async def test_in_azure_too(story: Story, steps: list[Step]) -> None:
    await told(Story(story.http, story.application, story.clock), steps)


@pytest.mark.parametrize("kept_in", [AZURE], indirect=True)
@pytest.mark.parametrize("status", TABLE, ids=str)
async def test_each_cell_of_the_table_is_reached_in_azure_too(story: Story, status: str | None) -> None:
    for steps in COLUMNS.values():
        for step in steps:
            await told(Story(story.http, story.application, story.clock), [*WAYS[status], step, step])


async def told(story: Story, steps: Iterable[Step]) -> None:
    """Let the steps happen, a second apart, and compare the notice with the model after each."""
    story.clock.now = max(story.clock.now, NOW) if story.life.events else NOW
    for step in steps:
        story.clock.advance(SECOND)
        await step(story)
        await story.check()


def body_of(content: Content) -> dict[str, Any]:
    """Return the body that publishes a content."""
    body = a_body(amount=content.amount)
    if content.starts_at:
        body["validFrom"] = at(content.starts_at)
    if content.ends_at:
        body |= {"dueDate": at(content.ends_at), "switchToExpired": True}
    if content.transfers == 2:
        body["transfers"] = [A_TRANSFER | {"id": 1, "amount": 12000}, A_TRANSFER | {"id": 2, "amount": 50}]
    return body


def at(time: datetime) -> str:
    """Return a time as text."""
    return time.isoformat()


def answered(answer: httpx.Response, version: int) -> str:
    """Return what an answer says, in the words of the model. `version` is the one before the request."""
    if answer.status_code == 201:
        return CREATED
    if answer.status_code == 200:
        return NOTHING if answer.json()["version"] == version else CHANGED
    code: str = answer.json()["code"]
    return code


async def send(story: Story, type_: str, data: dict[str, Any] | None = None) -> str:
    """Send an inbound event. Return its outcome, or the reason why it was rejected."""
    outcome = await deliver(an_event(type_, data, story.address, id=f"fact-{next(serials)}", time=at(story.clock.now)))
    return outcome if outcome is not Outcome.REJECTED else await reason_of_rejection(story.application)


async def reason_of_rejection(application: Application) -> str:
    """Return the reason of the message that was rejected last, and take it."""
    assert application.bus is not None
    [rejected] = await application.bus.receive(INBOUND_REJECTED, 1)
    await application.bus.complete(rejected)
    return str(rejected.queued.message.properties["reason"])


def as_consumed(result: str) -> str:
    """Return the outcome of an inbound event for a result of the model."""
    outcomes = {CREATED: Outcome.APPLIED, CHANGED: Outcome.APPLIED, NOTHING: Outcome.REPEATED}
    return "waits" if result == "notice_not_found" else outcomes.get(result, result)
