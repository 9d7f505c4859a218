"""Publishes the same notices to each side through HTTP, before it is measured."""

import asyncio
from collections.abc import Iterable, Sequence

from bench.client import Connection, connected
from bench.loads import CHANGED, CHANGES, KNOWN, PAGE
from bench.notices import JSON, KEY, STRICT, body, body_of, dumps, number_of

CONNECTIONS = 32


async def prepare(port: int) -> Sequence[str]:
    """Publish the known notices and those with events. Return the cursors of the pages of the list."""
    await publish_known(port)
    changed = [
        ((serial, dumps(body(amount=12_050 + change))) for serial in range(KNOWN, KNOWN + CHANGED))
        for change in range(CHANGES)
    ]
    async with connected(port, CONNECTIONS) as connections:
        for publications in changed:
            await _publish_all(connections, publications)
        return await _cursors(connections[0])


async def publish_known(port: int) -> None:
    """Publish the known notices."""
    async with connected(port, CONNECTIONS) as connections:
        await _publish_all(connections, ((serial, body_of(serial)) for serial in range(KNOWN)))


async def _publish_all(connections: Sequence[Connection], publications: Iterable[tuple[int, bytes]]) -> None:
    left = iter(publications)

    async def publish(connection: Connection) -> None:
        for serial, content in left:
            reply = await connection.ask("PUT", f"{STRICT}/{number_of(serial)}", JSON, content)
            if reply.status not in (200, 201):
                raise RuntimeError(f"A notice was not published: {reply.status} {reply.content!r}")

    await asyncio.gather(*map(publish, connections))


async def _cursors(connection: Connection) -> Sequence[str]:
    """Return the cursors of all pages but the last two, so that each leads to a full page of known notices."""
    cursors: list[str] = []
    cursor = ""
    while len(cursors) < KNOWN // PAGE - 2:
        reply = await connection.ask("GET", f"{STRICT}?limit={PAGE}{cursor}", KEY)
        cursors.append(reply.json["nextCursor"])
        cursor = f"&cursor={cursors[-1]}"
    return cursors
