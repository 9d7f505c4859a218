"""Apply an indexing policy: the terms of a document, the orders that it serves, and whether it is valid."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from emulators.cosmos.refusals import Refusal, bad_request

Policy = Mapping[str, Any]
Order = Sequence[tuple[tuple[str, ...], bool]]
"""The paths of an ORDER BY, each with whether it is descending."""

_UNINDEXED = frozenset({"_rid", "_self", "_etag", "_attachments"})
_ALWAYS_INDEXED = frozenset({("id",), ("_ts",)})
_ROOT = "/*"
_ITEM = "[]"
_SEGMENT = r'/(?:"[^"]*"|\[\]|[^/"?*\[\]]+)'
_INDEXED_PATH = re.compile(rf"(?P<segments>(?:{_SEGMENT})*)/(?P<ending>\*|\?)")
_COMPOSITE_PATH = re.compile(rf"(?:{_SEGMENT})+")
_ORDERS = ("ascending", "descending")


def terms(document: Mapping[str, Any], policy: Policy | None) -> frozenset[tuple[str, str]]:
    """Return the terms of a document in the index, as path and value. To write one costs 0.2 RU.

    Without a policy, everything is indexed. Every policy indexes id and _ts, and no other system property. A composite
    index adds one term, of all its paths. This is an assumption: the service documents only that each indexed property
    counts as one.
    """
    if not _is_on(policy):
        return frozenset()
    rules = _rules(policy)
    found = {
        ("/" + "/".join(path), json.dumps(value))
        for path, value in _scalars(document, ())
        if path[0] not in _UNINDEXED and _is_indexed(path, rules)
    }
    for index in _composites(policy):
        values = [_value_at(document, path) for path, _ in index]
        found.add((",".join("/" + "/".join(path) for path, _ in index), json.dumps(values)))
    return frozenset(found)


def check_order(policy: Policy | None, order: Order) -> None:
    """Refuse an ORDER BY that no index serves.

    One path must be indexed. Several paths must be all the paths of a composite index, in its sequence, with its
    directions or with the opposite ones. The service also accepts properties before them that WHERE fixes.
    """
    if len(order) == 1:
        path, _ = order[0]
        if not _is_on(policy) or path[0] in _UNINDEXED or not _is_indexed(path, _rules(policy)):
            raise bad_request("The index path corresponding to the specified order-by item is excluded.")
    elif order:
        served = [index for index in _composites(policy) if _serves(index, order)]
        if not served or not _is_on(policy):
            raise bad_request(
                "The order by query does not have a corresponding composite index that it can be served from."
            )


def check_policy(policy: Policy | None) -> None:
    """Refuse an invalid policy.

    Every path must be well formed, and either included or excluded. A consistent policy with paths must include or
    exclude the rest, /*. A policy without paths gets the default of the service.
    """
    if policy is None:
        return
    _check_shape(policy)
    mode = _mode(policy)
    if mode not in ("consistent", "none"):
        raise bad_request(f"The indexing mode '{policy['indexingMode']}' is not valid.")
    included, excluded = _paths(policy, "includedPaths"), _paths(policy, "excludedPaths")
    for path in (*included, *excluded):
        _check_path(path)
    for path in set(included) & set(excluded):
        raise bad_request(f"The indexing path '{path}' must not be both included and excluded.")
    if mode == "consistent" and (included or excluded) and _ROOT not in (*included, *excluded):
        raise bad_request(
            'The special mandatory indexing path "/" is not provided in any of the path type sets.'
            " Please provide this path in one of the sets."
        )
    for index in policy.get("compositeIndexes") or ():
        _check_composite(index)


@dataclass(frozen=True, slots=True)
class _Rule:
    """An included or excluded path: /a/? is the scalar at a, /a/* is everything from a on."""

    path: tuple[str, ...]
    is_exact: bool
    is_included: bool

    @property
    def precision(self) -> tuple[int, bool]:
        """For the order of rules: the deepest decides on a path, and at one depth the exact one."""
        return len(self.path), self.is_exact

    def covers(self, path: tuple[str, ...]) -> bool:
        return path == self.path if self.is_exact else path[: len(self.path)] == self.path


def _is_indexed(path: tuple[str, ...], rules: list[_Rule]) -> bool:
    return path in _ALWAYS_INDEXED or next((rule.is_included for rule in rules if rule.covers(path)), False)


def _rules(policy: Policy | None) -> list[_Rule]:
    """Return the rules of a policy, the most precise first."""
    included, excluded = _paths(policy or {}, "includedPaths"), _paths(policy or {}, "excludedPaths")
    if not included and not excluded:
        included = [_ROOT]
    rules = [_rule(path, True) for path in included] + [_rule(path, False) for path in excluded]
    return sorted(rules, key=lambda rule: rule.precision, reverse=True)


@lru_cache
def _rule(path: str, is_included: bool) -> _Rule:
    match = _INDEXED_PATH.fullmatch(path)
    if match is None:
        raise _malformed(path)
    return _Rule(_segments(match["segments"]), match["ending"] == "?", is_included)


def _segments(path: str) -> tuple[str, ...]:
    return tuple(segment[1:].strip('"') for segment in re.findall(_SEGMENT, path))


def _scalars(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the scalars below a value, each with its path. The items of an array have the same path."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _scalars(item, (*path, name))
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(item, (*path, _ITEM))
    else:
        yield path, value


def _value_at(document: object, path: tuple[str, ...]) -> object:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _composites(policy: Policy | None) -> list[list[tuple[tuple[str, ...], bool]]]:
    indexes = (policy or {}).get("compositeIndexes") or ()
    return [[(_segments(part["path"]), part.get("order") == "descending") for part in index] for index in indexes]


def _serves(index: Order, order: Order) -> bool:
    inverted = [(path, not descending) for path, descending in index]
    return list(order) in (list(index), inverted)


def _mode(policy: Policy | None) -> str:
    return str((policy or {}).get("indexingMode", "consistent")).lower()


def _is_on(policy: Policy | None) -> bool:
    return _mode(policy) != "none"


def _paths(policy: Policy, side: str) -> list[str]:
    return [str(entry.get("path", "")) for entry in policy.get(side) or ()]


def _check_shape(policy: object) -> None:
    def entries(holder: object, name: str) -> list[object]:
        found = holder.get(name) or [] if isinstance(holder, Mapping) else None
        if not isinstance(found, list):
            raise bad_request(f"The {name} of an indexing policy is a list.")
        return found

    paths = [*entries(policy, "includedPaths"), *entries(policy, "excludedPaths")]
    indexes = entries(policy, "compositeIndexes")
    if not all(isinstance(index, list) for index in indexes):
        raise bad_request("A composite index is a list of paths.")
    parts = [part for index in indexes if isinstance(index, list) for part in index]
    if not all(isinstance(entry, Mapping) for entry in (*paths, *parts)):
        raise bad_request("A path of an indexing policy is an object with a path.")


def _check_path(path: str) -> None:
    _rule(path, True)
    if path == "/?":
        raise _malformed(path)


def _check_composite(index: Sequence[Mapping[str, str]]) -> None:
    if len(index) < 2:
        raise bad_request("A composite index must have at least two paths.")
    for part in index:
        path = str(part.get("path", ""))
        if _COMPOSITE_PATH.fullmatch(path) is None:
            raise _malformed(path)
        if part.get("order", "ascending") not in _ORDERS:
            raise bad_request(f"The order '{part['order']}' of a composite path is not one of {', '.join(_ORDERS)}.")


def _malformed(path: str) -> Refusal:
    well_formed = re.match(rf"(?:{_SEGMENT})*", path)
    return bad_request(
        f"The indexing path '{path}' could not be accepted, failed near position"
        f" '{well_formed.end() if well_formed else 0}'. Please ensure that the path is a valid path. Common errors"
        " include invalid characters or absence of quotes around labels."
    )
