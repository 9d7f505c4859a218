"""Read and write in one logical partition: single items, and batches that are done whole or not at all."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from emulators.cosmos import charges
from emulators.cosmos.indexing import terms
from emulators.cosmos.partitions import Key, Range
from emulators.cosmos.patching import check_condition, patched
from emulators.cosmos.refusals import Refusal, bad_request, not_implemented
from emulators.cosmos.storage import Container, Item, Storage, is_time_to_live, key_text, not_found, rid_below

Json = dict[str, Any]

ITEM_LIMIT = 2 * 1024 * 1024
"""Bytes of one item, and of the request of a batch, at most."""
ANSWER_LIMIT = 4 * 1024 * 1024
"""Bytes of the items of a batch or a page, at most."""
BATCH_LIMIT = 100
"""Operations of a batch, at most."""
ID_LIMIT = 1023
"""Bytes of an id, at most."""

SYSTEM = ("_rid", "_self", "_etag", "_attachments", "_ts")
_FORBIDDEN_IN_ID = re.compile(r"[/\\?#]")
WRITES = ("Create", "Upsert", "Replace", "Patch", "Delete")


@dataclass(frozen=True, slots=True)
class Conditions:
    """The preconditions of a request: its If-Match and If-None-Match."""

    match: str | None = None
    none_match: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an operation. `body` is the JSON of the item, None without an item."""

    status: int
    charge: float
    etag: str | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """One logical partition at one moment."""

    storage: Storage
    container: Container
    key: Key
    hash: str
    """The hash of the key."""
    part: Range
    """The physical partition of it."""
    now: float
    as_of: int | None = None
    """Reads see it as it was after the transaction of this number. None: as it is now."""

    def read(self, item_id: str) -> Outcome:
        """Return the item. Refuse with 404 an item that does not exist."""
        item = self._item(item_id, self.as_of)
        if item is None:
            raise not_found()
        return Outcome(200, charges.read(len(item.body)), item.etag, item.body)

    def write(
        self, operation: str, item_id: str | None, document: dict[str, Any], conditions: Conditions, lsn: int = 0
    ) -> Outcome:
        """Do one write inside a transaction. `lsn` is its number, 0 for the next one."""
        if operation in ("Create", "Upsert", "Replace"):
            self._check_key(document)
        item_id = _checked_id(document) if item_id is None else item_id
        was = self._item(item_id)
        self._check(operation, was, conditions)
        if operation == "Delete":
            assert was is not None
            return self._delete(was, self._lsn(lsn))
        before = orjson.loads(was.body) if was else None
        steps = 0
        if operation == "Patch":
            check_condition(document, before)
            steps, document = patched(before, document)
        return self._put(item_id, document, was, before, self._lsn(lsn), steps)

    def batch(self, operations: Sequence[Json], injected: Mapping[int, Refusal]) -> tuple[int, list[Json]]:
        """Do all the operations or none, and return the status of the batch and the results of the operations.

        `injected` are errors of single operations, by their places.
        """
        if not operations or len(operations) > BATCH_LIMIT:
            raise bad_request(f"A batch has from 1 to {BATCH_LIMIT} operations; this one has {len(operations)}.")
        for operation in operations:
            _check_operation(operation)
        done: list[Json] = []
        size = 0
        try:
            with self.storage.transaction():
                lsn = self._lsn(0) if any(o["operationType"] != "Read" for o in operations) else 0
                for place, operation in enumerate(operations):
                    if place in injected:
                        raise injected[place]
                    outcome = self._batched(operation, lsn)
                    size += len(outcome.body or b"")
                    if size > ANSWER_LIMIT:
                        raise too_large()
                    done.append(_result(outcome))
        except Refusal as refusal:
            if refusal.status == 501:
                raise
            not_tried = {"statusCode": 424, "requestCharge": 0.0}
            # 424 is "failed dependency". The operations before have it too: they are undone.
            before, after = len(done), len(operations) - len(done) - 1
            return 207, [not_tried] * before + [_failed(refusal)] + [not_tried] * after
        return 200, done

    def _batched(self, operation: Json, lsn: int) -> Outcome:
        kind, item_id, document = operation["operationType"], operation.get("id"), operation.get("resourceBody")
        if kind == "Read":
            return self.read(str(item_id))
        conditions = Conditions(operation.get("ifMatch"), operation.get("ifNoneMatch"))
        return self.write(kind, item_id, document or {}, conditions, lsn)

    def _check_key(self, document: dict[str, Any]) -> None:
        """Refuse a document with another partition key."""
        if key_text(self.container.key.of(document)) != key_text(self.key):
            raise bad_request(
                "PartitionKey extracted from document doesn't match the one specified in the header.", 1001
            )

    def _item(self, item_id: str, as_of: int | None = None) -> Item | None:
        return self.storage.item(self.container, key_text(self.key), item_id, self.now, as_of)

    def _check(self, operation: str, was: Item | None, conditions: Conditions) -> None:
        if operation == "Create" and was:
            raise Refusal(409, "Conflict", "Entity with the specified id already exists in the system.")
        if operation in ("Replace", "Patch", "Delete") and was is None:
            raise not_found()
        if operation == "Upsert" and conditions.none_match:
            raise not_implemented("If-None-Match of an upsert, which the service documents for reads only")
        # The service ignores If-None-Match of other writes, and If-Match of a creation. An upsert creates an item that
        # does not exist, under all conditions: azure-cosmos-dotnet-v3 issue 1698.
        if was and conditions.match not in (None, "*", was.etag):
            raise Refusal(412, "PreconditionFailed", "One of the specified pre-condition is not met.")

    def _lsn(self, given: int) -> int:
        return given or self.storage.next_lsn(self.container, self.part)

    def _delete(self, was: Item, lsn: int) -> Outcome:
        self.storage.remove(lsn, was)
        indexed = terms(orjson.loads(was.body), self.container.indexing)
        return Outcome(204, charges.write(len(was.body), None, len(indexed)))

    def _put(
        self,
        item_id: str,
        document: dict[str, Any],
        was: Item | None,
        before: dict[str, Any] | None,
        lsn: int,
        steps: int,
    ) -> Outcome:
        if _checked_id(document) != item_id:
            raise not_implemented("giving an item another id")
        self._check_key(document)
        seconds, etag = int(self.now), f'"{secrets.token_hex(8)}"'
        n = was.n if was else self.storage.next_number()
        document = {name: value for name, value in document.items() if name not in SYSTEM}
        own_rid = rid_below(self.container.rid, n.to_bytes(8, "little"))
        system = (own_rid, f"{self.container.link}docs/{own_rid}/", etag, "attachments/", seconds)
        body = orjson.dumps(document | dict(zip(SYSTEM, system, strict=True)))
        if len(body) > ITEM_LIMIT:
            raise too_large()
        item = Item(n, item_id, self.hash, lsn, etag, body)
        self.storage.put(self.container, self.key, item, seconds, self._expires_at(document, seconds), was)
        policy = self.container.indexing
        touched = terms(document, policy) ^ (terms(before, policy) if before else frozenset())
        charge = charges.write(len(was.body) if was else None, len(body), len(touched), steps)
        return Outcome(200 if was else 201, charge, etag, body)

    def _expires_at(self, document: dict[str, Any], seconds: int) -> int | None:
        ttl, default = document.get("ttl"), self.container.default_ttl
        if ttl is not None and not is_time_to_live(ttl):
            raise bad_request("The input ttl is invalid: it is a positive integer, or -1 for never.")
        lives = ttl if ttl is not None else default
        # Without a default of the container nothing expires, also not an item with a time to live.
        return None if default is None or lives in (None, -1) else seconds + lives


