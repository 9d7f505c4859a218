"""Whatever happens to a notice, `?at=` answers what a GET answered at that moment."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

import httpx
import pytest
from azure.functions.timer import TimerRequest
from hypothesis import HealthCheck, given, note, settings, strategies as st

from local.functions import load
from shared.bootstrap import Application
from shared.domain.dates import format_instant
from shared.domain.money import OutcomeCode
from shared.domain.notice import Address
from shared.wire.bodies import PatchBody
from tests.conftest import ROOT
from tests.functions.client import (
    A_STAMP_TRANSFER,
    A_TRANSFER,
    ANOTHER_IBAN,
    TWO_TRANSFERS,
    declare,
    path_of,
    pay,
    settle,
)
from tests.stores import COSMOS
from tests.support import ADDRESS, DAY, HOUR, IBAN, NOW, POSTAL_IBAN, StillClock, a_body, a_number

MILLISECOND = timedelta(milliseconds=1)
ANSWERED = {200, 201, 404, 409, 422}
"""The answers that a declaration may get. Some statuses refuse it."""

serials = count(1)


class Seen(NamedTuple):
    """An answer to a GET: status, body and ETag. The body of a refusal differs in its request id."""

    status: int
    body: bytes
    etag: str | None


@dataclass
class Witness:
    """One notice, and the last answer to a GET at each moment."""

    http: httpx.AsyncClient
    application: Application
    clock: StillClock
    tick: Callable[[], Awaitable[object]]
    address: Address = field(default_factory=lambda: Address(ADDRESS.creditor_institution, a_number(next(serials))))
    seen: dict[datetime, Seen] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Return the address of the notice over HTTP."""
        return path_of(self.address.number)

    async def get(self, **parameters: str) -> Seen:
        """Read the notice."""
        answer = await self.http.get(self.path, params=parameters)
        if answer.status_code == 404:
            return Seen(404, answer.json()["code"].encode(), None)
        assert answer.status_code == 200, answer.text
        return Seen(200, answer.content, answer.headers["etag"])

    async def look(self) -> None:
        """Remember what a GET answers now."""
        self.seen[self.clock.now] = await self.get()

    async def wait(self, time: timedelta) -> None:
        """Let time pass. Look in the middle, and in the last millisecond."""
        begin, end = self.clock.now, self.clock.now + time
        middle = begin + timedelta(milliseconds=time // MILLISECOND // 2)
        for moment in sorted({middle, end - MILLISECOND}):
            if moment > begin:
                self.clock.now = moment
                await self.look()
        self.clock.now = end

    async def compare(self) -> None:
        """Ask for each moment that was seen, and compare."""
        known = {moment: await self.get(at=format_instant(moment)) for moment in self.seen}
        assert known == self.seen


Step = Callable[[Witness], Awaitable[object]]


def named(step: Step, name: str) -> Step:
    """Return the step under a name, which a failure shows."""
    step.__name__ = name
    return step


def put(**changes: Any) -> Step:
    """The institution publishes, or replaces."""

    async def step(witness: Witness) -> None:
        answered(await witness.http.put(witness.path, json=a_body(**changes)))

    return named(step, f"put {changes}")


def patch(**changes: Any) -> Step:
    """The institution changes fields."""

    async def step(witness: Witness) -> None:
        answered(await witness.http.patch(witness.path, json=changes))

    return named(step, f"patch {changes}")


def declared(event: str, before: timedelta = timedelta(0), **more: Any) -> Step:
    """The institution cancels, closes or restores, some time before it says so."""

    async def step(witness: Witness) -> None:
        occurred = format_instant(witness.clock.now - before)
        answered(await declare(witness.http, event, witness.path, occurredAt=occurred, **more))

    return named(step, f"{event} {before} before {more}")


def paid(receipt: str) -> Step:
    """A receipt comes."""
    return named(lambda witness: pay(witness.application, witness.address, receipt_id=receipt), f"paid {receipt}")


def settled(flow: str, transfer: int = 1, code: OutcomeCode = OutcomeCode.PAID) -> Step:
    """A settlement line comes."""

    async def step(witness: Witness) -> None:
        line = {"flow_id": flow, "transfer_id": transfer, "outcome_code": code}
        await settle(witness.application, witness.address, **line)

    return named(step, f"settled {flow} {transfer} {code}")


async def timer(witness: Witness) -> None:
    """The timer writes down what time has done."""
    await witness.tick()


def answered(answer: httpx.Response) -> None:
    """Check that a declaration was taken, or refused because of the status."""
    assert answer.status_code in ANSWERED, answer.text


def at(time: timedelta) -> str:
    """Return a moment of the story as text."""
    return format_instant(NOW + time)


BRIEF = {"validFrom": at(6 * HOUR), "dueDate": at(2 * DAY), "switchToExpired": True}
"""Dates that the steps of the clock reach exactly."""
PUBLICATIONS = [
    put(),
    put(**BRIEF),
    put(dueDate=at(DAY), switchToExpired=True),
    put(validFrom="2026-11-24", description="Altro", companyName="Comune", metadata={"b": "2"}),
    put(transfers=TWO_TRANSFERS, iupd="x"),
]
AMENDMENTS: dict[str, list[Any]] = {
    "amount": [1, 12051],
    "description": ["TASI", "Città"],
    "dueDate": [at(3 * DAY), "2027-01-31"],
    "debtor": [{"fullName": "Maria"}, {"type": "G", "fiscalCode": "ANONIMO"}],
    "iban": [IBAN, ANOTHER_IBAN, None],
    "postalIban": [POSTAL_IBAN, None],
    "validFrom": [at(DAY), at(12 * HOUR), None],
    "switchToExpired": [True, False],
    "payStandIn": [False, True],
    "transfers": [TWO_TRANSFERS, [A_TRANSFER], [A_STAMP_TRANSFER], []],
    "iupd": ["y", None],
    "companyName": ["Comune di Esempio", None],
    "officeName": ["Tributi", None],
    "metadata": [{"a": "1"}, {"a": None, "c": "3"}, None],
}
"""Values of each field that a PATCH may name."""
ENDS = [
    declared("cancelled", reason="Doppio"),
    declared("cancelled", HOUR, replacedBy=a_number(999)),
    declared("closed"),
    declared("closed", HOUR),
    declared("restored"),
]
FACTS = [
    paid("r1"),
    paid("r2"),
    settled("f1"),
    settled("f2"),
    settled("f1", 2),
    settled("f3", code=OutcomeCode.REVOKED),
]
AMENDED = [patch(**{name: value}) for name, values in AMENDMENTS.items() for value in values]
WAITS = [timedelta(0), MILLISECOND, HOUR, 6 * HOUR, DAY, 2 * DAY]

FIRST = st.sampled_from([*PUBLICATIONS, paid("r1"), settled("f3", code=OutcomeCode.REVOKED)])
KINDS: list[list[Step]] = [AMENDED, AMENDED, PUBLICATIONS, ENDS, FACTS, [timer]]
"""The steps of each kind. A kind is drawn first, then one of its steps."""
NEXT = st.one_of(*(st.sampled_from(steps) for steps in KINDS))
STORIES = given(first=FIRST, more=st.lists(st.tuples(st.sampled_from(WAITS), NEXT), min_size=1, max_size=8))
ANY_PACE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture
def witness(http: httpx.AsyncClient, application: Application, clock: StillClock) -> Witness:
    """Return a witness who has seen nothing."""
    [function] = [function for function in load(ROOT) if function.name == "apply_due_changes"]
    return Witness(http, application, clock, lambda: function.call(TimerRequest(past_due=False)))


@settings(max_examples=70, suppress_health_check=ANY_PACE)
@STORIES
async def test_a_notice_is_known_as_it_was_shown_at_every_moment(
    witness: Witness, first: Step, more: list[tuple[timedelta, Step]]
) -> None:
    await live(witness, first, more)


@pytest.mark.parametrize("kept_in", [COSMOS], indirect=True)
@settings(max_examples=8, suppress_health_check=ANY_PACE)
@STORIES
async def test_in_cosmos_db_too(witness: Witness, first: Step, more: list[tuple[timedelta, Step]]) -> None:
    await live(witness, first, more)


def test_the_stories_amend_each_field_of_a_patch() -> None:
    assert AMENDMENTS.keys() | {"iuv", "occurredAt"} == {field.alias for field in PatchBody.model_fields.values()}


async def live(begun: Witness, first: Step, more: list[tuple[timedelta, Step]]) -> None:
    """Let the steps happen to a new notice, and look after each. A day later, ask for each moment."""
    witness = Witness(begun.http, begun.application, begun.clock, begun.tick)
    witness.clock.now = NOW - HOUR
    await witness.look()
    await witness.wait(HOUR)
    for wait, step in [(timedelta(0), first), *more]:
        note(f"after {wait}: {step.__name__}")
        await witness.wait(wait)
        await step(witness)
        await witness.look()
    await witness.wait(DAY)
    await witness.tick()
    await witness.look()
    await witness.compare()
