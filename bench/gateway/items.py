"""The items of one container, in memory: single operations, and batches that are done whole or not at all."""

import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

Json = dict[str, Any]

SYSTEM = ("_rid", "_self", "_etag", "_attachments", "_ts")
CHARGE = 1
"""Request units of each operation. The charges of the double are a model, and would cost time here."""
_NOT_TRIED = {"statusCode": 424, "requestCharge": 0}


class Refused(Exception):
    """An operation is refused, with the status and the code of the service."""

    def __init__(self, status: int, code: str, message: str, substatus: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.substatus = substatus


@dataclass(slots=True)
class Item:
    """A stored item: the bytes of its JSON, with the system properties."""

    rid: bytes
    etag: str
    body: bytes


@dataclass
class Container:
    """A container: the items of each partition key by id."""

    number: bytes
    """What its resource id says."""
    definition: Json
    partitions: dict[str, dict[str, Item]] = field(default_factory=dict)
    lsn: int = 0
    """The number of the last write."""
    created: int = 0
    """Items that were ever created."""
    earliest: str | None = None
    """The earliest `nextChangeAt` that any item ever had. An index would know it: each minute a query asks for it."""

    def __post_init__(self) -> None:
        self.rid = b64encode(self.number, b"+-").decode()
        self.link = f"dbs/{b64encode(self.number[:4], b'+-').decode()}/colls/{self.rid}/"

    def read(self, key: str, item_id: str) -> Item:
        """Return the item. Refuse with 404 one that does not exist."""
        try:
            return self.partitions[key][item_id]
        except KeyError:
            raise not_found() from None

    def write(self, operation: str, key: str, item_id: str | None, document: Json, match: str | None) -> Item:
        """Create, upsert or replace an item, and return it."""
        if not isinstance(document.get("id"), str):
            raise Refused(400, "BadRequest", "The input content is invalid because the property 'id' is no text.")
        item_id = document["id"] if item_id is None else item_id
        partition = self.partitions.get(key)
        was = None if partition is None else partition.get(item_id)
        _check(operation, was, match)
        if partition is None:
            partition = self.partitions[key] = {}
        item = partition[item_id] = self._item(document, was)
        return item

    def delete(self, key: str, item_id: str, match: str | None) -> None:
        """Remove an item."""
        _check("Delete", self.partitions.get(key, {}).get(item_id), match)
        del self.partitions[key][item_id]

    def batch(self, key: str, operations: list[Json], *, with_bodies: bool) -> tuple[int, list[Json]]:
        """Do all operations or none. Return the status of the batch and their results."""
        partition = self.partitions.get(key, {})
        before = {item_id: partition.get(item_id) for item_id in map(_id_of, operations)}
        results: list[Json] = []
        try:
            for operation in operations:
                results.append(self._in_batch(key, operation, with_bodies=with_bodies))
        except Refused as refused:
            self._restore(key, before)
            failed = {"statusCode": refused.status, "requestCharge": CHARGE}
            after = len(operations) - len(results) - 1
            return 207, [_NOT_TRIED] * len(results) + [failed] + [_NOT_TRIED] * after
        return 200, results

    def all_items(self, key: str | None) -> Iterator[Json]:
        """Yield the items of a partition key, or all of them, in the order in which they were created."""
        partitions = self.partitions.values() if key is None else [self.partitions.get(key, {})]
        for partition in list(partitions):
            for item in list(partition.values()):
                yield orjson.loads(item.body)

    def _restore(self, key: str, before: Mapping[str, Item | None]) -> None:
        partition = self.partitions.get(key, {})
        for item_id, item in before.items():
            if item is not None:
                partition[item_id] = item
            else:
                partition.pop(item_id, None)

    def _in_batch(self, key: str, operation: Json, *, with_bodies: bool) -> Json:
        kind, item_id, status = operation["operationType"], operation.get("id"), 200
        if kind == "Read":
            item = self.read(key, str(item_id))
        elif kind == "Delete":
            self.delete(key, str(item_id), operation.get("ifMatch"))
            return {"statusCode": 204, "requestCharge": CHARGE}
        else:
            created = self.created
            item = self.write(kind, key, item_id, operation["resourceBody"], operation.get("ifMatch"))
            status = 201 if self.created > created else 200
        result = {"statusCode": status, "requestCharge": CHARGE, "eTag": item.etag}
        return result | {"resourceBody": orjson.Fragment(item.body)} if with_bodies else result

    def _item(self, document: Json, was: Item | None) -> Item:
        if was is None:
            self.created += 1
            own = b64encode(self.number + self.created.to_bytes(8, "little"), b"+-")
        else:
            own = was.rid
        self.lsn += 1
        etag = f'"{self.lsn:016x}"'
        if "_etag" in document:
            document = {name: value for name, value in document.items() if name not in SYSTEM}
        next_change = document.get("nextChangeAt")
        if next_change is not None and (self.earliest is None or next_change < self.earliest):
            self.earliest = next_change
        body = b'%s,"_rid":"%s","_self":"%sdocs/%s/","_etag":"\\"%s\\"","_attachments":"attachments/","_ts":%d}' % (
            orjson.dumps(document)[:-1],
            own,
            self.link.encode(),
            own,
            etag[1:-1].encode(),
            time.time(),
        )
        return Item(own, etag, body)


def _id_of(operation: Json) -> str:
    """Return the id of the item that an operation of a batch is about."""
    return str(operation["id"] if "id" in operation else operation["resourceBody"]["id"])


def not_found(substatus: int = 0) -> Refused:
    """Return the refusal for what does not exist. 1003: its container does not exist."""
    return Refused(404, "NotFound", "Resource Not Found. Entity with the specified id does not exist.", substatus)


def _check(operation: str, was: Item | None, match: str | None) -> None:
    if operation == "Create" and was is not None:
        raise Refused(409, "Conflict", "Entity with the specified id already exists in the system.")
    if operation in ("Replace", "Delete") and was is None:
        raise not_found()
    if was is not None and match is not None and match not in ("*", was.etag):
        raise Refused(412, "PreconditionFailed", "One of the specified pre-condition is not met.")
    if operation not in ("Create", "Upsert", "Replace", "Delete"):
        raise Refused(501, "NotImplemented", f"The gateway does not implement {operation}.")
