"""Measures sides in turns, round by round, and repeats the rounds whose ratios differ too much."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from bench.measurements import Measurement, Ratio, results_of

Measure = Callable[[int], Measurement]
"""Measures one side in one round, whose number it gets."""

WARM_UP = -1
"""The number of the round before the first. It is short, and its figures are not kept."""


def interleaved(measures: Mapping[str, Measure], ratios: Sequence[Ratio], rounds: int) -> Iterator[Measurement]:
    """Yield the measurements of all rounds, and of as many again if one of the ratios is unstable after them.

    `measures` are the sides by name. Each round begins with another side, so that none always comes first.
    """
    found: list[Measurement] = []
    for repetition in range(2):
        for number in range(repetition * rounds, (repetition + 1) * rounds):
            for name in _rotated([*measures], number):
                found.append(measures[name](number))
                yield found[-1]
        if not any(result.is_unstable for result in results_of(ratios, found)):
            return


def _rotated(names: list[str], number: int) -> list[str]:
    first = number % len(names)
    return names[first:] + names[:first]
