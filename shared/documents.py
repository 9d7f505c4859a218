"""Stored JSON ⇄ domain, the same in every store; `schema` tells how a document is to be read.

A notice lies beside its events: `id` is `notice`, or `event-` and the version it made. Fields that stores search by
(`dueDateKey`, `startsAt`, `endsAt`, `nextChangeAt`) follow from the others and are never read back.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any

import orjson

from shared.domain.content import Content, Debtor, DebtorType, IbanSource, Stamp, Transfer
from shared.domain.dates import DueDate, ValidFrom, decode_instant, format_instant
from shared.domain.events import Actor, EndReason, NoticeEvent, Origin, Role, Summary
from shared.domain.identifiers import DebtorCode, Iban, InstitutionCode, Iuv, NoticeNumber
from shared.domain.lifecycle import Anomaly, EventType, Status
from shared.domain.money import OutcomeCode, Payment, Settlement
from shared.domain.notice import Address, Notice

SCHEMA = 1

Document = dict[str, Any]


def notice_document(notice: Notice) -> Document:
    """Return the document of a notice."""
    dates = notice.dates
    document = {
        "id": "notice",
        "schema": SCHEMA,
        "creditorInstitution": notice.address.creditor_institution,
        "noticeNumber": notice.address.number,
        "iuv": notice.iuv,
        "version": notice.version,
        "status": notice.status,
        "updatedAt": format_instant(notice.updated_at),
        "origin": notice.origin,
        "publishedAt": plain(notice.published_at),
        "payments": plain(notice.payments),
        "settlements": plain(notice.settlements),
        "anomalies": plain(notice.anomalies),
        "endReason": notice.end_reason,
        "replacedBy": notice.replaced_by,
        "contentAt": plain(notice.content_at),
        "stateAt": plain(notice.state_at),
        "awaitedUntil": plain(notice.awaited_until),
        "startsAt": plain(dates.starts_at),
        "endsAt": plain(dates.ends_at),
        "nextChangeAt": plain(dates.of(notice.status)),
    }
    if notice.content is not None:
        document |= content_fields(notice.content)
        document["dueDateKey"] = notice.content.due_date.sort_key
    return {name: value for name, value in document.items() if value not in _NOTHING}


def decode_notice(document: Document) -> Notice:
    """Return the notice of a document."""
    get = document.get
    return Notice(
        address=Address(InstitutionCode(document["creditorInstitution"]), NoticeNumber(document["noticeNumber"])),
        iuv=Iuv(document["iuv"]),
        version=document["version"],
        status=Status(document["status"]),
        updated_at=decode_instant(document["updatedAt"]),
        origin=_optional(Origin, get("origin")),
        published_at=_optional(decode_instant, get("publishedAt")),
        content=_read_content(document) if "amount" in document else None,
        payments=_read_payments(get("payments", ())),
        settlements=_read_settlements(get("settlements", ())),
        anomalies=_read_anomalies(get("anomalies", ())),
        end_reason=_optional(EndReason, get("endReason")),
        replaced_by=_optional(NoticeNumber, get("replacedBy")),
        content_at=_optional(decode_instant, get("contentAt")),
        state_at=_optional(decode_instant, get("stateAt")),
        awaited_until=_optional(decode_instant, get("awaitedUntil")),
    )


def event_document(event: NoticeEvent) -> Document:
    """Return the document of an event."""
    return {
        "id": event_id(event.version),
        "schema": SCHEMA,
        "creditorInstitution": event.creditor_institution,
        "noticeNumber": event.number,
        "version": event.version,
        "type": event.type,
        "recordedAt": format_instant(event.recorded_at),
        "occurredAt": format_instant(event.occurred_at),
        "actor": {"role": event.actor.role, "name": event.actor.name},
        "writeId": event.write_id,
        "statusBefore": event.status_before,
        "statusAfter": event.status_after,
        "changed": changed_fields(event),
        "summary": plain(event.summary),
        **{
            name: plain(value)
            for name, value in (
                ("cause", event.cause),
                ("reason", event.reason),
                ("anomaly", event.anomaly),
                ("payment", event.payment),
                ("settlement", event.settlement),
            )
            if value is not None
        },
    }


def decode_event(document: Document) -> NoticeEvent:
    """Return the event of a document."""
    get, summary = document.get, document["summary"]
    return NoticeEvent(
        creditor_institution=InstitutionCode(document["creditorInstitution"]),
        number=NoticeNumber(document["noticeNumber"]),
        version=document["version"],
        type=EventType(document["type"]),
        recorded_at=decode_instant(document["recordedAt"]),
        occurred_at=decode_instant(document["occurredAt"]),
        actor=Actor(Role(document["actor"]["role"]), document["actor"]["name"]),
        write_id=document["writeId"],
        status_before=_optional(Status, document["statusBefore"]),
        status_after=Status(document["statusAfter"]),
        changed={
            _FIELD_NAMES[name]: (_read_field(name, pair["from"]), _read_field(name, pair["to"]))
            for name, pair in document["changed"].items()
        },
        summary=Summary(
            iuv=Iuv(summary["iuv"]),
            origin=_optional(Origin, summary.get("origin")),
            amount=summary.get("amount"),
            due_date=_optional(DueDate.decode, summary.get("dueDate")),
            pay_stand_in=summary.get("payStandIn"),
            end_reason=_optional(EndReason, summary.get("endReason")),
        ),
        cause=get("cause"),
        reason=get("reason"),
        anomaly=_optional(Anomaly, get("anomaly")),
        payment=_optional(_read_payment, get("payment")),
        settlement=_optional(_read_settlement, get("settlement")),
    )


def event_id(version: int) -> str:
    """Return the id of the event that made a version."""
    return f"event-{version:08}"


def content_fields(content: Content) -> Document:
    """Return what a notice says, field by field, under the names of the public contract."""
    # Written out, for every publish and every read pays for it.
    return {
        "amount": content.amount,
        "description": content.description,
        "dueDate": str(content.due_date),
        "debtor": plain(content.debtor),
        "iban": content.iban,
        "postalIban": content.postal_iban,
        "ibanSource": content.iban_source,
        "validFrom": plain(content.valid_from),
        "switchToExpired": content.switch_to_expired,
        "payStandIn": content.pay_stand_in,
        "transfers": plain(content.transfers),
        "iupd": content.iupd,
        "companyName": content.company_name,
        "officeName": content.office_name,
        "metadata": content.metadata,
    }


def changed_fields(event: NoticeEvent) -> Document:
    """Return what an event changed, field by field, under the names of the public contract."""
    return {camel(name): {"from": plain(old), "to": plain(new)} for name, (old, new) in event.changed.items()}


def camel(name: str) -> str:
    """Return the name of a field in the contract: `due_date` is `dueDate`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def plain(value: object) -> Any:
    """Return a value of the domain as JSON knows it; within a part of a notice, what is not there is left out."""
    encode = _ENCODERS.get(type(value))
    return value if encode is None else encode(value)


