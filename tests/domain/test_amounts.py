"""Amounts: whole euro cents, within the bounds of the platform."""

import pytest

from shared.domain.amounts import MAX_AMOUNT, MIN_AMOUNT, parse_amount
from shared.errors import InvalidValue


@pytest.mark.parametrize("cents", [MIN_AMOUNT, 12050, 2**31, MAX_AMOUNT])
def test_an_amount_within_the_bounds_is_accepted(cents: int) -> None:
    assert parse_amount(cents) == cents


@pytest.mark.parametrize("cents", [0, -1, MAX_AMOUNT + 1, 2**63, 10**400])
def test_an_amount_outside_the_bounds_is_refused(cents: int) -> None:
    with pytest.raises(InvalidValue) as refusal:
        parse_amount(cents)
    assert refusal.value.code == "out_of_range"


def test_the_bounds_are_one_cent_and_just_under_a_thousand_million_euro() -> None:
    assert (MIN_AMOUNT, MAX_AMOUNT) == (1, 999_999_999_99)


def test_true_is_not_an_amount() -> None:
    with pytest.raises(InvalidValue) as refusal:
        parse_amount(True)
    assert refusal.value.code == "out_of_range"
