"""Decides which sums of money a notice may ask for."""

from typing import Final, NewType

from shared.errors import InvalidValue

Amount = NewType("Amount", int)
"""A sum in euro cents."""

MIN_AMOUNT: Final = Amount(1)
MAX_AMOUNT: Final = Amount(99_999_999_999)


def parse_amount(value: int) -> Amount:
    """Accept 1 to 99,999,999,999 euro cents (0.01 to 999,999,999.99 euro); InvalidValue `out_of_range`."""
    # True is an int to Python; nobody means one cent by it.
    if type(value) is not int or not MIN_AMOUNT <= value <= MAX_AMOUNT:
        raise InvalidValue("out_of_range", f"must be from {MIN_AMOUNT} to {MAX_AMOUNT} euro cents")
    return Amount(value)
