"""Make operations fail: rules that name the operations and their failures."""

import random
from dataclasses import dataclass, field
from typing import Literal

from emulators.servicebus.refusals import Refusal

OPERATIONS = ("Attach", "PutToken", "Send", "Complete", "Abandon", "DeadLetter", "Release", "Renew", "Peek")
"""The operations of the double, with their names in the log."""


@dataclass
class Fault:
    """One rule. The first fields select the operations, the others describe the failure.

    Of the operations that match, the first `skip` pass. Of the next, `times` fail (None: all), each with `probability`.
    """

    operation: str | None = None
    """One of OPERATIONS. None: any."""
    entity: str | None = None
    """The path of a queue or topic, of a subscription or of dead letters. Case does not count."""
    skip: int = 0
    times: int | None = 1
    probability: float = 1.0

    condition: str | None = None
    """The operation is refused with this error condition, for example "com.microsoft:server-busy"."""
    description: str = "Injected by a rule of the double."
    drop: Literal["before", "after"] | None = None
    """The connection is cut before or after the operation is done. After a send, the message is stored."""
    hang: Literal["before", "after"] | None = None
    """The answer never comes. The connection lives on."""

    def __post_init__(self) -> None:
        """Raise ValueError for a rule that no operation can meet, or that has no effect."""
        if self.operation not in (None, *OPERATIONS):
            raise ValueError(f"{self.operation!r} is none of {', '.join(OPERATIONS)}.")
        for name in ("drop", "hang"):
            if getattr(self, name) not in (None, "before", "after"):
                raise ValueError(f"{name} is 'before' or 'after', not {getattr(self, name)!r}.")
        if not (self.condition or self.drop or self.hang):
            raise ValueError("A fault has a condition, a drop or a hang.")

    @property
    def refusal(self) -> Refusal | None:
        """Return the error of the operation, None without one."""
        return Refusal(self.condition, self.description) if self.condition else None


@dataclass
class Faults:
    """The rules in force. The first one that an operation meets decides."""

    rules: list[Fault] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    """It has a seed, so that a run can be repeated."""

    def clear(self) -> None:
        """Remove every rule."""
        self.rules.clear()

    def hit(self, operation: str, entity: str) -> Fault | None:
        """Return the rule that the operation meets, None without one."""
        for rule in self.rules:
            if rule.operation not in (None, operation) or (rule.entity or entity).lower() != entity.lower():
                continue
            if rule.skip > 0:
                rule.skip -= 1
            elif rule.times != 0 and self.chance.random() < rule.probability:
                rule.times = None if rule.times is None else rule.times - 1
                return rule
        return None
