"""What a notice says: where its money goes, and how it is amended."""

from dataclasses import replace

import pytest

from shared.domain.content import Changes, Content, Debtor, DebtorType, IbanSource
from shared.domain.dates import DueDate, ValidFrom
from shared.domain.identifiers import DebtorCode, Iban
from shared.domain.institutions import RegisteredIban
from shared.errors import InvalidBody, NoIbanRegistered
from tests.support import DAY, IBAN, NOW, POSTAL_IBAN, a_content, a_transfer

OTHER_IBAN = Iban("IT66C0100003245000000000001")
OTHER_POSTAL_IBAN = Iban("IT20P0760103200001234567890")
DEFAULT = RegisteredIban(OTHER_IBAN, frozenset({"ACA"}), NOW)
POSTAL_DEFAULT = RegisteredIban(POSTAL_IBAN, frozenset({"ACA"}), NOW, postal=True)


def unsettled(**changes: object) -> Content:
    """Return a content that names no IBAN, before one was looked for."""
    return replace(a_content(), iban=None, iban_source=None, **changes)  # type: ignore[arg-type]


def test_a_given_iban_is_kept_whatever_is_registered() -> None:
    settled = replace(unsettled(), iban=IBAN).with_iban(DEFAULT)

    assert (settled.iban, settled.iban_source) == (IBAN, IbanSource.GIVEN)


def test_a_notice_without_iban_takes_the_registered_one() -> None:
    settled = unsettled().with_iban(DEFAULT)

    assert (settled.iban, settled.postal_iban, settled.iban_source) == (OTHER_IBAN, None, IbanSource.REGISTERED)


def test_a_postal_default_serves_as_postal_iban_too() -> None:
    assert unsettled().with_iban(POSTAL_DEFAULT).postal_iban == POSTAL_IBAN


def test_a_given_postal_iban_neither_suppresses_the_default_nor_yields_to_it() -> None:
    settled = unsettled(postal_iban=OTHER_POSTAL_IBAN).with_iban(POSTAL_DEFAULT)

    assert (settled.iban, settled.postal_iban) == (POSTAL_IBAN, OTHER_POSTAL_IBAN)


def test_a_notice_without_iban_is_refused_where_none_is_registered() -> None:
    with pytest.raises(NoIbanRegistered):
        unsettled().with_iban(None)


def test_transfers_take_no_default() -> None:
    settled = unsettled(transfers=(a_transfer(),)).with_iban(DEFAULT)

    assert (settled.iban, settled.postal_iban, settled.iban_source) == (None, None, None)


def test_changes_that_change_nothing_leave_the_content_as_it_is_even_when_the_default_is_another_now() -> None:
    content = unsettled().with_iban(DEFAULT)

    assert content.amended({}, POSTAL_DEFAULT) is content
    assert content.amended({"amount": content.amount}, POSTAL_DEFAULT) is content


def test_a_change_looks_the_registered_iban_up_anew() -> None:
    content = unsettled().with_iban(DEFAULT).amended({"description": "another"}, POSTAL_DEFAULT)

    assert (content.iban, content.postal_iban) == (POSTAL_IBAN, POSTAL_IBAN)


def test_a_postal_iban_that_the_default_filled_goes_with_the_default() -> None:
    content = unsettled().with_iban(POSTAL_DEFAULT).amended({"description": "another"}, DEFAULT)

    assert (content.iban, content.postal_iban) == (OTHER_IBAN, None)


def test_a_refresh_that_finds_no_default_keeps_the_iban_the_notice_has() -> None:
    content = unsettled().with_iban(POSTAL_DEFAULT).amended({"description": "another"}, None)

    assert (content.iban, content.postal_iban, content.iban_source) == (
        POSTAL_IBAN,
        POSTAL_IBAN,
        IbanSource.REGISTERED,
    )


@pytest.mark.parametrize("default", [POSTAL_DEFAULT, None], ids=["registered", "registered no longer"])
@pytest.mark.parametrize(("named", "expected"), [(OTHER_POSTAL_IBAN, OTHER_POSTAL_IBAN), (None, POSTAL_IBAN)])
def test_a_postal_iban_can_be_changed_beside_a_registered_iban(
    default: RegisteredIban | None, named: Iban | None, expected: Iban
) -> None:
    content = unsettled().with_iban(POSTAL_DEFAULT).amended({"postal_iban": named}, default)

    assert (content.iban, content.postal_iban, content.iban_source) == (POSTAL_IBAN, expected, IbanSource.REGISTERED)


def test_a_given_postal_iban_can_be_cleared_when_no_iban_is_registered_any_more() -> None:
    content = unsettled(postal_iban=POSTAL_IBAN).with_iban(DEFAULT).amended({"postal_iban": None}, None)

    assert (content.iban, content.postal_iban) == (OTHER_IBAN, None)