def too_large() -> Refusal:
    """Return the refusal of an item or a batch of more than 2 MiB."""
    return Refusal(413, "RequestEntityTooLarge", "Request size is too large.")


def _check_operation(operation: Json) -> None:
    """Refuse a malformed operation, and so the whole batch."""
    kind = operation.get("operationType")
    if kind not in ("Read", *WRITES):
        raise not_implemented(f"{kind} in a batch")
    if kind in ("Read", "Replace", "Patch", "Delete") and not isinstance(operation.get("id"), str):
        raise bad_request(f"{kind} in a batch names the item by its id.")
    if kind not in ("Read", "Delete") and not isinstance(operation.get("resourceBody"), dict):
        raise bad_request(f"{kind} in a batch has a resourceBody.")


def _checked_id(document: dict[str, Any]) -> str:
    item_id = document.get("id")
    if not isinstance(item_id, str) or not item_id:
        raise bad_request("The input content is invalid because the required property 'id' is missing or no text.")
    if len(item_id.encode()) > ID_LIMIT or _FORBIDDEN_IN_ID.search(item_id):
        raise bad_request("The id is too long, or has a character that no id may have: / \\ ? #.")
    return item_id


def _failed(refusal: Refusal) -> Json:
    failed: Json = {"statusCode": refusal.status, "requestCharge": charges.REFUSED}
    if refusal.substatus:
        failed["subStatusCode"] = refusal.substatus
    if refusal.retry_after is not None:
        failed["retryAfterMilliseconds"] = round(refusal.retry_after * 1000)
    return failed


def _result(outcome: Outcome) -> Json:
    result: Json = {"statusCode": outcome.status, "requestCharge": outcome.charge}
    if outcome.etag:
        result["eTag"] = outcome.etag
    if outcome.body:
        result["resourceBody"] = orjson.loads(outcome.body)
    return result
