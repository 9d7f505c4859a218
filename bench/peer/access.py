"""Who may do what: keys, scopes and grants. Callers and institutions are remembered for a minute."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic
from typing import Generic, TypeVar

from fastapi import Request

from bench.peer.errors import Refusal
from bench.peer.identifiers import segregation_code_of
from bench.peer.notices import Institution
from bench.peer.store import Caller, Store

MAX_BODY = 256 * 1024
_MINUTE = 60.0

Found = TypeVar("Found")


class Remembered(Generic[Found]):
    """Answers of a store that are asked again after a minute. What was not found is asked each time."""

    def __init__(self, ask: Callable[[str], Awaitable[Found | None]]) -> None:
        self._ask = ask
        self._known: dict[str, tuple[float, Found]] = {}

    async def get(self, key: str) -> Found | None:
        """Return the answer for a key."""
        known = self._known.get(key)
        if known is not None and monotonic() - known[0] < _MINUTE:
            return known[1]
        found = await self._ask(key)
        if found is not None:
            self._known[key] = (monotonic(), found)
        return found


class Registry:
    """The institutions and callers, remembered."""

    def __init__(self, store: Store) -> None:
        self._institutions = Remembered(store.institution)
        self._callers = Remembered(store.caller)

    async def institution(self, fiscal_code: str) -> Institution:
        """Return the institution. Raises Refusal."""
        institution = await self._institutions.get(fiscal_code)
        if institution is None:
            raise Refusal("institution_not_found")
        return institution

    async def caller(self, key: str | None) -> Caller:
        """Return the caller that holds the key. Raises Refusal."""
        caller = await self._callers.get(sha256(key.encode()).hexdigest()) if key else None
        if caller is None:
            raise Refusal("unauthenticated")
        return caller


@dataclass(frozen=True, slots=True)
class Access:
    """A dependency of an endpoint: admits a request, and returns its caller. `has_body`: it takes JSON."""

    scope: str
    has_body: bool = False

    async def __call__(self, request: Request) -> Caller:
        """Return the caller, if it may do this. Raises Refusal."""
        registry: Registry = request.app.state.registry
        caller = await registry.caller(request.headers.get("ocp-apim-subscription-key"))
        if self.has_body:
            _check_body(request)
        if self.scope not in caller.scopes:
            raise Refusal("scope_not_granted")
        codes = caller.codes(request.path_params["ec"])
        if not codes:
            raise Refusal("institution_not_granted")
        number = request.path_params.get("nav")
        if number is not None and not {"*", segregation_code_of(number)} & codes:
            raise Refusal("segregation_code_not_granted")
        return caller


def _check_body(request: Request) -> None:
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    is_plain = request.headers.get("content-encoding", "identity").strip().lower() == "identity"
    if media_type.strip().lower() != "application/json" or not is_plain:
        raise Refusal("unsupported_media_type")
    if charset not in ("", "charset=utf-8", "charset=utf8"):
        raise Refusal("unsupported_media_type")
    if int(request.headers.get("content-length", 0)) > MAX_BODY:
        raise Refusal("body_too_large")
