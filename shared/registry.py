"""The institutions and callers that this process remembers: found ones for a minute, others for a second.

So a change or a revocation is seen within 60 seconds, and a new entry is found at once.
"""

import re
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

_INSTITUTION_CODE = re.compile(r"[0-9]{11}")
_KEY_HASH = re.compile(r"[0-9a-f]{64}")

Found = TypeVar("Found")


class CachedRegistry:
    """The registry, remembered."""

    def __init__(self, registry: Registry, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self._institutions: TtlCache[CreditorInstitution] = TtlCache(registry.institution, _INSTITUTION_CODE, clock)
        self._callers: TtlCache[Caller] = TtlCache(registry.caller, _KEY_HASH, clock)

    async def institution(self, code: InstitutionCode) -> CreditorInstitution:
        """Return the registered institution. Raises InstitutionNotFound."""
        institution = await self.find_institution(code)
        if institution is None:
            raise InstitutionNotFound
        return institution

    async def find_institution(self, code: InstitutionCode) -> CreditorInstitution | None:
        """Return the institution, None if it is not registered."""
        return await self._institutions.get(code, MINUTE)

    async def caller(self, key_hash: str, max_age: timedelta = MINUTE) -> Caller | None:
        """Return the caller that holds the key, as it was registered at most `max_age` ago."""
        return await self._callers.get(key_hash, max_age)


class TtlCache(Generic[Found]):
    """Answers of one kind, each with the time of its question.

    Hits and misses have separate limits, so keys and codes that strangers make up cannot push out registered entries.
    Of each the oldest answers go first. A text that cannot be a key is never asked for.
    """

    FOUND_LIMIT = 50_000
    NOT_FOUND_LIMIT = 1_000

    def __init__(
        self, ask: Callable[..., Awaitable[Found | None]], form: re.Pattern[str], clock: Callable[[], datetime]
    ) -> None:
        """`form` is the form of every key that may be found."""
        self._ask = ask
        self._form = form
        self._clock = clock
        self._found: dict[str, tuple[datetime, Found]] = {}
        self._not_found: dict[str, tuple[datetime, None]] = {}

    async def get(self, key: str, max_age: timedelta) -> Found | None:
        """Return the answer for a key, which is not older than `max_age`."""
        now = self._clock()
        known = self._found.get(key) or self._not_found.get(key)
        # A negative age is a clock that was set back: ask again.
        if known and timedelta(0) <= now - known[0] < (SECOND if known[1] is None else max_age):
            return known[1]
        if not self._form.fullmatch(key):
            return None
        answer = await self._ask(key)
        self._found.pop(key, None)
        self._not_found.pop(key, None)
        if answer is None:
            _keep(self._not_found, key, (now, None), self.NOT_FOUND_LIMIT)
        else:
            _keep(self._found, key, (now, answer), self.FOUND_LIMIT)
        return answer


Answer = TypeVar("Answer")


def _keep(answers: dict[str, Answer], key: str, answer: Answer, limit: int) -> None:
    """Keep the answer. The oldest one, which stands first, makes room for it."""
    if len(answers) >= limit:
        del answers[next(iter(answers))]
    answers[key] = answer
