"""What a request reads across partitions: queries in pages, and the change feed of a range."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from tests.emulators.cosmos import charges
from tests.emulators.cosmos.indexing import check_order
from tests.emulators.cosmos.partitions import HIGHEST, LOWEST, Key, Range
from tests.emulators.cosmos.refusals import Refusal, bad_request
from tests.emulators.cosmos.sql import Select
from tests.emulators.cosmos.storage import Container, Storage, key_text

PAGE = 100
"""Items of a page where the request does not say."""
PAGE_BYTES = 4 * 1024 * 1024
"""Bytes of a page, at most."""
NEEDS_PLAN = 1004
"""The substatus by which a client knows that it must ask for a query plan, and ask each range by itself."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a query or a feed looks."""

    ranges: tuple[Range, ...]
    """The physical partitions it touches."""
    key: Key | None = None
    """The whole or the first values of a partition key, given as such."""
    low: str | None = None
    high: str | None = None
    """The hashes between which it looks, if not all of the ranges."""
    is_one_range: bool = False
    """It was sent to one physical partition by name."""

    def is_prefix_of(self, container: Container) -> bool:
        """Tell whether it is all that lies below the first values of a hierarchical key."""
        if self.key is not None:
            return not container.key.is_whole(self.key)
        # A client sends the first values as the hashes between which everything below them lies.
        return self.low is not None and self.high == f"{self.low}FF" and len(self.low) < 32 * len(container.key.paths)


def scope_of(
    container: Container, ranges: list[Range], key: Key | None, range_id: str | None, low: str | None, high: str | None
) -> Scope:
    """Return where a request looks; refuse with 410 a range that is gone."""
    if range_id is not None:
        named = tuple(part for part in ranges if part.id == range_id)
        if not named:
            raise Refusal(410, "Gone", "The partition key range is gone: it was split.", 1002)
        return Scope(named, None, low, high, is_one_range=True)
    if key is None:
        return Scope(tuple(ranges), None, low, high)
    first = container.key.hash(key)
    end = first + HIGHEST
    return Scope(tuple(part for part in ranges if part.low < end and first < part.high), key, first, end)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the answer; `continuation` is where the rest begins, None after the last part."""

    items: list[Any]
    charge: float
    continuation: str | None


@dataclass(frozen=True, slots=True)
class Feeds:
    """The items of a container as they are now, or as a stale replica sees them."""

    storage: Storage
    container: Container
    now: float
    is_stale: bool = False

    def query(
        self, scope: Scope, select: Select, parameters: dict[str, Any], limit: int | None, continuation: str | None
    ) -> Page:
        """Return a page of the query's answer; refuse what the service does not serve there, or not without index."""
        check_order(self.container.indexing, select.order)
        if select.order and scope.is_prefix_of(self.container):
            raise bad_request("ORDER BY below a prefix of a hierarchical partition key: the parts come unmerged.")
        if not (select.is_simple or scope.key is not None or scope.is_one_range):
            raise bad_request(
                "The provided cross partition query can not be directly served by the gateway.", NEEDS_PLAN
            )
        candidates = list(self._candidates(scope, select, parameters))
        found = select.run(map(orjson.loads, candidates), parameters)
        start = _position(continuation)
        items: list[Any] = []
        size = 0
        for item in found[start:]:
            size += len(orjson.dumps(item))
            if len(items) == (limit or PAGE) or (items and size > PAGE_BYTES):
                break
            items.append(item)
        end = start + len(items)
        looked_at = len(candidates) if start == 0 else 0
        return Page(items, charges.query(looked_at, len(items)), _token(end) if end < len(found) else None)

    def changes(self, scope: Scope, after: str | None, since: str | None, limit: int | None) -> tuple[Page, str]:
        """Return the items of one range that changed after a token, each in its last state, in the order of change.

        The second value is the token from which to go on. `since` is a time in the form of HTTP.
        """
        (part,) = scope.ranges
        seen = part.lsn if after == "*" else int(after.strip('"')) if after else 0
        not_before = parsedate_to_datetime(since).timestamp() if since and not after else 0
        rows = self._rows(scope, "AND lsn > ? AND changed_at >= ? ORDER BY lsn, n", seen, not_before)
        cut = limit or PAGE
        # A transaction is never cut in two.
        while 0 < cut < len(rows) and rows[cut][0] == rows[cut - 1][0]:
            cut += 1
        shown = rows[:cut]
        items = [orjson.loads(body) | {"_lsn": lsn} for lsn, body in shown]
        reached = shown[-1][0] if cut < len(rows) else part.lsn
        charge = round(max(1.0, sum(charges.read(len(body)) for _, body in shown)), 2)
        return Page(items, charge, None), f'"{reached}"'

    def _candidates(self, scope: Scope, select: Select, parameters: dict[str, Any]) -> Iterator[bytes]:
        """Yield what the query has to look at; an index on the id, which every query of ours names, spares the rest."""
        wanted = select.equalities(parameters).get(("id",))
        narrowed, values = ("AND id = ?", [wanted]) if isinstance(wanted, str) else ("", [])
        for _, body in self._rows(scope, f"{narrowed} ORDER BY n", *values):
            yield body

    def _rows(self, scope: Scope, rest: str, *values: object) -> list[tuple[int, bytes]]:
        conditions, more = ["container = ?", "(expires_at IS NULL OR expires_at > ?)"], [self.container.rid, self.now]
        if scope.key is not None and self.container.key.is_whole(scope.key):
            conditions.append("key = ?")
            more.append(key_text(scope.key))
        else:
            low = max(scope.ranges[0].low, scope.low or LOWEST)
            high = min(scope.ranges[-1].high, scope.high or HIGHEST)
            conditions.append("hash >= ? AND hash < ?")
            more += [low, high]
        table = "items_before" if self.is_stale else "items"
        statement = f"SELECT lsn, body FROM {table} WHERE {' AND '.join(conditions)} {rest}"
        return self.storage.db.execute(statement, [*more, *values]).fetchall()


def _token(position: int) -> str:
    return b64encode(orjson.dumps({"position": position})).decode()


def _position(continuation: str | None) -> int:
    if continuation is None:
        return 0
    try:
        return int(orjson.loads(b64decode(continuation))["position"])
    except (ValueError, KeyError, TypeError) as error:
        raise bad_request("The continuation token is not one of this service.") from error
