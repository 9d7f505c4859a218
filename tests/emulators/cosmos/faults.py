"""Failures on demand: rules that say which requests fail, when, and how."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.emulators.cosmos.refusals import Refusal

OPERATIONS = (
    *("Read", "Create", "Upsert", "Replace", "Patch", "Delete", "Batch"),
    *("Query", "QueryPlan", "ReadFeed", "ChangeFeed"),
    *("Account", "PartitionKeyRanges", "ReadContainer", "CreateContainer", "DeleteContainer"),
    *("ReadDatabase", "CreateDatabase", "DeleteDatabase"),
)
"""What the double carries out, as the request log names it."""


@dataclass
class Fault:
    """One rule. The first part says which requests it is for, the second what happens to them.

    Of the requests that match, the first `skip` pass, then `times` of them fail (None: all), each with `probability`.
    """

    operation: str | None = None
    """One of OPERATIONS; None: any."""
    container: str | None = None
    key: tuple[Any, ...] | None = None
    """The first values of the partition key, or all of them."""
    skip: int = 0
    times: int | None = 1
    probability: float = 1.0

    status: int | None = None
    substatus: int = 0
    retry_after: float | None = None
    """Seconds."""
    after_commit: bool = False
    """The request is carried out all the same, and then answered with the status."""
    delay: float = 0.0
    """Seconds before the request is carried out."""
    drop: Literal["before", "after"] | None = None
    """The connection is reset before or after the request is carried out."""
    stale: bool = False
    """Reads and queries do not see the last transaction of a logical partition yet, except for a client whose session
    token proves that it has, or under strong consistency or bounded staleness in one region."""

    def __post_init__(self) -> None:
        """Refuse a rule that would hit nothing, or do nothing that it seems to say; raises ValueError."""
        if self.operation not in (None, *OPERATIONS):
            raise ValueError(f"{self.operation!r} is none of {', '.join(OPERATIONS)}.")
        if self.drop not in (None, "before", "after"):
            raise ValueError(f"drop is 'before' or 'after', not {self.drop!r}.")
        if not (self.status is None or (isinstance(self.status, int) and 400 <= self.status <= 599)):
            raise ValueError(f"status is a number from 400 to 599, not {self.status!r}.")

    def refusal(self) -> Refusal | None:
        """Return what is answered instead, if anything is."""
        if self.status is None:
            return None
        message = "Injected by a rule of the double."
        return Refusal(self.status, str(self.status), message, self.substatus, self.retry_after)


NONE = Fault()


@dataclass
class Faults:
    """The rules in force; the first that hits a request decides."""

    rules: list[Fault] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    """Seeded, so that a run can be repeated."""

    def clear(self) -> None:
        """Take every rule back."""
        self.rules.clear()

    def hit(self, operation: str, container: str | None, key: tuple[Any, ...]) -> Fault:
        """Return the rule that hits the request, or one that does nothing."""
        for rule in self._matching(operation, container, key):
            if rule.skip > 0:
                rule.skip -= 1
            elif rule.times != 0 and self.chance.random() < rule.probability:
                rule.times = None if rule.times is None else rule.times - 1
                return rule
        return NONE

    def _matching(self, operation: str, container: str | None, key: tuple[Any, ...]) -> Iterator[Fault]:
        for rule in self.rules:
            if rule.operation not in (None, operation) or rule.container not in (None, container):
                continue
            if rule.key is None or key[: len(rule.key)] == rule.key:
                yield rule
