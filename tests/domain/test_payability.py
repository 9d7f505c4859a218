"""Whether a notice can be paid in Stand-In: the guards, their order, and the transfers of a notice that can."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain import declarations, facts
from shared.domain.content import Stamp, Transfer
from shared.domain.dates import DueDate, ValidFrom
from shared.domain.lifecycle import Fault
from shared.domain.notice import Notice
from shared.domain.payability import Payable, decide
from tests.support import (
    ADDRESS,
    HOUR,
    IBAN,
    INSTITUTION,
    NOW,
    POSTAL_IBAN,
    a_line,
    a_notice,
    a_payment,
    a_transfer,
    an_act,
    an_institution,
)

MOMENT = timedelta(milliseconds=1)
NOT_ENABLED = an_institution(stand_in=False)
STAMP = Stamp("wHpFSLCGZjIvNSXxqtGbxg7275t446DRTk5ZrsdUQ6E=", "01", "RM")


def _cancelled(**changes: Any) -> Notice:
    return declarations.cancel(a_notice(NOW - HOUR, **changes), an_act(NOW - HOUR)).notice


def _paid(**changes: Any) -> Notice:
    return facts.record_payment(a_notice(NOW - HOUR, **changes), ADDRESS, a_payment(), an_act(NOW - HOUR)).notice


IN_STATUS: dict[str, Callable[..., Notice]] = {
    "SCHEDULED": lambda **changes: a_notice(NOW - HOUR, valid_from=ValidFrom(NOW + HOUR, whole_day=False), **changes),
    "ACTIVE": lambda **changes: a_notice(NOW - HOUR, **changes),
    "EXPIRED": lambda **changes: a_notice(
        NOW - 2 * HOUR, due_date=DueDate(NOW - HOUR, whole_day=False), switch_to_expired=True, **changes
    ),
    "CANCELLED": _cancelled,
    "CLOSED": lambda **changes: declarations.close(a_notice(NOW - HOUR, **changes), an_act(NOW - HOUR)).notice,
    "PAID": _paid,
    "REPORTED": lambda **changes: (
        facts.record_settlement(_paid(**changes), ADDRESS, a_line(), an_act(NOW - HOUR)).notice
    ),
}
AWAITED: dict[str, Callable[[], Notice]] = {
    "paid": lambda: facts.record_payment(None, ADDRESS, a_payment(), an_act()).notice,
    "reported": lambda: facts.record_settlement(None, ADDRESS, a_line(), an_act()).notice,
}

# The design, written once more by hand: the table under test must not be its own oracle.
ANSWERS = [
    ("SCHEDULED", "PAA_PAGAMENTO_SCONOSCIUTO"),
    ("ACTIVE", None),
    ("EXPIRED", "PAA_PAGAMENTO_SCADUTO"),
    ("CANCELLED", "PAA_PAGAMENTO_ANNULLATO"),
    ("CLOSED", "PAA_PAGAMENTO_DUPLICATO"),
    ("PAID", "PAA_PAGAMENTO_DUPLICATO"),
    ("REPORTED", "PAA_PAGAMENTO_DUPLICATO"),
]


def payable(notice: Notice) -> Payable:
    """Return the notice as the Nodo can have it paid."""
    decided = decide(notice, an_institution(), NOW)
    assert isinstance(decided, Payable), decided
    return decided


@pytest.mark.parametrize(("status", "fault"), ANSWERS)
def test_a_status_is_payable_or_has_its_fault(status: str, fault: str | None) -> None:
    notice = IN_STATUS[status]()
    assert notice.status_at(NOW) == status

    decided = decide(notice, an_institution(), NOW)

    assert (None if isinstance(decided, Payable) else decided) == fault


def test_an_unknown_number_is_unknown() -> None:
    assert decide(None, an_institution(), NOW) is Fault.UNKNOWN
    assert decide(None, NOT_ENABLED, NOW) is Fault.UNKNOWN


@pytest.mark.parametrize("status", IN_STATUS)
def test_no_notice_of_an_institution_that_is_not_enabled_is_known_in_any_status(status: str) -> None:
    assert decide(IN_STATUS[status](), NOT_ENABLED, NOW) is Fault.UNKNOWN


@pytest.mark.parametrize("status", IN_STATUS)
def test_a_notice_that_is_not_for_stand_in_is_unknown_in_any_status(status: str) -> None:
    assert decide(IN_STATUS[status](pay_stand_in=False), an_institution(), NOW) is Fault.UNKNOWN


@pytest.mark.parametrize("money", AWAITED)
def test_money_for_a_notice_that_was_not_communicated_is_a_duplicate(money: str) -> None:
    assert decide(AWAITED[money](), an_institution(), NOW) is Fault.DUPLICATE


@pytest.mark.parametrize("money", AWAITED)
def test_money_for_an_institution_that_is_not_enabled_is_unknown(money: str) -> None:
    assert decide(AWAITED[money](), NOT_ENABLED, NOW) is Fault.UNKNOWN


def test_the_status_is_the_one_of_the_moment_though_nothing_was_written_down() -> None:
    notice = a_notice(
        NOW - HOUR,
        valid_from=ValidFrom(NOW, whole_day=False),
        due_date=DueDate(NOW + HOUR, whole_day=False),
        switch_to_expired=True,
    )

    decided = [decide(notice, an_institution(), at) for at in (NOW - MOMENT, NOW, NOW + HOUR - MOMENT, NOW + HOUR)]

    assert [one if isinstance(one, Fault) else None for one in decided] == [Fault.UNKNOWN, None, None, Fault.EXPIRED]


def test_a_due_date_that_is_not_binding_does_not_matter() -> None:
    notice = a_notice(NOW - HOUR, due_date=DueDate(NOW - HOUR, whole_day=False))

    assert isinstance(decide(notice, an_institution(), NOW), Payable)


# Transfers


def test_a_notice_without_transfers_has_one_of_the_whole_amount_to_its_institution() -> None:
    assert payable(a_notice(NOW, postal_iban=POSTAL_IBAN)).transfers == (
        Transfer(
            id=1,
            amount=a_transfer().amount,
            creditor_institution=INSTITUTION,
            iban=IBAN,
            stamp=None,
            postal_iban=POSTAL_IBAN,
            remittance_information="TARI 2026 prima rata",
            category="STAND-IN",
            metadata={},
        ),
    )


def test_the_remittance_information_of_the_computed_transfer_is_the_description_cut_to_140_characters() -> None:
    (transfer,) = payable(a_notice(NOW, description="è" * 255)).transfers

    assert transfer.remittance_information == "è" * 140


def test_transfers_that_were_given_are_as_they_were_given() -> None:
    given = (a_transfer(1, 12000, metadata={"k": "v"}), a_transfer(2, 50))

    assert payable(a_notice(NOW, iban=None, transfers=given)).transfers == given


POSTAL, PLAIN = a_transfer(1, 6025, postal_iban=POSTAL_IBAN), a_transfer(2, 6025)


@pytest.mark.parametrize(
    ("transfers", "all_ccp"),
    [
        ([POSTAL, replace(POSTAL, id=2)], True),
        ([POSTAL, PLAIN], False),
        ([replace(PLAIN, id=1), PLAIN], False),
        ([POSTAL, replace(PLAIN, iban=None, stamp=STAMP)], False),
    ],
)
def test_all_ccp_says_that_every_transfer_has_a_postal_iban(transfers: list[Transfer], all_ccp: bool) -> None:
    assert payable(a_notice(NOW, iban=None, transfers=tuple(transfers))).all_ccp is all_ccp


@pytest.mark.parametrize(("postal_iban", "all_ccp"), [(POSTAL_IBAN, True), (None, False)])
def test_all_ccp_of_the_computed_transfer_is_that_of_the_notice(postal_iban: Any, all_ccp: bool) -> None:
    assert payable(a_notice(NOW, postal_iban=postal_iban)).all_ccp is all_ccp
