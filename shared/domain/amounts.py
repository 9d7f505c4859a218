"""Decides which sums of money a notice may ask for."""

from typing import Final, NewType

Amount = NewType("Amount", int)
"""A sum in euro cents."""

MIN_AMOUNT: Final = Amount(1)
MAX_AMOUNT: Final = Amount(99_999_999_999)
