"""What is read back from the store is what was kept: equal, and of the same types, in every field."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace

import pytest

from shared.documents import decode_event, decode_notice, dumps, event_document, loads, notice_document
from shared.domain.amounts import Amount
from shared.domain.content import Stamp
from shared.domain.dates import DueDate, ValidFrom
from shared.domain.declarations import amend, cancel, publish
from shared.domain.facts import record_payment, record_settlement
from shared.domain.institutions import RegisteredIban
from shared.domain.money import OutcomeCode
from shared.domain.notice import Change
from tests.support import (
    DAY,
    HOUR,
    IBAN,
    NOW,
    POSTAL_IBAN,
    a_line,
    a_number,
    a_payment,
    a_publication,
    a_transfer,
    an_act,
)

DEFAULT = RegisteredIban(IBAN, frozenset({"ACA"}), NOW - DAY, postal=True)


def changes() -> dict[str, Change]:
    """A change of every kind, each of which names fields that no other names."""
    published = publish(None, a_publication(metadata={"k": "v"}, valid_from=ValidFrom.parse("2026-12-01")), an_act())
    stamp = a_transfer(2, 50, iban=None, stamp=Stamp("digest", "01", "RM"), metadata={"k": "v"})
    divided = a_publication(transfers=(a_transfer(amount=12000), stamp), iban=None, postal_iban=None)
    everything = a_publication(
        due_date=DueDate.parse("9999-12-31"), valid_from=ValidFrom.parse("2026-12-01T10:00:00Z"), iban=IBAN,
        postal_iban=POSTAL_IBAN, switch_to_expired=True, pay_stand_in=False, iupd="1", company_name="C",
        office_name="O", metadata={"l": "w"}, description="Other",
    )  # fmt: skip
    context = an_act(NOW + HOUR, reason="Why", cause="A cause")
    named = {"full_name": "Maria Rossi"}
    return {
        "published": published,
        "stated anew": publish(published.notice, everything, context),
        "divided": publish(published.notice, divided, context),
        "amended": amend(
            published.notice, {"amount": Amount(1), "iban": None, "debtor": named, "valid_from": None}, DEFAULT, context
        ),
        "replaced": cancel(published.notice, context, replaced_by=a_number(2)),
        "paid": record_payment(
            published.notice, a_publication().address, a_payment(psp_name="P", payment_method="CP", fee=1), context
        ),
        "settled": record_settlement(
            published.notice,
            a_publication().address,
            a_line(outcome_code=OutcomeCode.REVOKED, settlement_date=NOW.date(), receipt_id="r", psp_id="p"),
            context,
        ),
    }


def types_of(value: object) -> object:
    """The types of a value and of all that it holds."""
    if is_dataclass(value) and not isinstance(value, type):
        return type(value), {field.name: types_of(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: types_of(one) for key, one in value.items()}
    return [type(value), *map(types_of, value)] if isinstance(value, tuple) else type(value)


@pytest.mark.parametrize("name", changes())
def test_an_event_is_read_back_with_the_types_it_was_kept_with(name: str) -> None:
    for event in changes()[name].events:
        back = decode_event(loads(dumps(event_document(event))))

        assert types_of(back) == types_of(event)
        assert replace(back, write_id=event.write_id) == event


@pytest.mark.parametrize("name", changes())
def test_a_notice_is_read_back_with_the_types_it_was_kept_with(name: str) -> None:
    notice = changes()[name].notice

    back = decode_notice(loads(dumps(notice_document(notice).whole)))

    assert types_of(back) == types_of(notice)
    assert back == notice


def test_every_field_that_can_change_is_changed_here() -> None:
    named = {name for change in changes().values() for event in change.events for name in event.changed}

    assert named >= {field.name for field in fields(a_publication().content)} | {
        "status", "end_reason", "replaced_by", "payments", "settlements", "anomalies",
    }  # fmt: skip
