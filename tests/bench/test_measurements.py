"""Ratios: computed in each round, then their median; unstable when the rounds differ too much."""

import pytest

from bench.measurements import Measurement, Of, Ratio, interquartile_range, is_unstable

GET = Ratio("get", "rate", Of("a", "get"), Of("b", "get"))


def rates(side: str, *values: float | None, load: str = "get") -> list[Measurement]:
    """Return a measurement for each round."""
    return [Measurement(side, load, number, rate=value) for number, value in enumerate(values)]


def test_the_interquartile_range_is_the_distance_of_the_quartiles() -> None:
    assert interquartile_range([1, 2, 3, 4, 5]) == 2
    assert interquartile_range([5, 1, 4, 2, 3]) == 2


def test_one_round_has_no_range() -> None:
    assert interquartile_range([7]) == 0
    assert not is_unstable([7])


@pytest.mark.parametrize(("values", "expected"), [([1, 1, 1.15, 1.15], False), ([1, 1, 1.2, 1.2], True)])
def test_a_range_of_more_than_15_percent_of_the_median_is_unstable(values: list[float], expected: bool) -> None:
    assert is_unstable(values) is expected


def test_a_ratio_is_the_median_of_the_rounds_and_not_the_ratio_of_the_medians() -> None:
    # The machine was slow in the second round, for both.
    result = GET.result([*rates("a", 10, 5, 9), *rates("b", 5, 2.5, 3)])

    assert result is not None
    assert result.values == (2, 2, 3)
    assert result.median == 2


def test_a_round_without_the_other_side_does_not_count() -> None:
    result = GET.result([*rates("a", 10, 10, 10), *rates("b", 5, 5)])

    assert result is not None
    assert len(result.values) == 2


def test_a_ratio_that_was_not_measured_has_no_result() -> None:
    assert GET.result(rates("a", 10)) is None
    assert GET.result([*rates("a", 10), *rates("b", 10, load="list")]) is None
    assert GET.result([*rates("a", 10), *rates("b", None)]) is None


def test_a_ratio_over_nothing_is_the_figure_itself() -> None:
    result = Ratio("p", "rate", Of("a", "get"), at_most=20).result(rates("a", 19, 20, 30))

    assert result is not None
    assert (result.median, result.is_met) == (20, True)


@pytest.mark.parametrize(
    ("at_least", "at_most", "met"),
    [(2, None, True), (2.1, None, False), (None, 2, True), (None, 1.9, False), (1, 3, True), (None, None, None)],
)
def test_an_aim_is_met_by_the_median(at_least: float | None, at_most: float | None, met: bool | None) -> None:
    ratio = Ratio("get", "rate", Of("a", "get"), Of("b", "get"), at_least, at_most)

    result = ratio.result([*rates("a", 4), *rates("b", 2)])

    assert result is not None
    assert result.is_met is met