def test_a_given_iban_is_not_refreshed() -> None:
    content = a_content().amended({"description": "another"}, DEFAULT)

    assert (content.iban, content.iban_source) == (IBAN, IbanSource.GIVEN)


def test_an_iban_set_to_null_means_the_default() -> None:
    content = a_content().amended({"iban": None}, DEFAULT)

    assert (content.iban, content.iban_source) == (OTHER_IBAN, IbanSource.REGISTERED)


def test_an_iban_set_to_null_is_refused_where_none_is_registered() -> None:
    with pytest.raises(NoIbanRegistered):
        a_content().amended({"iban": None}, None)


def test_naming_transfers_drops_both_ibans() -> None:
    content = a_content(postal_iban=POSTAL_IBAN).amended({"transfers": (a_transfer(),)}, DEFAULT)

    assert (content.iban, content.postal_iban, content.iban_source) == (None, None, None)


@pytest.mark.parametrize("iban", [IBAN, None])
def test_naming_the_iban_drops_the_transfers(iban: Iban | None) -> None:
    content = a_content(iban=None, transfers=(a_transfer(),)).amended({"iban": iban}, DEFAULT)

    assert content.transfers == ()
    assert content.iban == (iban or OTHER_IBAN)


def test_taking_the_transfers_away_brings_the_default_back() -> None:
    content = a_content(iban=None, transfers=(a_transfer(),)).amended({"transfers": ()}, DEFAULT)

    assert (content.iban, content.iban_source) == (OTHER_IBAN, IbanSource.REGISTERED)


def test_taking_the_transfers_away_is_refused_where_no_iban_is_registered() -> None:
    with pytest.raises(NoIbanRegistered):
        a_content(iban=None, transfers=(a_transfer(),)).amended({"transfers": ()}, None)


SPLIT = a_content(iban=None, transfers=(a_transfer(),))
TEN_KEYS = a_content(metadata={str(key): "x" for key in range(10)})
BROKEN: list[tuple[Content, Changes, str, str]] = [
    (SPLIT, {"amount": a_transfer(1, 1).amount}, "transfers", "sum_of_transfers"),
    (SPLIT, {"postal_iban": POSTAL_IBAN}, "postalIban", "iban_and_transfers"),
    (a_content(), {"valid_from": ValidFrom.parse("2026-12-17")}, "validFrom", "not_before_due_date"),
    (TEN_KEYS, {"metadata": {"one more": "x"}}, "metadata", "too_many"),
]


@pytest.mark.parametrize(("content", "changes", "field", "code"), BROKEN)
def test_a_change_after_which_the_fields_do_not_fit_is_refused(
    content: Content, changes: Changes, field: str, code: str
) -> None:
    with pytest.raises(InvalidBody) as refusal:
        content.amended(changes, None)

    assert [(broken.field, broken.code) for broken in refusal.value.violations] == [(field, code)]


def test_the_debtor_is_merged_field_by_field() -> None:
    content = a_content().amended({"debtor": {"full_name": "Maria Rossi"}}, None)

    assert content.debtor == Debtor(DebtorType.F, DebtorCode("RSSMRA80A01H501U"), "Maria Rossi")


def test_metadata_are_merged_key_by_key() -> None:
    content = a_content(metadata={"a": "1", "b": "2", "c": "3"}).amended(
        {"metadata": {"b": None, "c": "4", "d": "5"}}, None
    )

    assert content.metadata == {"a": "1", "c": "4", "d": "5"}


def test_metadata_set_to_null_are_cleared() -> None:
    assert a_content(metadata={"a": "1"}).amended({"metadata": None}, None).metadata == {}


def test_a_notice_becomes_valid_before_it_is_due_and_not_at_the_same_instant() -> None:
    due = DueDate(NOW + DAY, whole_day=False)

    with pytest.raises(InvalidBody):
        a_content(due_date=due).amended({"valid_from": ValidFrom(NOW + DAY, whole_day=False)}, None)


def test_a_postal_iban_given_beside_a_registered_iban_stays_when_something_else_changes() -> None:
    content = unsettled(postal_iban=POSTAL_IBAN).with_iban(DEFAULT)

    amended = content.amended({"description": "b"}, DEFAULT)

    assert (amended.iban, amended.postal_iban, amended.description) == (DEFAULT.iban, POSTAL_IBAN, "b")


def test_a_refresh_takes_the_registered_iban_although_nothing_else_changes() -> None:
    content = unsettled().with_iban(DEFAULT)

    assert content.amended({}, POSTAL_DEFAULT, refresh_iban=True).iban == POSTAL_IBAN
    assert content.amended({}, None, refresh_iban=True) == content
    assert a_content().amended({}, DEFAULT, refresh_iban=True) == a_content()