def dumps(document: Document) -> bytes:
    """Return the document as bytes of JSON."""
    return orjson.dumps(document)


def loads(data: bytes) -> Document:
    """Return the document that the bytes hold."""
    document: Document = orjson.loads(data)
    return document


def _parts(kind: type[Any]) -> Callable[[object], Document]:
    """Return an encoder of a dataclass: its fields by their public names, without those that are None."""
    names = tuple(field.name for field in fields(kind))
    values, public = attrgetter(*names), tuple(map(camel, names))

    def encode(part: object) -> Document:
        return {name: plain(value) for name, value in zip(public, values(part), strict=True) if value is not None}

    return encode


def _plain_tuple(values: Any) -> list[Any]:
    return [plain(value) for value in values]


_ENCODERS: Mapping[type[Any], Callable[[Any], Any]] = {
    datetime: format_instant,
    date: date.isoformat,
    DueDate: str,
    ValidFrom: str,
    OutcomeCode: int,
    tuple: _plain_tuple,
    **{kind: _parts(kind) for kind in (Debtor, Stamp, Transfer, Payment, Settlement, Summary)},
}

_NOTHING: tuple[object, ...] = (None, [], {})
_FIELD_NAMES = {camel(field.name): field.name for kind in (Content, Notice) for field in fields(kind)}


