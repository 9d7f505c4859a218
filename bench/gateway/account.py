"""Answers the requests for the account, its database, its containers and their physical partitions."""

from collections.abc import Callable
from urllib.parse import unquote

import orjson

from bench.gateway.documents import Answer, Request, on_documents, refusal
from bench.gateway.items import Container, Json, Refused, not_found
from emulators.cosmos.sql import SqlError

_DATABASE = b"\x01\x00\x00\x01"
"""What the resource id of the database says."""
_RANGES = [{"id": "0", "minInclusive": "", "maxExclusive": "FF", "parents": []}]


class Account:
    """An account with one region, and one physical partition for each container."""

    def __init__(self, endpoint: Callable[[], str], consistency: str) -> None:
        self._endpoint = endpoint
        self._consistency = consistency
        self._databases: dict[str, dict[str, Container]] = {}

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request, refusals too."""
        try:
            match request.path:
                case [b"dbs", database, b"colls", name, b"docs", *_]:
                    return on_documents(self._container(database, name), request)
            return self._answer(request)
        except Refused as refused:
            return refusal(refused)
        except SqlError as error:
            return refusal(Refused(400, "BadRequest", str(error)))

    def _answer(self, request: Request) -> Answer:
        match request.method, request.path:
            case b"GET", []:
                return _json(200, self._description())
            case b"GET", [b"dbs", database, b"colls", name, b"pkranges"]:
                return _ranges(self._container(database, name), request)
            case b"POST", [b"dbs"]:
                return self._new_database(orjson.loads(request.body)["id"])
            case b"GET", [b"dbs", database]:
                return _json(200, _described_database(self._database(database)))
            case b"POST", [b"dbs", database, b"colls"]:
                return self._new_container(self._database(database), orjson.loads(request.body))
            case b"GET", [b"dbs", database, b"colls", name]:
                substatus = 0 if unquote(database.decode()) in self._databases else 1003
                return _json(200, _described(self._container(database, name, substatus)))
        raise Refused(501, "NotImplemented", "The gateway creates and reads, and nothing else.")

    def _description(self) -> Json:
        here = [{"name": "Loopback", "databaseAccountEndpoint": self._endpoint()}]
        return {
            "id": "gateway",
            "writableLocations": here,
            "readableLocations": here,
            "enableMultipleWriteLocations": False,
            "userConsistencyPolicy": {"defaultConsistencyLevel": self._consistency},
        }

    def _database(self, name: bytes) -> str:
        database = unquote(name.decode())
        if database not in self._databases:
            raise not_found(1003)
        return database

    def _container(self, database: bytes, name: bytes, substatus: int = 1003) -> Container:
        try:
            return self._databases[unquote(database.decode())][unquote(name.decode())]
        except KeyError:
            raise not_found(substatus) from None

    def _new_database(self, name: str) -> Answer:
        if name in self._databases:
            raise _in_use()
        self._databases[name] = {}
        return _json(201, _described_database(name))

    def _new_container(self, database: str, definition: Json) -> Answer:
        containers = self._databases[database]
        if definition["id"] in containers:
            raise _in_use()
        # The highest bit is the difference between the resource id of a container and the one of a user.
        number = _DATABASE + bytes((0x80, 0, 0, len(containers)))
        container = containers[definition["id"]] = Container(number, definition)
        return _json(201, _described(container))


def _ranges(container: Container, request: Request) -> Answer:
    """Answer the list of physical partitions, and 304 to a client that has it: without, the SDK asks for ever."""
    headers = b'etag: "0"\r\nx-ms-request-charge: 0\r\n'
    if request.headers.get(b"if-none-match") == b'"0"':
        return 304, headers, b""
    body = {"_rid": container.rid, "PartitionKeyRanges": _RANGES, "_count": len(_RANGES)}
    return 200, headers + b"x-ms-item-count: %d\r\n" % len(_RANGES), orjson.dumps(body)


def _described_database(name: str) -> Json:
    return {"id": name, "_rid": "AQAAAQ==", "_self": "dbs/AQAAAQ==/", "_etag": '"0"', "_colls": "colls/", "_ts": 0}


def _described(container: Container) -> Json:
    own = {"_rid": container.rid, "_self": container.link, "_etag": '"0"', "_docs": "docs/", "_ts": 0}
    return {**container.definition, **own}


def _json(status: int, body: Json) -> Answer:
    return status, b'etag: "0"\r\nx-ms-request-charge: 0\r\n', orjson.dumps(body)


def _in_use() -> Refused:
    return Refused(409, "Conflict", "Resource with specified id, name, or unique index already exists.")
