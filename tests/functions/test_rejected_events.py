"""Which inbound events can never be applied, with the reason and the description that an operator acts on."""

import json
import logging
import sqlite3
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.notice import Address
from shared.errors import catalogue
from shared.inbound import NotApplied, Outcome
from shared.messages import INBOUND_REJECTED
from shared.wire.inbound import REASONS
from tests.functions.client import declare, publish
from tests.functions.inbound import an_event, deliver, rejections, without_missing
from tests.support import ADDRESS, a_body, a_number

STRICT = ADDRESS.creditor_institution
PAST = a_body(dueDate="2026-11-22", switchToExpired=True)
MALFORMED: list[Any] = [
    (b"", "the body is empty"),
    (b'{"id":', "Correct line 1"),
    (b"\xff", "UTF-8"),
    (b"[]", "the body: An object is expected"),
    (b'"text"', "the body: An object is expected"),
    (b"[" * 100_000, "nested"),
    (b'{"a": "' + b"a" * 200_000 + b'"}', "more than 200,000 bytes"),
    (an_event("paid", specversion="0.3"), "specversion"),
    (an_event("paid", specversion=...), "specversion: The field is required"),
    (an_event("paid", id=...), "id: The field is required"),
    (an_event("paid", id=""), "id: At least 1"),
    (an_event("paid", id="a" * 121), "id: At most 120"),
    (an_event("paid", id=7), "id: A string is expected, not a number"),
    (an_event("paid", id="a\nb"), "id: "),
    (an_event("paid", source=...), "source"),
    (an_event("paid", source="a b"), "source: Must match"),
    (an_event("paid", source="/" + "a" * 255), "source: At most 255"),
    (an_event("paid", type=...), "type: The field is required"),
    (an_event("paid", type=None), "type: The field is required"),
    (an_event("paid", subject=...), "subject"),
    (an_event("paid", time=...), "time"),
    (an_event("paid", time="2026-11-23T10:00:00"), "time: must be a date-time with an offset"),
    (an_event("paid", time="2026-11-23"), "time: "),
    (an_event("paid", time="2026-02-30T10:00:00Z"), "time: "),
    (an_event("paid", datacontenttype="text/plain"), "datacontenttype"),
    (without_missing({**an_event("paid"), "data": ...}), "data: The field is required"),
    ({**an_event("paid"), "data": "text"}, "data: An object is expected, not a string"),
    ({**an_event("paid"), "data": None}, "data: The field is required"),
]
INVALID: list[Any] = [
    (an_event("paid", {"creditorInstitution": ...}), "data.creditorInstitution: The field is required"),
    (an_event("paid", {"creditorInstitution": "1"}), "data.creditorInstitution: "),
    (an_event("paid", {"noticeNumber": ...}), "data.noticeNumber: The field is required"),
    (an_event("paid", {"noticeNumber": "a b"}), "data.noticeNumber: "),
    (an_event("paid", {"noticeNumber": "1" * 36}), "data.noticeNumber: "),
    (an_event("paid", {"receiptId": ...}), "data.receiptId: The field is required"),
    (an_event("paid", {"receiptId": ""}), "data.receiptId: At least 1"),
    (an_event("paid", {"receiptId": "a" * 65}), "data.receiptId: At most 64"),
    (an_event("paid", {"receiptId": "a\u0000"}), "data.receiptId: "),
    (an_event("paid", {"amount": 0}), "data.amount: At least 1"),
    (an_event("paid", {"amount": 100_000_000_000}), "data.amount: At most 99999999999"),
    (an_event("paid", {"amount": "12050"}), "data.amount: An integer is expected, not a string"),
    (an_event("paid", {"amount": 120.5}), "data.amount: "),
    (an_event("paid", {"paidAt": "2026-11-23T10:00:00"}), "data.paidAt: must be a date-time with an offset"),
    (an_event("paid", {"standIn": "true"}), "data.standIn: "),
    (an_event("paid", {"pspId": ...}), "data.pspId: The field is required"),
    (an_event("paid", {"pspId": "a" * 36}), "data.pspId: At most 35"),
    (an_event("paid", {"pspName": "a" * 71}), "data.pspName: At most 70"),
    (an_event("paid", {"paymentMethod": ""}), "data.paymentMethod: At least 1"),
    (an_event("paid", {"fee": -1}), "data.fee: At least 0"),
    (an_event("paid", {"iuv": "a b"}), "data.iuv: "),
    (an_event("reported", {"flowId": ...}), "data.flowId: The field is required"),
    (an_event("reported", {"transferId": 0}), "data.transferId: At least 1"),
    (an_event("reported", {"transferId": 6}), "data.transferId: At most 5"),
    (an_event("reported", {"amount": -1}), "data.amount: At least 0"),
    (an_event("reported", {"outcomeCode": 1}), "data.outcomeCode: One of 0, 3, 4, 8, 9"),
    (an_event("reported", {"outcomeCode": "0"}), "data.outcomeCode: "),
    (an_event("reported", {"paymentDate": "2026-02-30"}), "data.paymentDate: "),
    (an_event("reported", {"paymentDate": "2026-11-23T10:00:00Z"}), "data.paymentDate: "),
    (an_event("reported", {"settlementDate": ""}), "data.settlementDate: "),
    (an_event("publish", {"notice": ...}), "data.notice: The field is required"),
    (an_event("publish", {"notice": []}), "data.notice: An object is expected"),
    (an_event("publish", {"notice": a_body(amount=0)}), "data.notice.amount: At least 1"),
    (an_event("publish", {"notice": a_body(debtor={})}), "data.notice.debtor.type: The field is required"),
    (an_event("publish", {"notice": a_body(nonsense=1)}), "data.notice.nonsense: "),
    (an_event("publish", {"notice": a_body(iuv="1")}), "data.notice.iuv: "),
    (an_event("publish", address=Address(STRICT, type(ADDRESS.number)("347000000000000100"))), "data.noticeNumber: "),
    (an_event("cancel", address=Address(STRICT, type(ADDRESS.number)("ABC"))), "data.noticeNumber: "),
    (an_event("cancel", {"reason": ""}), "data.reason: At least 1"),
    (an_event("close", {"reason": "a" * 256}), "data.reason: At most 255"),
    (an_event("publish", time="2026-11-23T10:05:00.001Z"), "time: must be at most 5 minutes ahead"),
    (an_event("cancel", time="2027-11-23T10:05:00Z"), "time: must be at most 5 minutes ahead"),
]


