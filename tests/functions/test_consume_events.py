"""Inbound events that are right: positions of GPD, receipts, settlement lines, and their repetitions."""

import json
import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest

from local.functions import load
from local.queues import service_bus_message
from shared.bootstrap import Application
from shared.domain.notice import Address
from shared.inbound import Outcome, consume
from shared.messages import INBOUND_EVENTS, Message, QueuedMessage
from tests.conftest import ROOT
from tests.functions.client import NOTICE, declare, history, publish, refusal, register_institution, shown, types
from tests.functions.inbound import an_event, deliver, queued, rejections
from tests.functions.queues import bus_of, rejected
from tests.support import ADDRESS, HOUR, NOW, SECOND, StillClock, a_body, a_number


async def test_a_position_of_gpd_is_published_by_gpd(http: httpx.AsyncClient) -> None:
    assert await deliver(an_event("publish")) is Outcome.APPLIED

    notice = await shown(http)
    assert (notice["origin"], notice["status"], notice["amount"]) == ("gpd", "ACTIVE", 12050)


async def test_the_history_names_the_producer_and_when_it_happened_there(http: httpx.AsyncClient) -> None:
    await deliver(an_event("publish", source="/gpd", time="2026-11-23T10:30:00.5+01:00"))

    (event,) = await history(http)
    assert event["actor"] == {"role": "platform", "name": "/gpd"}
    assert event["occurredAt"] == "2026-11-23T09:30:00.500Z"


async def test_the_id_of_the_event_and_its_trace_are_kept(application: Application, http: httpx.AsyncClient) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await deliver(an_event("publish", id="position-7", traceparent=trace))

    (event,) = await application.archive.store.history(ADDRESS)
    assert (event.cause, event.traceparent) == ("position-7", trace)


async def test_a_trace_that_is_none_of_w3c_is_ignored(application: Application, http: httpx.AsyncClient) -> None:
    assert await deliver(an_event("publish", traceparent="nonsense")) is Outcome.APPLIED

    (event,) = await application.archive.store.history(ADDRESS)
    assert event.traceparent is None


async def test_a_position_that_differs_amends_the_notice(http: httpx.AsyncClient) -> None:
    await deliver(an_event("publish"))

    again = an_event("publish", {"notice": a_body(amount=13000)}, time="2026-11-23T09:59:01Z")

    assert await deliver(again) is Outcome.APPLIED
    assert await types(http) == ["published", "amended"]


async def test_a_position_that_is_sent_again_changes_nothing(http: httpx.AsyncClient) -> None:
    await deliver(an_event("publish"))

    assert await deliver(an_event("publish", id="another")) is Outcome.REPEATED
    assert await types(http) == ["published"]


async def test_a_position_that_is_older_than_the_stored_one_is_completed(http: httpx.AsyncClient) -> None:
    await deliver(an_event("publish"))
    await deliver(an_event("publish", {"notice": a_body(amount=13000)}, time="2026-11-23T09:59:30Z"))

    late = an_event("publish", {"notice": a_body(amount=14000)}, time="2026-11-23T09:59:10Z")

    assert await deliver(late) is Outcome.STALE
    assert (await shown(http))["amount"] == 13000


async def test_line_ends_and_tabs_in_texts_are_read_as_one_blank(http: httpx.AsyncClient) -> None:
    notice = a_body(description="TARI\r\n\t2026", metadata={"a\tb": "c\nd"})

    assert await deliver(an_event("publish", {"notice": notice})) is Outcome.APPLIED

    answer = await shown(http)
    assert (answer["description"], answer["metadata"]) == ("TARI 2026", {"a b": "c d"})


async def test_a_position_without_iban_takes_the_registered_one(http: httpx.AsyncClient) -> None:
    await deliver(an_event("publish"))

    assert (await shown(http))["ibanSource"] == "registered"


