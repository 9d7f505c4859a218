"""The base of every refusal, and the broken rules that it names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import ClassVar

LONGEST_RETRY_AFTER = 60
"""Seconds that a client is asked to wait, at most."""


class InvalidValue(ValueError):
    """A text or number that breaks a rule of the domain. `code` names the rule, `message` says it without the value."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken by one field of a body. `field` is a path such as `transfers[0].iban`."""

    field: str
    code: str
    message: str


class ArchiveError(Exception):
    """A refusal: why the archive does not answer a request with success."""

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]
    advice: ClassVar[str]
    """The next step of the caller. Printed in docs/errors.md."""
    headers: Mapping[str, str] = MappingProxyType({})
    """Headers of the answer that belong to the error."""
    retry_after: int = 0
    """Seconds after which the same request may succeed; 0 if a repetition cannot help."""

    def __init__(
        self, detail: str | None = None, violations: Iterable[Violation] = (), retry_after: float | None = None
    ) -> None:
        """`detail` is the next step of the caller in this case, in place of `advice`. It never holds a value."""
        super().__init__(self.title)
        self.detail = detail or self.advice
        self.violations = tuple(violations)
        if retry_after is not None:
            self.retry_after = min(max(1, ceil(retry_after)), LONGEST_RETRY_AFTER)
