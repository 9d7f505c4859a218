"""Read across partitions: queries in pages, and the change feed of a range."""

import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from emulators.cosmos import charges
from emulators.cosmos.indexing import check_order
from emulators.cosmos.items import ANSWER_LIMIT
from emulators.cosmos.partitions import HIGHEST, LOWEST, Key, Range, range_of
from emulators.cosmos.refusals import Refusal, bad_request
from emulators.cosmos.sql import Select
from emulators.cosmos.storage import AS_OF, Container, Storage, key_text

PAGE = 100
"""Items of a page, if the request does not give a number."""

Json = dict[str, Any]


class NeedsPlan(Refusal):
    """The refusal of a query for which the client must ask each range. The answer contains the plan."""

    def __init__(self, plan: Json) -> None:
        message = "The provided cross partition query can not be directly served by the gateway."
        super().__init__(400, "BadRequest", message, 1004)
        self.more = {"additionalErrorInfo": orjson.dumps(plan).decode()}


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a container that a query or a feed reads."""

    ranges: tuple[Range, ...]
    """The physical partitions of it."""
    key: Key | None = None
    """A whole partition key."""
    low: str | None = None
    high: str | None = None
    """The hashes between which it lies, if it is not all of the ranges."""
    is_one_range: bool = False
    """The request named one physical partition."""

    def is_prefix_of(self, container: Container) -> bool:
        """Return whether it is everything below the first values of a hierarchical key."""
        # A client sends the two hashes between which everything below the first values lies.
        return self.low is not None and self.high == f"{self.low}FF" and len(self.low) < 32 * len(container.key.paths)


def scope_of(
    container: Container, ranges: list[Range], key: Key | None, range_id: str | None, low: str | None, high: str | None
) -> Scope:
    """Return the scope of a request. Refuse a range that is gone with 410, and a key that is not whole with 400."""
    if range_id is not None:
        named = tuple(part for part in ranges if part.id == range_id)
        if not named:
            raise Refusal(410, "Gone", "The partition key range is gone: it was split.", 1002)
        return Scope(named, None, low, high, is_one_range=True)
    if key is None:
        return Scope(tuple(ranges), None, low, high)
    if not container.key.is_whole(key):
        raise bad_request("The partition key of a request has all its values. Name its first values as hashes.", 1001)
    return Scope((range_of(ranges, container.key.hash(key)),), key)


@dataclass(frozen=True, slots=True)
class Place:
    """The place after which a query goes on: a document, even if it is deleted by then."""

    given: int
    """Documents before it, with those that OFFSET skips."""
    values: list[list[object]]
    """The values by which the document was sorted."""
    number: int
    """The number of the document."""

    @classmethod
    def parse(cls, continuation: Json, keys: int) -> "Place | None":
        """Return the place in a continuation, None for the beginning. Refuse the continuation of another query."""
        match continuation:
            case {"given": 0}:
                return None
            case {"given": int(given), "values": list(values), "number": int(number)} if len(values) == keys:
                return cls(given, values, number)
        raise bad_request("The continuation token is not one of this query.")

    def is_before(self, document: Json, select: Select) -> bool:
        """Return whether a document comes after the place."""
        further = _number(document) - self.number
        order = select.compared(document, self.values) or (-further if select.is_backwards else further)
        return order > 0


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the answer."""

    items: list[Any]
    charge: float


