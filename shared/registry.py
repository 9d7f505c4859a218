"""What this process knows of institutions and callers: what is found is good for a minute, what is not for a second.

So a change or a revocation is seen within 60 seconds, and what was just registered is found at once.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from shared.domain.callers import Caller
from shared.domain.identifiers import InstitutionCode
from shared.domain.institutions import CreditorInstitution
from shared.errors import InstitutionNotFound
from shared.ports import Registry

MINUTE = timedelta(seconds=60)
SECOND = timedelta(seconds=1)

Known = TypeVar("Known")


class KnownRegistry:
    """The registry, remembered."""

    def __init__(self, registry: Registry, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self._institutions: _Memory[CreditorInstitution] = _Memory(registry.institution, clock)
        self._callers: _Memory[Caller] = _Memory(registry.caller, clock)

    async def institution(self, code: InstitutionCode) -> CreditorInstitution:
        """Return the registered institution; raise InstitutionNotFound."""
        institution = await self.find_institution(code)
        if institution is None:
            raise InstitutionNotFound
        return institution

    async def find_institution(self, code: InstitutionCode) -> CreditorInstitution | None:
        """Return the institution, None when nobody registered it."""
        return await self._institutions.recall(code, MINUTE)

    async def caller(self, key_hash: str, max_age: timedelta = MINUTE) -> Caller | None:
        """Return the caller that holds the key, as it was registered at most `max_age` ago."""
        return await self._callers.recall(key_hash, max_age)


class _Memory(Generic[Known]):
    """Answers of one kind, each with the time it was given."""

    LIMIT = 50_000  # callers may ask for anything; the memory for what is not there must not grow for ever

    def __init__(self, ask: Callable[..., Awaitable[Known | None]], clock: Callable[[], datetime]) -> None:
        self._ask = ask
        self._clock = clock
        self._answers: dict[str, tuple[datetime, Known | None]] = {}

    async def recall(self, key: str, max_age: timedelta) -> Known | None:
        now = self._clock()
        if (known := self._answers.get(key)) is not None:
            age = now - known[0]
            # A negative age is a clock that was set back: ask again.
            if timedelta(0) <= age < (SECOND if known[1] is None else max_age):
                return known[1]
        answer = await self._ask(key)
        if len(self._answers) >= self.LIMIT:
            self._answers.clear()
        self._answers[key] = (now, answer)
        return answer