async def test_the_checks_of_a_position_are_those_of_its_institution(http: httpx.AsyncClient) -> None:
    lenient = Address(type(ADDRESS.creditor_institution)("77777777777"), type(ADDRESS.number)("ANY1"))

    assert await deliver(an_event("publish", address=lenient)) is Outcome.APPLIED


async def test_a_receipt_makes_a_notice_paid(http: httpx.AsyncClient) -> None:
    await publish(http)
    data = {"standIn": True, "pspName": "Banca di\tProva", "paymentMethod": "creditCard", "fee": 150}

    assert await deliver(an_event("paid", data)) is Outcome.APPLIED

    notice = await shown(http)
    assert notice["status"] == "PAID"
    assert notice["payments"] == [
        {
            "receiptId": "receipt-1",
            "amount": 12050,
            "paidAt": "2026-11-23T09:58:00.000Z",
            "standIn": True,
            "pspId": "ABI03069",
            "pspName": "Banca di Prova",
            "paymentMethod": "creditCard",
            "fee": 150,
        }
    ]


async def test_the_same_receipt_five_times_is_one_event(http: httpx.AsyncClient) -> None:
    await publish(http)

    outcomes = [await deliver(an_event("paid", id=f"event-{n}")) for n in range(5)]

    assert outcomes == [Outcome.APPLIED, *[Outcome.REPEATED] * 4]
    assert await types(http) == ["published", "paid"]


@pytest.mark.parametrize("type_", ["paid", "reported"])
async def test_a_fact_whose_time_is_ahead_has_the_time_at_which_it_came(http: httpx.AsyncClient, type_: str) -> None:
    await publish(http)

    assert await deliver(an_event(type_, time="2026-11-24T10:00:00Z")) is Outcome.APPLIED
    assert (await history(http))[-1]["occurredAt"] == "2026-11-23T10:00:00.000Z"


async def test_a_second_receipt_is_an_anomaly(http: httpx.AsyncClient) -> None:
    await publish(http)
    await deliver(an_event("paid"))

    assert await deliver(an_event("paid", {"receiptId": "receipt-2"})) is Outcome.APPLIED
    assert (await shown(http))["anomalies"] == ["paid_twice"]


async def test_a_receipt_for_an_unknown_notice_waits_for_it(http: httpx.AsyncClient) -> None:
    assert await deliver(an_event("paid")) is Outcome.APPLIED
    assert refusal(await http.get(NOTICE)) == (404, "notice_not_found")

    assert await deliver(an_event("publish")) is Outcome.APPLIED
    assert (await shown(http))["status"] == "PAID"


async def test_a_receipt_whose_notice_did_not_come_within_a_day_is_uncommunicated(
    application: Application, http: httpx.AsyncClient
) -> None:
    await deliver(an_event("paid"))

    async def uncommunicated(age: timedelta) -> list[Address]:
        return [notice.address async for notice in application.archive.uncommunicated(NOW + age)]

    assert await uncommunicated(24 * HOUR - timedelta(milliseconds=1)) == []
    assert await uncommunicated(24 * HOUR) == [ADDRESS]


async def test_money_of_an_institution_that_nobody_registered_is_taken(
    http: httpx.AsyncClient, application: Application
) -> None:
    nobody = Address(type(ADDRESS.creditor_institution)("00000000019"), a_number(7))

    assert await deliver(an_event("paid", address=nobody)) is Outcome.APPLIED
    assert await deliver(an_event("reported", address=nobody)) is Outcome.APPLIED

    notice = await application.archive.store.load(nobody)
    assert notice is not None
    assert notice.status == "AWAITED"


@pytest.mark.parametrize("number", ["347000000000000100", "ABC", "1"])
async def test_the_number_of_a_receipt_is_checked_for_its_form_only(http: httpx.AsyncClient, number: str) -> None:
    address = Address(ADDRESS.creditor_institution, type(ADDRESS.number)(number))

    assert await deliver(an_event("paid", address=address)) is Outcome.APPLIED


