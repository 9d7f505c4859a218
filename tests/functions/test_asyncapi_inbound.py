"""The inbound messages of the AsyncAPI document: their examples are applied, their schemas refuse what is refused."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from docs.asyncapi.examples import EXAMPLES
from shared.bootstrap import Application
from shared.inbound import Outcome
from shared.wire.inbound import InboundEvent, InboundType, Rejected, parse_event
from shared.wire.texts import ParseContext
from tests.asyncapi_check import described, payload_faults
from tests.functions.lives import an_event
from tests.functions.queues import say
from tests.support import StillClock

AFTER = datetime(2026, 11, 27, 10, tzinfo=UTC)
"""After the times of the examples."""

PUBLISHED = EXAMPLES["publish"][1]
LOOSER = {
    ("subject", "wrong check digits"): "a schema cannot compare it with data",
    **dict.fromkeys(
        [("noticeNumber", mistake) for mistake in ("str x", "a number as text", "wrong check digits")],
        "declarations check the digits, for strict institutions",
    ),
    ("*", "a time that is no time"): "a pattern does not know the calendar",
    ("*", "a whole number with a point"): "1.0 is an integer to JSON Schema",
}
"""Mistakes that the schemas do not see."""
STRICTER = {
    **dict.fromkeys(["a tab", "a line end after"], "the archive reads line ends and tabs of old texts as blanks"),
}
"""What the schemas refuse and the archive takes."""


@pytest.mark.parametrize("name", EXAMPLES)
async def test_every_example_is_applied(application: Application, clock: StillClock, name: str) -> None:
    clock.now = AFTER
    if name != "publish":
        assert await say(PUBLISHED) is Outcome.APPLIED

    outcomes = [await say(EXAMPLES[name][1]) for _ in range(2)]

    assert outcomes == [Outcome.APPLIED, Outcome.REPEATED]


def test_the_examples_of_the_document_are_these() -> None:
    shown = {
        example["name"]: example["payload"]
        for name, message in described().items()
        if name.startswith("inbound-")
        for example in message["examples"]
    }

    assert shown == {name: event for name, (_, event) in EXAMPLES.items()}


def mistakes() -> Iterator[tuple[InboundType, str, str, dict[str, Any]]]:
    """Yield events with one mistake each: the type, the field, the mistake, the event."""
    for type_ in InboundType:
        whole = whole_event(type_)
        payload = described()[f"inbound-{type_}"]["payload"]
        for schema, path in ((payload, ()), (payload["properties"]["data"], ("data",))):
            for field, form in schema["properties"].items():
                values = whole["data"] if path else whole
                for mistake, value in wrong_values(form, values.get(field)):
                    changed = {name: each for name, each in {**values, field: value}.items() if each is not ...}
                    yield type_, field, mistake, {**whole, **_address(changed), "data": changed} if path else changed


def _address(data: dict[str, Any]) -> dict[str, Any]:
    """Return the subject that names the notice of the data, so that the two do not contradict each other."""
    return {"subject": f"{data.get('creditorInstitution')}/{data.get('noticeNumber')}"}


def whole_event(type_: InboundType) -> dict[str, Any]:
    """Return an event of the type with every field."""
    number = EXAMPLES["publish"][1]["data"]["noticeNumber"]
    every: dict[InboundType, dict[str, Any]] = {
        InboundType.PUBLISH: {},
        InboundType.PAID: {
            "standIn": True, "pspName": "Banca", "paymentMethod": "card", "fee": 1, "iuv": number[1:],
        },
        InboundType.REPORTED: {
            "transferId": 1, "settlementDate": "2026-11-24", "receiptId": "r1", "pspId": "ABI03069",
        },
        InboundType.CANCEL: {"reason": "Issued by mistake"},
        InboundType.CLOSE: {"reason": "Paid at the counter"},
    }  # fmt: skip
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    event = an_event(type_, number, StillClock(), **every[type_])
    return {**event, "datacontenttype": "application/json", "traceparent": trace}


def wrong_values(form: dict[str, Any], right: Any) -> Iterator[tuple[str, Any]]:
    """Yield values for a field that are wrong for most fields. `...` leaves it out."""
    yield "missing", ...
    yield "null", None
    for value in (7, -1, 1.5, True, "x", "", [], {}, [right], {"value": right}):
        yield f"{type(value).__name__} {value!s:.20}", value
    yield "a number as text", "12050"
    yield "too large", 10**12
    yield "a whole number with a point", 1.0
    yield "a time that is no time", "2026-02-30T10:00:00Z" if "T" in str(right) else "2026-02-30"
    yield "a time without offset", "2026-11-23T10:00:00"
    yield "a day with a time", "2026-11-23T10:00:00Z"
    yield "full width digits", "１２３"
    if isinstance(right, str):
        yield "too long", right.ljust(form.get("maxLength", 300) + 1, "1")
        yield "a NUL", f"{right}\0"
        yield "a tab", f"{right}\t{right}"[: form.get("maxLength")]
        yield "a line separator", f"{right}\u2028"
        yield "a blank before", f" {right}"
        yield "a line end after", f"{right}\n"
        yield "wrong check digits", right[:-1] + "9"


MISTAKES = [*mistakes()]
FIELDS = dict.fromkeys((type_, field) for type_, field, _, _ in MISTAKES)


@pytest.mark.parametrize(("type_", "field"), FIELDS)
def test_a_schema_and_the_parser_agree_on_each_mistake(type_: InboundType, field: str) -> None:
    differences = []
    for mistake, event in ((each[2], each[3]) for each in MISTAKES if each[:2] == (type_, field)):
        taken, fits = is_taken(event), not payload_faults(f"inbound-{type_}", event)
        named = {(field, mistake), ("*", mistake)} & LOOSER.keys() if fits else {mistake} & STRICTER.keys()
        if taken != fits and not named:
            differences.append(f"{mistake}: the archive takes it: {taken}, the schema allows it: {fits}")

    assert differences == []


def test_every_named_difference_is_one() -> None:
    seen: set[object] = set()
    for type_, field, mistake, event in MISTAKES:
        taken, fits = is_taken(event), not payload_faults(f"inbound-{type_}", event)
        if taken != fits:
            seen |= {(field, mistake), ("*", mistake)} & LOOSER.keys() if fits else {mistake}

    assert seen == {*LOOSER, *STRICTER}


def is_taken(event: dict[str, Any]) -> bool:
    """Return whether the parser takes an event, for a strict institution."""
    context = ParseContext(lenient=False, now=AFTER)
    further: dict[InboundType, Callable[[InboundEvent], object]] = {
        InboundType.PUBLISH: lambda parsed: parsed.publication(context),
        InboundType.PAID: lambda parsed: parsed.payment(),
        InboundType.REPORTED: lambda parsed: parsed.settlement(),
        InboundType.CANCEL: lambda parsed: parsed.reason(context),
        InboundType.CLOSE: lambda parsed: parsed.reason(context),
    }
    try:
        parsed = parse_event(orjson.dumps(event))
        further[parsed.type](parsed)
    except Rejected:
        return False
    return True