@pytest.mark.parametrize(("event", "says"), MALFORMED)
async def test_what_is_no_cloud_event_is_malformed(
    application: Application, http: httpx.AsyncClient, event: Any, says: str
) -> None:
    assert await rejected(application, event) == ("malformed", Contains(says))


@pytest.mark.parametrize(("event", "says"), INVALID)
async def test_data_that_break_a_rule_are_invalid(
    application: Application, http: httpx.AsyncClient, event: Any, says: str
) -> None:
    assert await rejected(application, event) == ("invalid_data", Contains(says))


@pytest.mark.parametrize(
    ("type_", "reason"),
    [
        ("it.pagopa.notice.paid.v2", "unsupported_version"),
        ("it.pagopa.notice.close.v10", "unsupported_version"),
        ("it.pagopa.notice.paid", "unknown_type"),
        ("it.pagopa.notice.published.v1", "unknown_type"),
        ("it.pagopa.notice.paid.v1 ", "unknown_type"),
        ("something", "unknown_type"),
    ],
)
async def test_another_type_is_unknown_and_another_version_is_not_supported(
    application: Application, http: httpx.AsyncClient, type_: str, reason: str
) -> None:
    assert await rejected(application, an_event("paid", type=type_)) == (reason, Contains("it.pagopa.notice.paid.v1"))


@pytest.mark.parametrize(
    "subject",
    ["", f"{STRICT}", f"{STRICT}/{a_number(2)}", f"77777777777/{ADDRESS.number}", f"/{STRICT}/{ADDRESS.number}"],
)
async def test_subject_and_data_name_the_same_notice(
    application: Application, http: httpx.AsyncClient, subject: str
) -> None:
    reason, _ = await rejected(application, an_event("paid", subject=subject))

    assert reason == ("malformed" if subject == "" else "address_mismatch")


@pytest.mark.parametrize("type_", ["publish", "cancel", "close"])
async def test_a_declaration_needs_a_registered_institution(
    application: Application, http: httpx.AsyncClient, type_: str
) -> None:
    nobody = Address(type(STRICT)("00000000019"), ADDRESS.number)

    reason, description = await rejected(application, an_event(type_, address=nobody))

    assert reason == "unknown_institution"
    assert "institutions add" in description


async def paid(http: httpx.AsyncClient) -> None:
    await deliver(an_event("publish"))
    await deliver(an_event("paid"))