@dataclass(frozen=True, slots=True)
class Feeds:
    """The items of a container as they are now, or as they are on replicas that are behind."""

    storage: Storage
    container: Container
    now: float
    as_of: Mapping[str, int]
    """The number of the last transaction that each range shows. Empty: each range shows everything."""

    def query(
        self, scope: Scope, select: Select, parameters: Json, limit: int, continuation: Json | None
    ) -> tuple[Page, str | None]:
        """Return a page of the query's answer, and the continuation token.

        Refuse a query that needs a plan or an index.
        """
        check_order(self.container.indexing, select.order)
        if select.order and scope.is_prefix_of(self.container):
            raise bad_request("ORDER BY below a prefix of a hierarchical partition key: the parts come unmerged.")
        if not (select.is_simple or scope.key is not None or scope.is_one_range):
            raise NeedsPlan(select.plan(parameters))
        candidates = list(self._candidates(scope, select, parameters))
        examined = 0 if continuation else len(candidates)
        documents = select.ordered(map(orjson.loads, candidates), parameters)
        if select.count is not None:
            return Page(select.counted(documents, parameters), charges.query(examined, 1)), None
        place = Place.parse(continuation, len(select.sort)) if continuation else None
        if place is not None:
            documents = [document for document in documents if place.is_before(document, select)]
        rows = select.rows(documents, parameters)
        first, last = select.cut(parameters)
        start, given = (0, place.given) if place else (first, first)
        left = rows[start : None if last is None else start + last - given]
        items: list[Any] = []
        size = 0
        for document, row in left:
            size += len(orjson.dumps(row))
            if len(items) == limit or (items and size > ANSWER_LIMIT):
                break
            items.append(row)
            given += 1
            place = Place(given, select.place(document), _number(document))
        rest = _token(place) if len(items) < len(left) or not limit else None
        return Page(items, charges.query(examined, len(items))), rest

    def changes(self, scope: Scope, after: int | None, since: float | None, limit: int) -> tuple[Page, int]:
        """Return a page of the items of one range that changed, and the transaction after which to go on.

        They changed after the transaction `after` (-1: the newest) or since a time. Each item comes once, in its last
        state. Transactions come in their order. The items of one transaction come in any order (here: by a hash of
        their numbers), always on one page.
        """
        (part,) = scope.ranges
        newest = self.as_of.get(part.id, part.lsn)
        reached = newest if after == -1 else after or 0
        not_before = since if since and after is None else 0
        order = "ORDER BY lsn, (n * 2654435761) % 4294967296"
        # Only those that are shown are fetched: there may be many more.
        rows = self._rows(scope, f"AND lsn > ? AND changed_at >= ? {order}", reached, not_before)
        shown: list[tuple[int, bytes]] = []
        size = 0
        for lsn, group in groupby(rows, key=itemgetter(0)):
            transaction = list(group)
            size += sum(len(body) for _, body in transaction)
            if len(shown) >= limit or (shown and size > ANSWER_LIMIT):
                break
            shown += transaction
            reached = lsn
        else:
            reached = max(reached, newest) if limit else reached
        rows.close()
        items = [orjson.loads(body) | {"_lsn": lsn} for lsn, body in shown]
        return Page(items, round(max(1.0, sum(charges.read(len(body)) for _, body in shown)), 2)), reached

    def _candidates(self, scope: Scope, select: Select, parameters: Json) -> Iterator[bytes]:
        """Yield the documents that the query examines. All queries of the archive name the id, and an index has it."""
        bounds = select.bounds("id", parameters)
        narrowed, values = "".join(f"AND id {sign} ? " for sign, _ in bounds), [value for _, value in bounds]
        for _, body in self._rows(scope, f"{narrowed}ORDER BY n", *values):
            yield body

    def _rows(self, scope: Scope, rest: str, *values: object) -> sqlite3.Cursor:
        conditions, more = ["container = ?", "(expires_at IS NULL OR expires_at > ?)"], [self.container.rid, self.now]
        if scope.key is not None:
            conditions.append("key = ?")
            more.append(key_text(scope.key))
        else:
            low = max(scope.ranges[0].low, scope.low or LOWEST)
            high = min(scope.ranges[-1].high, scope.high or HIGHEST)
            conditions.append("hash >= ? AND hash < ?")
            more += [low, high]
        if self.as_of:
            shown = [f"hash >= ? AND hash < ? {AS_OF}" for _ in scope.ranges]
            conditions.append(f"({' OR '.join(shown)})")
            for part in scope.ranges:
                more += [part.low, part.high, self.as_of[part.id], self.as_of[part.id]]
        table = "versions" if self.as_of else "items"
        statement = f"SELECT lsn, body FROM {table} WHERE {' AND '.join(conditions)} {rest}"
        return self.storage.db.execute(statement, [*more, *values])


def _token(place: Place | None) -> str:
    return b64encode(orjson.dumps(asdict(place) if place else {"given": 0})).decode()


def _number(document: Json) -> int:
    """Return the number in the rid of a document. A later document has a greater one."""
    return int.from_bytes(b64decode(document["_rid"], b"+-")[8:], "little")