async def test_a_settlement_line_makes_a_notice_reported(http: httpx.AsyncClient) -> None:
    await publish(http)
    data = {"settlementDate": "2026-11-24", "receiptId": "receipt-1", "pspId": "ABI03069", "outcomeCode": 4}

    assert await deliver(an_event("reported", data)) is Outcome.APPLIED

    notice = await shown(http)
    assert notice["status"] == "REPORTED"
    assert notice["settlements"] == [
        {
            "flowId": "flow-1",
            "transferId": 1,
            "amount": 12050,
            "outcomeCode": 4,
            "paymentDate": "2026-11-23",
            "settlementDate": "2026-11-24",
            "receiptId": "receipt-1",
            "pspId": "ABI03069",
        }
    ]


async def test_a_line_that_takes_a_payment_back_changes_no_status(http: httpx.AsyncClient) -> None:
    await publish(http)

    assert await deliver(an_event("reported", {"outcomeCode": 3, "amount": 0})) is Outcome.APPLIED

    notice = await shown(http)
    assert (notice["status"], notice["anomalies"]) == ("ACTIVE", ["payment_revoked"])


@pytest.mark.parametrize(
    ("type_", "status", "reason"), [("cancel", "CANCELLED", "cancelled"), ("close", "CLOSED", "paid_elsewhere")]
)
async def test_gpd_ends_a_notice_of_gpd(http: httpx.AsyncClient, type_: str, status: str, reason: str) -> None:
    await deliver(an_event("publish"))

    assert await deliver(an_event(type_, {"reason": "replaced\nby hand"})) is Outcome.APPLIED

    notice, (*_, event) = await shown(http), await history(http)
    assert (notice["status"], notice["endReason"], event["reason"]) == (status, reason, "replaced by hand")
    assert await deliver(an_event(type_, id="again")) is Outcome.REPEATED


async def test_a_paid_notice_that_was_cancelled_before_has_an_anomaly(http: httpx.AsyncClient) -> None:
    await publish(http)
    await declare(http, "cancelled")

    await deliver(an_event("paid"))

    notice = await shown(http)
    assert (notice["status"], notice["anomalies"]) == ("PAID", ["paid_after_cancellation"])


@pytest.mark.parametrize(("type_", "status"), [("cancel", "CANCELLED"), ("close", "CLOSED")])
async def test_the_end_of_a_notice_that_nobody_published_waits_in_the_queue(
    application: Application, http: httpx.AsyncClient, clock: StillClock, type_: str, status: str
) -> None:
    bus = bus_of(application)

    assert await deliver(an_event(type_)) is Outcome.WAITS

    assert await bus.receive(INBOUND_EVENTS, 10) == []
    await deliver(an_event("publish", time="2026-11-23T09:58:00Z"))
    clock.advance(SECOND)
    [copy] = await bus.receive(INBOUND_EVENTS, 10)
    assert await consume(service_bus_message(copy.queued)) is Outcome.APPLIED
    assert (await shown(http))["status"] == status


