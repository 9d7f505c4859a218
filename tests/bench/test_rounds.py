"""Sides take turns, and rounds that differ too much are repeated once."""

from bench.measurements import Measurement, Of, Ratio
from bench.rounds import Measure, interleaved

RATIO = Ratio("get", "rate", Of("a", "get"), Of("b", "get"))


def side(name: str, *rates: float) -> Measure:
    """Return a side with a rate for each round. The last one is that of all further rounds."""
    return lambda number: Measurement(name, "get", number, rate=rates[min(number, len(rates) - 1)])


def test_the_sides_take_turns_and_each_is_first_as_often_as_the_others() -> None:
    found = interleaved({"a": side("a", 1), "b": side("b", 1)}, [], rounds=4)

    assert [(one.round, one.side) for one in found] == [
        (0, "a"), (0, "b"), (1, "b"), (1, "a"), (2, "a"), (2, "b"), (3, "b"), (3, "a"),
    ]  # fmt: skip


def test_stable_rounds_are_not_repeated() -> None:
    found = [*interleaved({"a": side("a", 2), "b": side("b", 1)}, [RATIO], rounds=3)]

    assert len(found) == 2 * 3


def test_the_rounds_of_an_unstable_ratio_are_repeated_once() -> None:
    found = [*interleaved({"a": side("a", 1, 2, 3), "b": side("b", 1)}, [RATIO], rounds=3)]

    assert {one.round for one in found} == {0, 1, 2, 3, 4, 5}


def test_rounds_that_stay_unstable_are_not_repeated_again() -> None:
    rates = (1, 2, 3, 1, 2, 3)

    found = [*interleaved({"a": side("a", *rates), "b": side("b", 1)}, [RATIO], rounds=3)]

    assert len(found) == 2 * 6
    result = RATIO.result(found)
    assert result is not None
    assert result.is_unstable