async def settled(http: httpx.AsyncClient) -> None:
    await deliver(an_event("publish"))
    await deliver(an_event("reported"))


async def cancelled(http: httpx.AsyncClient) -> None:
    await deliver(an_event("publish"))
    await deliver(an_event("cancel"))


async def closed(http: httpx.AsyncClient) -> None:
    await deliver(an_event("publish"))
    await deliver(an_event("close"))


async def of_an_ec(http: httpx.AsyncClient) -> None:
    await publish(http)


async def cancelled_of_an_ec(http: httpx.AsyncClient) -> None:
    await publish(http)
    await declare(http, "cancelled")


async def nothing(http: httpx.AsyncClient) -> None:
    pass


@pytest.mark.parametrize(
    ("before", "event", "reason"),
    [
        (of_an_ec, an_event("publish", id="another"), "managed_by_ec"),
        (of_an_ec, an_event("cancel", id="another"), "managed_by_ec"),
        (of_an_ec, an_event("close", id="another"), "managed_by_ec"),
        (cancelled_of_an_ec, an_event("cancel", id="another"), "managed_by_ec"),
        (paid, an_event("publish", id="another"), "notice_paid"),
        (paid, an_event("cancel", id="another"), "notice_paid"),
        (settled, an_event("close", id="another"), "notice_reported"),
        (cancelled, an_event("publish", id="another"), "notice_cancelled"),
        (cancelled, an_event("close", id="another"), "notice_cancelled"),
        (closed, an_event("cancel", id="another"), "notice_closed"),
        (
            nothing,
            an_event("publish", {"notice": PAST}),
            "due_date_in_past",
        ),
    ],
)
async def test_a_declaration_that_the_life_cycle_refuses_has_the_code_of_the_error(
    application: Application,
    http: httpx.AsyncClient,
    before: Callable[[httpx.AsyncClient], Any],
    event: Any,
    reason: str,
) -> None:
    await before(http)

    found, description = await rejected(application, event)

    assert found == reason
    assert reason in {error.code for error in catalogue()}
    assert len(description) > 20


async def test_all_broken_rules_of_the_data_are_named_and_no_value(
    application: Application, http: httpx.AsyncClient
) -> None:
    data = {"receiptId": "RSSMRA80A01H501U" * 5, "amount": -12345, "paidAt": "Mario Rossi", "pspId": ...}

    _, description = await rejected(application, an_event("paid", data))

    assert [part.split(": ")[0] for part in description.split(". ")] == [
        "data.receiptId",
        "data.amount",
        "data.paidAt",
        "data.pspId",
    ]
    assert not any(value in description for value in ("RSSMRA", "12345", "Mario"))


async def test_a_rejected_message_is_copied_as_it_came(application: Application, http: httpx.AsyncClient) -> None:
    body = b'\xff not JSON {"debtor": "Mario Rossi"}'

    await rejected(application, body)

    assert application.bus is not None
    [copy] = [each.message async for each in application.bus.peek(INBOUND_REJECTED)]
    assert (copy.id, copy.body) == ("message-1", body)


async def test_a_rejection_is_logged_with_its_reason_and_without_data(
    application: Application, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    await rejected(application, an_event("publish", {"notice": a_body(amount=0)}))

    [entry] = [json.loads(record.getMessage()) for record in caplog.records]
    assert (entry["event"], entry["reason"], entry["type"]) == ("message_rejected", "invalid_data", "publish")
    assert "Rossi" not in caplog.text


async def test_an_event_whose_copy_fails_comes_again(http: httpx.AsyncClient, file: sqlite3.Connection) -> None:
    file.execute("ALTER TABLE deliveries RENAME TO gone")

    with pytest.raises(NotApplied):
        await deliver(b"{")


async def test_an_event_that_finds_no_store_comes_again(http: httpx.AsyncClient, file: sqlite3.Connection) -> None:
    file.execute("ALTER TABLE notices RENAME TO gone")

    with pytest.raises(NotApplied):
        await deliver(an_event("paid"))


def test_every_reason_is_met_by_an_example() -> None:
    types = {"unknown_type", "unsupported_version"}

    assert types | {"malformed", "invalid_data", "address_mismatch", "unknown_institution"} == REASONS.keys()


async def rejected(application: Application, event: Any) -> tuple[str, str]:
    """Return reason and description of an event that must be rejected."""
    assert await deliver(event) is Outcome.REJECTED
    [found] = await rejections(application)
    return found


class Contains(str):
    """A text that is equal to each one that contains it."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and str(self) in str(other)