async def test_an_early_end_waits_ten_times_and_longer_each_time_and_is_rejected_then(
    application: Application, http: httpx.AsyncClient, clock: StillClock
) -> None:
    bus, waits = bus_of(application), []
    outcome = await deliver(an_event("cancel"))
    while outcome is Outcome.WAITS:
        began = clock.now
        while not (deliveries := await bus.receive(INBOUND_EVENTS, 10)):
            clock.advance(SECOND)
        waits.append((clock.now - began) // SECOND)
        outcome = await consume(service_bus_message(deliveries[0].queued))
        await bus.complete(deliveries[0])

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert outcome is Outcome.REJECTED
    assert [reason for reason, _ in await rejections(application)] == ["notice_not_found"]
    [copy] = await rejected(application)
    assert copy.properties.keys() == {"reason", "description"}


async def test_an_early_end_that_is_delivered_again_waits_once(
    application: Application, http: httpx.AsyncClient
) -> None:
    for _ in range(3):
        assert await deliver(an_event("cancel")) is Outcome.WAITS

    assert len([each async for each in bus_of(application).peek(INBOUND_EVENTS)]) == 1


@pytest.mark.parametrize("type_", ["cancel", "close"])
async def test_the_end_of_a_notice_that_is_awaited_waits_too(http: httpx.AsyncClient, type_: str) -> None:
    await deliver(an_event("paid"))

    assert await deliver(an_event(type_)) is Outcome.WAITS


@pytest.mark.parametrize("attempt", [0, -1, True, "2", 10**6])
async def test_an_attempt_that_a_producer_makes_up_does_no_harm(http: httpx.AsyncClient, attempt: Any) -> None:
    message = Message("message-1", json.dumps(an_event("cancel")).encode(), {"attempt": attempt})
    received = service_bus_message(QueuedMessage(INBOUND_EVENTS, 1, message, NOW, 1))

    assert await consume(received) in (Outcome.WAITS, Outcome.REJECTED)


async def test_a_declaration_whose_producer_is_a_little_ahead_waits_for_its_time(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    async def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    first = an_event("publish", {"notice": a_body(amount=1)}, time="2026-11-23T10:00:00.010Z")
    second = an_event("publish", {"notice": a_body(amount=2)}, time="2026-11-23T10:00:00.020Z")
    assert await consume(service_bus_message(queued(second)), sleep) is Outcome.APPLIED
    assert await consume(service_bus_message(queued(first)), sleep) is Outcome.STALE

    assert (await shown(http))["amount"] == 2


async def test_a_declaration_may_be_exactly_five_minutes_ahead(http: httpx.AsyncClient) -> None:
    assert await deliver(an_event("publish", time="2026-11-23T10:05:00Z")) is Outcome.APPLIED


async def test_an_event_may_have_exactly_200_000_bytes(http: httpx.AsyncClient) -> None:
    body = json.dumps(an_event("paid")).encode()

    assert await deliver(body.ljust(200_000)) is Outcome.APPLIED


async def test_what_a_producer_adds_is_ignored(http: httpx.AsyncClient) -> None:
    event = an_event("paid", {"payer": {"fullName": "Mario Rossi"}}, partitionkey="a", knownextension=7)

    assert await deliver(event) is Outcome.APPLIED


async def test_optional_fields_may_be_null(http: httpx.AsyncClient) -> None:
    await publish(http)
    nulls: dict[str, Any] = {"standIn": None, "pspName": None, "paymentMethod": None, "fee": None, "iuv": None}

    assert await deliver(an_event("paid", nulls, datacontenttype=None, traceparent=None)) is Outcome.APPLIED


async def test_the_function_of_the_platform_takes_a_message_and_returns_nothing(http: httpx.AsyncClient) -> None:
    [function] = [each for each in load(ROOT) if each.name == "consume_events"]
    assert (function.trigger["type"], function.trigger["queueName"]) == ("serviceBusTrigger", "inbound-events")

    assert await function.call(service_bus_message(queued(an_event("publish")))) is None

    assert await types(http) == ["published"]


async def test_each_event_that_is_completed_is_counted_in_the_log(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await deliver(an_event("publish"))
    await deliver(an_event("publish"))

    entries = [json.loads(record.getMessage()) for record in caplog.records]
    assert [(entry["event"], entry["outcome"], entry["type"]) for entry in entries] == [
        ("message_consumed", "applied", "publish"),
        ("message_consumed", "repeated", "publish"),
    ]
    assert "Rossi" not in caplog.text


async def test_an_institution_that_is_registered_while_the_event_is_rejected_is_taken_at_its_replay(
    application: Application, http: httpx.AsyncClient, clock: StillClock
) -> None:
    late = Address(type(ADDRESS.creditor_institution)("00000000019"), a_number(7))
    assert await deliver(an_event("publish", address=late)) is Outcome.REJECTED
    await register_institution(application, fiscal_code=late.creditor_institution, ibans=())
    clock.advance(HOUR)

    again = an_event("publish", {"notice": a_body(iban="IT60X0542811101000000123456")}, address=late)

    assert await deliver(again) is Outcome.APPLIED
