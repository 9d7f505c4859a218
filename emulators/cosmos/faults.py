"""Make requests fail: rules that name the requests and their failures."""

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
"""The operations of the double, with their names in the request log."""


@dataclass
class Fault:
    """One rule. The first fields select the requests, the others describe the failure.

    Of the requests that match, the first `skip` pass. Of the next, `times` fail (None: all), each with `probability`.
    """

    operation: str | None = None
    """One of OPERATIONS. None: any."""
    container: str | None = None
    key: tuple[Any, ...] | None = None
    """The first values of the partition key, or the whole key."""
    skip: int = 0
    times: int | None = 1
    probability: float = 1.0

    status: int | None = None
    substatus: int = 0
    retry_after: float | None = None
    """Seconds."""
    result: int | None = None
    """The place of an operation in a batch. It fails with the status, and the batch is answered with 207."""
    body: str | None = None
    """The body of the answer, in place of the service's. The answer has the headers given here and no others."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the answer, in place of the service's of the same names."""
    after_commit: bool = False
    """The request is carried out, and then answered with the status or the body."""
    delay: float = 0.0
    """Seconds before the request is carried out."""
    drop: Literal["before", "after"] | None = None
    """The connection is reset before or after the request is carried out."""
    hang: Literal["before", "after"] | None = None
    """The answer never comes. The request hangs before or after it is carried out."""
    stale: int = 0
    """Reads find a replica that lacks so many of the last transactions of its physical partition. It has those of the
    client's session token. Under strong consistency, or bounded staleness in one region, it has all."""
    page: int | None = None
    """A page of a query or of the change feed ends after so many items, as if its time were up. 0 is an empty page with
    a continuation."""

    def __post_init__(self) -> None:
        """Raise ValueError for a rule that no request can meet, or that contradicts itself."""
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
        """Return the error for the whole request, None without one."""
        return self._refusal() if self.result is None else None

    def refusals_in_batch(self) -> dict[int, Refusal]:
        """Return the errors of single operations of a batch, by their places in it."""
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
    """The rules in force. The first one that a request meets decides."""

    rules: list[Fault] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    """It has a seed, so that a run can be repeated."""

    def clear(self) -> None:
        """Remove every rule."""
        self.rules.clear()

    def hit(self, operation: str, container: str | None, key: tuple[Any, ...]) -> Fault:
        """Return the rule that the request meets, or NONE."""
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
