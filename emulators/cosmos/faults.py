"""Failures on demand: rules that say which requests fail, when, and how."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from emulators.cosmos.refusals import Refusal
from emulators.cosmos.storage import MOST_BEHIND

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
    result: int | None = None
    """The status is that of one operation of a batch, by its place: the whole is answered 207."""
    body: str | None = None
    """The answer, as it is, in place of the service's. It has the headers given here and no others."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the answer, in place of the service's of the same names."""
    after_commit: bool = False
    """The request is carried out all the same, and then answered with the status or the body."""
    delay: float = 0.0
    """Seconds before the request is carried out."""
    drop: Literal["before", "after"] | None = None
    """The connection is reset before or after the request is carried out."""
    hang: Literal["before", "after"] | None = None
    """The answer never comes: the request hangs before or after it is carried out."""
    stale: int = 0
    """Reads find a replica that lacks the last transactions of its physical partition, so many of them. It has all that
    the client's session token proves, and under strong consistency or bounded staleness in one region it has all."""
    page: int | None = None
    """A page of a query or of the change feed ends after so many items, as if its time had run out: 0 is an empty page
    that leads on."""

    def __post_init__(self) -> None:
        """Refuse a rule that would hit nothing, or do nothing that it seems to say; raises ValueError."""
        if self.operation not in (None, *OPERATIONS):
            raise ValueError(f"{self.operation!r} is none of {', '.join(OPERATIONS)}.")
        for name in ("drop", "hang"):
            if getattr(self, name) not in (None, "before", "after"):
                raise ValueError(f"{name} is 'before' or 'after', not {getattr(self, name)!r}.")
        if not 0 <= self.stale <= MOST_BEHIND:
            raise ValueError(f"stale is a number of transactions up to {MOST_BEHIND}, not {self.stale!r}.")
        if self.page is not None and self.page < 0:
            raise ValueError(f"page is a number of items, not {self.page!r}.")
        lowest = 400 if self.body is None else 200
        if not (self.status is None or (isinstance(self.status, int) and lowest <= self.status <= 599)):
            raise ValueError(f"status is a number from {lowest} to 599, not {self.status!r}.")
        if self.body is not None and self.status is None:
            raise ValueError("A body needs a status.")
        if self.result is not None and (self.status is None or self.body is not None or self.after_commit):
            raise ValueError("The result of one operation in a batch is a status, without a body or after_commit.")

    def refusal(self) -> Refusal | None:
        """Return the error that is answered to the whole request, if one is."""
        return self._refusal() if self.result is None else None

    def refusals_in_batch(self) -> dict[int, Refusal]:
        """Return the errors of single operations of a batch, by their places."""
        refusal = self._refusal()
        return {} if self.result is None or refusal is None else {self.result: refusal}

    def _refusal(self) -> Refusal | None:
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
