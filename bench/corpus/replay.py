"""Sends the corpus to all sides at once, and compares their answers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bench.client import Reply, connected
from bench.corpus import CASES, Case, passing_dates

Ask = Callable[[Case], Awaitable[Reply]]
"""Sends the request of a case."""
Wait = Callable[[float], Awaitable[object]]

_NOT_COMPARED = frozenset({"publishedAt", "updatedAt", "recordedAt", "occurredAt"})
_MINUTE_IS_OVER = 50
"""The second from which the rest of a minute is waited for: the archive writes due changes when a minute begins."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is compared of an answer. `content` is the JSON of an answer with 2xx, without times."""

    status: int
    code: str | None = None
    etag: str | None = None
    content: Any = None


@dataclass(slots=True)
class Replay:
    """The corpus as one side has answered it."""

    ask: Ask
    wait: Wait
    answers: list[Answer] = field(default_factory=list)
    cursor: str = ""

    async def send(self, cases: Sequence[Case]) -> None:
        """Send the requests in their order."""
        for case in cases:
            if case.pause:
                await self.wait(case.pause)
            reply = await self.ask(replace(case, path=case.path.replace("{cursor}", self.cursor)))
            content = reply.json
            if reply.status == 200 and content.get("nextCursor"):
                self.cursor = content["nextCursor"]
            self.answers.append(_answer(reply, content))


async def differences(
    asks: Mapping[str, Ask], clock: Callable[[], datetime] = lambda: datetime.now(UTC), wait: Wait = asyncio.sleep
) -> list[str]:
    """Send the corpus to all sides. Return a sentence for each case that one of them answers in another way.

    `asks` are the sides by name. The answers of the first are those that the others are compared with.
    """
    replays = {side: Replay(ask, wait) for side, ask in asks.items()}
    await asyncio.gather(*(replay.send(CASES) for replay in replays.values()))
    if clock().second >= _MINUTE_IS_OVER:
        await wait(60 - clock().second)
    passing = [*passing_dates(clock())]
    await asyncio.gather(*(replay.send(passing) for replay in replays.values()))
    by_side = {side: replay.answers for side, replay in replays.items()}
    return [*compared([*CASES, *passing], by_side)]


def ask_at(port: int) -> Ask:
    """Return what sends the requests of cases to a port of this machine, each on a connection of its own."""

    async def ask(case: Case) -> Reply:
        async with connected(port) as [connection]:
            return await connection.ask(case.method, case.path, case.headers, case.body)

    return ask


def compared(cases: Sequence[Case], by_side: Mapping[str, Sequence[Answer]]) -> Iterator[str]:
    """Yield a sentence for each case that a side answers in another way than expected, or than the first side."""
    first, *_ = by_side.values()
    for side, found in by_side.items():
        for case, one, same in zip(cases, found, first, strict=True):
            if (one.status, one.code) != (case.status, case.code):
                yield f"{case.name}: {side} answers {one.status} {one.code}, not {case.status} {case.code}"
            elif one != same:
                path, its, expected = next(_unequal(asdict(one), asdict(same)))
                yield f"{case.name}: {side} answers {its!r:.100} as {path}, not {expected!r:.100}"


def _unequal(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, object, object]]:
    """Yield the paths at which two answers differ, with both values."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one | other:
            yield from _unequal(one.get(name), other.get(name), f"{path}.{name}" if path else name)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for position, (mine, its) in enumerate(zip(one, other, strict=True)):
            yield from _unequal(mine, its, f"{path}[{position}]")
    elif one != other:
        yield path, one, other


def _answer(reply: Reply, content: Any) -> Answer:
    if reply.status < 300:
        return Answer(reply.status, etag=reply.headers.get("etag"), content=_comparable(content))
    code = content.get("code") if isinstance(content, dict) else None
    return Answer(reply.status, code, reply.headers.get("etag"))


def _comparable(value: Any) -> Any:
    if isinstance(value, list):
        return [_comparable(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _comparable(one) for name, one in value.items() if name not in _NOT_COMPARED}
    # A cursor is a text of the side. All that matters is whether there is one.
    return kept | {"nextCursor": bool(kept["nextCursor"])} if "nextCursor" in kept else kept
