"""Find the physical partition of an item: the hash of its partition key, and the range of hashes of each partition.

From the published clients of the service: version 2 of the hash is MurmurHash3 (x64, 128 bits, seed 0) of each value
with its type before it, with the bytes reversed and the two highest bits cleared. The hash of a hierarchical key is the
hashes of its levels, one after the other. So everything below a prefix lies between `hash` and `hash` + "FF".
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import mmh3

from emulators.cosmos.refusals import bad_request, not_implemented

LOWEST, HIGHEST = "", "FF"
_SPACE = 0x40 << 120
"""The number of hashes: 128 bits with the two highest cleared."""

UNDEFINED: dict[str, Any] = {}
"""The key of a document without the property, as clients send it."""

Key = list[Any]
"""The values of a partition key, the outermost first."""


@dataclass(frozen=True, slots=True)
class KeyDefinition:
    """The properties of a document that are its partition key."""

    paths: tuple[tuple[str, ...], ...]
    is_hierarchical: bool

    @classmethod
    def parse(cls, definition: dict[str, Any]) -> "KeyDefinition":
        """Parse the definition of a container. Refuse one that the service or the double does not support."""
        kind, paths = definition.get("kind", "Hash"), definition.get("paths")
        if kind not in ("Hash", "MultiHash"):
            raise not_implemented("partition keys other than Hash and MultiHash")
        if definition.get("version", 1) != 2:
            raise not_implemented(
                "partition keys of version 1, which a definition without a version has: of their values only the first"
                " 101 bytes count"
            )
        most = 3 if kind == "MultiHash" else 1
        if not isinstance(paths, list) or not 1 <= len(paths) <= most or not all(map(_is_path, paths)):
            raise bad_request("The specified partition key definition is invalid.")
        return cls(tuple(tuple(path.strip("/").split("/")) for path in paths), kind == "MultiHash")

    def of(self, document: dict[str, Any]) -> Key:
        """Return the key of a document."""
        return [_property(document, path) for path in self.paths]

    def hash(self, key: Key) -> str:
        """Return the hash of a key, or of the first values of a hierarchical one."""
        if len(key) > len(self.paths):
            raise bad_request("The partition key has more values than the container's definition.", 1001)
        if self.is_hierarchical:
            return "".join(_digest(_typed(value)) for value in key)
        return _digest(b"".join(_typed(value) for value in key))

    def is_whole(self, key: Key) -> bool:
        """Return whether the key has all its values, and so names one logical partition."""
        return len(key) == len(self.paths)


@dataclass(frozen=True, slots=True)
class Range:
    """The hashes of one physical partition: from `low` to `high`, exclusive."""

    id: str
    low: str
    high: str
    lsn: int = 0
    """The number of its last transaction. After a split, both halves count on from the number of the whole."""
    parents: tuple[str, ...] = ()

    def holds(self, hashed: str) -> bool:
        """Return whether the hash is in this range."""
        return self.low <= hashed < self.high

    def split(self, at: str | None, ids: tuple[str, str]) -> tuple["Range", "Range"]:
        """Return the two halves, cut at a hash or in the middle."""
        cut = at or f"{(_number(self.low) + _number(self.high)) // 2:032X}"
        if not self.low < cut < self.high:
            raise ValueError(f"The range {self.id} cannot be cut at {cut}.")
        parents = (*self.parents, self.id)
        return (
            Range(ids[0], self.low, cut, self.lsn, parents),
            Range(ids[1], cut, self.high, self.lsn, parents),
        )


def even_ranges(count: int) -> list[Range]:
    """Return the ranges of a new container with so many physical partitions."""
    cuts = [LOWEST, *(f"{_SPACE * i // count:032X}" for i in range(1, count)), HIGHEST]
    return [Range(str(i), low, high) for i, (low, high) in enumerate(pairwise(cuts))]


def range_of(ranges: Sequence[Range], hashed: str) -> Range:
    """Return the range of the hash."""
    return next(candidate for candidate in ranges if candidate.holds(hashed))


def _is_path(path: object) -> bool:
    return isinstance(path, str) and path[:1] == "/" and len(path) > 1


def _property(document: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = document
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return UNDEFINED
        value = value[name]
    return value


def _digest(data: bytes) -> str:
    reversed_ = bytearray(reversed(mmh3.mmh3_x64_128_digest(data, 0)))
    reversed_[0] &= 0x3F
    return reversed_.hex().upper()


def _typed(value: Any) -> bytes:
    match value:
        case dict() if not value:
            return b"\0"
        case None:
            return b"\1"
        case bool():
            return b"\3" if value else b"\2"
        case int() | float():
            return b"\5" + struct.pack("<d", value)
        case str():
            return b"\x08" + value.encode() + b"\xff"
    raise bad_request("A partition key is a string, a number, a boolean, null, or not there.")


def _number(hashed: str) -> int:
    return _SPACE if hashed == HIGHEST else int(hashed[:32].ljust(32, "0") or "0", 16)
