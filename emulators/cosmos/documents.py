"""Answer requests for the documents of one container."""

from base64 import b64decode
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from emulators.cosmos import charges
from emulators.cosmos.call import Call, parse_json, parse_object, parse_objects
from emulators.cosmos.faults import Fault
from emulators.cosmos.feeds import PAGE, Feeds, Scope, scope_of
from emulators.cosmos.items import ITEM_LIMIT, Partition, too_large
from emulators.cosmos.partitions import Key, Range, range_of
from emulators.cosmos.refusals import Refusal, bad_request, not_implemented
from emulators.cosmos.sql import Select, parse
from emulators.cosmos.storage import Container, Storage

Answer = tuple[int, bytes | None, dict[str, str]]
"""Status, body and headers."""

KEY_LIMIT = 2048
"""Bytes of a value of a partition key, at most."""
STRICT = ("Strong", "BoundedStaleness")
OF_DATA = (404, 409, 412)
"""Refusals that depend on the data: they have a session token, as other answers have."""
READ_SESSION_NOT_AVAILABLE = 1002
WRONG_CONTAINER = 1024


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of a container, for one request."""

    storage: Storage
    container: Container
    call: Call
    now: float
    consistency: str
    fault: Fault
    """The rule that this request meets."""

    def answer(self) -> Answer:
        """Carry out the request. Raises Refusal."""
        self._check_container()
        self._check_session()
        try:
            return self._answer()
        except Refusal as refusal:
            if refusal.status in OF_DATA and self.call.key:
                refusal.headers = self._headers(self._scope().ranges, charges.REFUSED)
            raise

    def _answer(self) -> Answer:
        match self.call.operation:
            case "Read":
                return self._read()
            case "Create" | "Upsert" | "Replace" | "Patch" | "Delete" as operation:
                return self._write(operation)
            case "Batch":
                return self._batch()
            case "QueryPlan":
                select, parameters = self._query_of_body()
                return 200, orjson.dumps(select.plan(parameters)), {"x-ms-request-charge": "0"}
            case "Query":
                return self._query(*self._query_of_body())
            case "ReadFeed":
                return self._query(parse("SELECT * FROM c"), {})
            case "ChangeFeed":
                return self._changes()
        raise not_implemented(f"{self.call.method} of documents")

    def _read(self) -> Answer:
        partition = self._partition()
        outcome = partition.read(self._id)
        headers = self._headers((partition.part,), self._read_charge(outcome.charge))
        headers["etag"] = outcome.etag or ""
        if self.call.header("if-none-match") in ("*", outcome.etag):
            return 304, None, headers
        return 200, outcome.body, headers

    def _write(self, operation: str) -> Answer:
        if len(self.call.body) > ITEM_LIMIT:
            raise too_large()
        document = self._written(operation)
        partition = self._partition()
        item_id = self._id if len(self.call.path) == 6 else None
        with self.storage.transaction():
            outcome = partition.write(operation, item_id, document, self.call.conditions)
        headers = self._headers((partition.part,), outcome.charge)
        if outcome.etag:
            headers["etag"] = outcome.etag
        return outcome.status, outcome.body if self.call.wants_body else None, headers

    def _written(self, operation: str) -> dict[str, Any]:
        """Return the document or the patch in the body. The body of a patch may be the list of its operations."""
        if operation == "Delete":
            return {}
        given = parse_json(self.call.body) if operation == "Patch" else None
        return {"operations": given} if isinstance(given, list) else parse_object(self.call.body)

    def _batch(self) -> Answer:
        if len(self.call.body) > ITEM_LIMIT:
            raise too_large()
        partition = self._partition()
        status, results = partition.batch(parse_objects(self.call.body), self.fault.refusals_in_batch())
        if not self.call.wants_body:
            results = [{name: said for name, said in result.items() if name != "resourceBody"} for result in results]
        charge = round(sum(result["requestCharge"] for result in results), 2)
        return status, orjson.dumps(results), self._headers((partition.part,), charge)

    def _query(self, select: Select, parameters: dict[str, Any]) -> Answer:
        scope = self._scope()
        page, continuation = self._feeds(scope).query(scope, select, parameters, self._limit, self.call.continuation())
        headers = self._headers(scope.ranges, self._read_charge(page.charge))
        headers["x-ms-item-count"] = str(len(page.items))
        if continuation:
            headers["x-ms-continuation"] = continuation
        return 200, self._listing(page.items), headers

    def _changes(self) -> Answer:
        if "Full-Fidelity" in (self.call.header("a-im") or ""):
            raise not_implemented("the change feed of all versions and deletes")
        scope = self._scope()
        if len(scope.ranges) != 1:
            raise not_implemented("a change feed over several ranges in one request")
        after, since = self.call.feed_position(), self.call.modified_since()
        page, reached = self._feeds(scope).changes(scope, after, since, self._limit)
        headers = self._headers(scope.ranges, page.charge)
        headers |= {"etag": f'"{reached}"', "x-ms-item-count": str(len(page.items))}
        return (200, self._listing(page.items), headers) if page.items else (304, None, headers)

    @property
    def _limit(self) -> int:
        """Return how many items the page may have: by the request, or by a rule."""
        limit = self.call.limit or PAGE
        return limit if self.fault.page is None else min(limit, self.fault.page)

    def _listing(self, items: list[Any]) -> bytes:
        return orjson.dumps({"_rid": self.container.rid, "Documents": items, "_count": len(items)})

    def _query_of_body(self) -> tuple[Select, dict[str, Any]]:
        """Return the query of the body and its parameters."""
        body = parse_object(self.call.body)
        query, given = body.get("query"), body.get("parameters") or []
        if not isinstance(query, str) or not isinstance(given, list) or not all(map(_is_parameter, given)):
            raise bad_request("A query has a text and a list of parameters, each with a name and a value.")
        return parse(query), {parameter["name"]: parameter["value"] for parameter in given}

    @property
    def _id(self) -> str:
        """Return the id in the address. The address may have the resource id in its place."""
        name = self.call.path[5]
        if len(name) == 24 and name.endswith("=="):
            try:
                number = b64decode(name, b"+-", validate=True)
            except ValueError:
                return name
            return self.storage.id_of(int.from_bytes(number[8:], "little", signed=True)) or name
        return name

    def _whole_key(self) -> Key:
        key = self.call.key
        if key is None or not self.container.key.is_whole(key):
            raise bad_request(
                "Partition key provided either doesn't correspond to definition in the collection or doesn't match"
                " partition key field values specified in the document.",
                1001,
            )
        if any(isinstance(value, str) and len(value.encode()) > KEY_LIMIT for value in key):
            raise bad_request(f"A value of a partition key has {KEY_LIMIT} bytes at most.")
        return key

    def _scope(self) -> Scope:
        call = self.call
        scope = scope_of(
            self.container,
            self.storage.ranges(self.container),
            call.key,
            call.header("x-ms-documentdb-partitionkeyrangeid"),
            call.header("x-ms-start-epk"),
            call.header("x-ms-end-epk"),
        )
        is_everything = scope.key is None and not scope.is_one_range and call.operation == "Query"
        if is_everything and not call.is_true("x-ms-documentdb-query-enablecrosspartition"):
            raise bad_request("Cross partition query is required but disabled.")
        return scope

    def _partition(self) -> Partition:
        """Return the logical partition that the request names."""
        key = self._whole_key()
        hashed = self.container.key.hash(key)
        part = range_of(self.storage.ranges(self.container), hashed)
        return Partition(self.storage, self.container, key, hashed, part, self.now, self._as_of((part,)).get(part.id))

    def _feeds(self, scope: Scope) -> Feeds:
        return Feeds(self.storage, self.container, self.now, self._as_of(scope.ranges))

    def _as_of(self, ranges: tuple[Range, ...]) -> dict[str, int]:
        """Return the last transaction that the replicas show, for each range. It is empty if they show all."""
        is_read = self.call.operation in ("Read", "Query", "ReadFeed", "ChangeFeed")
        # Under the two strictest, a read asks two of four replicas, and a write has reached three: one of them has it.
        if not (self.fault.stale and is_read) or self.consistency in STRICT:
            return {}
        seen = self.call.seen()
        return {part.id: max(part.lsn - self.fault.stale, min(seen.get(part.id, 0), part.lsn), 0) for part in ranges}

    def _read_charge(self, charge: float) -> float:
        return round(charge * (charges.STRICT_READ if self.consistency in STRICT else 1), 2)

    def _check_container(self) -> None:
        intended = self.call.header("x-ms-cosmos-intended-collection-rid")
        if intended and intended != self.container.rid:
            raise bad_request(
                "The client knows another container of this name: it was deleted and created again.", WRONG_CONTAINER
            )

    def _check_session(self) -> None:
        """Refuse a session token of a transaction that has not happened, as a replica does that is behind."""
        known = {part.id: part.lsn for part in self.storage.ranges(self.container)}
        if any(lsn > known.get(range_id, lsn) for range_id, lsn in self.call.seen().items()):
            message = "The read session is not available for the input session token."
            raise Refusal(404, "NotFound", message, READ_SESSION_NOT_AVAILABLE)

    def _headers(self, ranges: tuple[Range, ...], charge: float) -> dict[str, str]:
        as_of = self._as_of(ranges)
        # A replica that is behind gives its own last transaction, so that its answer does not pass for the latest.
        newest = self.storage.ranges(self.container)
        reached = {part.id: as_of.get(part.id, part.lsn) for part in newest if part.id in {r.id for r in ranges}}
        return {
            "x-ms-request-charge": f"{charge:g}",
            "x-ms-session-token": ",".join(f"{range_id}:-1#{lsn}" for range_id, lsn in reached.items()),
            "x-ms-documentdb-partitionkeyrangeid": ranges[0].id,
            "lsn": str(reached[ranges[0].id]),
            # Without the name, the SDK does not keep the session token.
            "x-ms-alt-content-path": quote(self.container.path),
            "x-ms-content-path": self.container.rid,
        }


def _is_parameter(given: object) -> bool:
    return isinstance(given, dict) and isinstance(given.get("name"), str) and "value" in given