def _optional(read: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else read(value)


def _read_field(name: str, value: Any) -> object:
    return _optional(_READERS.get(name, _as_it_is), value)


def _as_it_is(value: Any) -> Any:
    return value


def _read_content(document: Document) -> Content:
    get = document.get
    return Content(
        amount=document["amount"],
        description=document["description"],
        due_date=DueDate.decode(document["dueDate"]),
        debtor=_read_debtor(document["debtor"]),
        iban=_optional(Iban, get("iban")),
        postal_iban=_optional(Iban, get("postalIban")),
        iban_source=_optional(IbanSource, get("ibanSource")),
        valid_from=_optional(ValidFrom.decode, get("validFrom")),
        switch_to_expired=document["switchToExpired"],
        pay_stand_in=document["payStandIn"],
        transfers=_read_transfers(get("transfers", ())),
        iupd=get("iupd"),
        company_name=get("companyName"),
        office_name=get("officeName"),
        metadata=get("metadata", {}),
    )


def _read_debtor(part: Document) -> Debtor:
    return Debtor(DebtorType(part["type"]), DebtorCode(part["fiscalCode"]), part["fullName"])


def _read_transfers(parts: Any) -> tuple[Transfer, ...]:
    return tuple(map(_read_transfer, parts))


def _read_transfer(part: Document) -> Transfer:
    stamp = part.get("stamp")
    return Transfer(
        id=part["id"],
        amount=part["amount"],
        creditor_institution=InstitutionCode(part["creditorInstitution"]),
        iban=_optional(Iban, part.get("iban")),
        stamp=Stamp(stamp["hashDocument"], stamp["stampType"], stamp["provincialResidence"]) if stamp else None,
        postal_iban=_optional(Iban, part.get("postalIban")),
        remittance_information=part["remittanceInformation"],
        category=part["category"],
        metadata=part["metadata"],
    )


def _read_payments(parts: Any) -> tuple[Payment, ...]:
    return tuple(map(_read_payment, parts))


def _read_payment(part: Document) -> Payment:
    return Payment(
        receipt_id=part["receiptId"],
        amount=part["amount"],
        paid_at=decode_instant(part["paidAt"]),
        stand_in=part["standIn"],
        psp_id=part["pspId"],
        psp_name=part.get("pspName"),
        payment_method=part.get("paymentMethod"),
        fee=part.get("fee"),
    )


def _read_settlements(parts: Any) -> tuple[Settlement, ...]:
    return tuple(map(_read_settlement, parts))


def _read_settlement(part: Document) -> Settlement:
    return Settlement(
        flow_id=part["flowId"],
        transfer_id=part["transferId"],
        amount=part["amount"],
        outcome_code=OutcomeCode(part["outcomeCode"]),
        payment_date=date.fromisoformat(part["paymentDate"]),
        settlement_date=_optional(date.fromisoformat, part.get("settlementDate")),
        receipt_id=part.get("receiptId"),
        psp_id=part.get("pspId"),
    )


def _read_anomalies(parts: Any) -> tuple[Anomaly, ...]:
    return tuple(map(Anomaly, parts))


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "dueDate": DueDate.decode,
    "validFrom": ValidFrom.decode,
    "debtor": _read_debtor,
    "iban": Iban,
    "postalIban": Iban,
    "ibanSource": IbanSource,
    "transfers": _read_transfers,
    "status": Status,
    "payments": _read_payments,
    "settlements": _read_settlements,
    "anomalies": _read_anomalies,
    "endReason": EndReason,
    "replacedBy": NoticeNumber,
}
