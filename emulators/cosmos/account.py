"""Answer requests about the account: its description, its databases, its containers and their physical partitions."""

from typing import Any

from emulators.cosmos.call import Call, parse_object
from emulators.cosmos.indexing import check_policy
from emulators.cosmos.refusals import Refusal, bad_request, not_implemented
from emulators.cosmos.storage import (
    DEFAULT_INDEXING,
    Container,
    Database,
    Storage,
    is_time_to_live,
    not_found,
)

_KNOWN_DEFINITION = {"id", "partitionKey", "indexingPolicy", "defaultTtl", "conflictResolutionPolicy"}

Answer = tuple[int, dict[str, Any] | None, dict[str, str]]
"""Status, body and headers."""


def describe_account(endpoint: str, consistency: str) -> Answer:
    """Return the description that a client reads first: the regions and the default consistency."""
    here = [{"name": "Loopback", "databaseAccountEndpoint": endpoint}]
    return _ok(
        {
            "id": "double",
            "writableLocations": here,
            "readableLocations": here,
            "enableMultipleWriteLocations": False,
            "userConsistencyPolicy": {"defaultConsistencyLevel": consistency},
        }
    )


def on_database(storage: Storage, call: Call) -> Answer:
    """Create, list, read or delete databases."""
    match call.method, call.path[1:]:
        case "POST", () if not call.is_true("x-ms-documentdb-isquery"):
            return 201, _database(storage.create_database(_name(parse_object(call.body)))), {"etag": '"0"'}
        case "GET", ():
            return _ok({"Databases": [_database(database) for database in storage.databases()]})
        case "GET", (name,):
            return _ok(_database(storage.database(name)))
        case "DELETE", (name,):
            storage.delete_database(storage.database(name))
            return 204, None, {}
    raise not_implemented(f"{call.operation}, by query or otherwise")


def on_container(storage: Storage, call: Call, ranges: int) -> Answer:
    """Create, list, read or delete containers."""
    database = storage.database(call.path[1])
    match call.method, call.path[3:]:
        case "POST", () if not call.is_true("x-ms-documentdb-isquery"):
            container = storage.create_container(database, _definition(parse_object(call.body)), ranges)
            return 201, _container(container), {"etag": '"0"'}
        case "GET", ():
            return _ok({"DocumentCollections": [_container(container) for container in storage.containers(database)]})
        case "GET", (name,):
            try:
                return _ok(_container(storage.container(database.name, name)))
            except Refusal:
                raise not_found() from None  # 1003 is for the items of a container that is missing
        case "DELETE", (name,):
            storage.delete_container(storage.container(database.name, name))
            return 204, None, {}
    raise not_implemented(f"{call.operation}, by query or otherwise")


def on_ranges(storage: Storage, container: Container, call: Call) -> Answer:
    """List the physical partitions. Answer 304 to a client that has the list: without 304 it asks for ever."""
    ranges = storage.ranges(container)
    etag = '"' + "-".join(part.id for part in ranges) + '"'
    if call.header("if-none-match") == etag:
        return 304, None, {"etag": etag}
    found = [
        {"id": part.id, "minInclusive": part.low, "maxExclusive": part.high, "parents": part.parents} for part in ranges
    ]
    body = {"_rid": container.rid, "PartitionKeyRanges": found, "_count": len(found)}
    return 200, body, {"etag": etag, "x-ms-item-count": str(len(found))}


def _definition(body: dict[str, Any]) -> dict[str, Any]:
    definition = {name: value for name, value in body.items() if value is not None}
    if unknown := definition.keys() - _KNOWN_DEFINITION:
        raise not_implemented(f"{', '.join(sorted(unknown))} of a container")
    _name(definition)
    if not isinstance(definition.get("partitionKey"), dict):
        raise bad_request("A container has a partitionKey.")
    definition.setdefault("indexingPolicy", DEFAULT_INDEXING)
    check_policy(definition["indexingPolicy"])
    if not is_time_to_live(definition.get("defaultTtl", -1)):
        raise bad_request("The defaultTtl is a positive integer of seconds, or -1.")
    return definition


def _name(body: dict[str, Any]) -> str:
    name = body.get("id")
    if not isinstance(name, str) or not name or set(name) & set("/\\?#"):
        raise bad_request("A database or a container has an id, without / \\ ? and #.")
    return name


def _ok(body: dict[str, Any]) -> Answer:
    return 200, body, {"etag": '"0"'}


def _database(database: Database) -> dict[str, Any]:
    link = f"dbs/{database.rid}/"
    return {"id": database.name, "_rid": database.rid, "_self": link, "_etag": '"0"', "_colls": "colls/", "_ts": 0}


def _container(container: Container) -> dict[str, Any]:
    own = {"_rid": container.rid, "_self": container.link, "_etag": '"0"', "_docs": "docs/", "_ts": 0}
    return {**container.definition, **own}
