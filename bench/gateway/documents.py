"""Answers the requests for documents: single ones, batches and queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson

from bench.gateway.items import CHARGE, Container, Item, Refused
from emulators.cosmos.sql import Select, parse

Answer = tuple[int, bytes, bytes]
"""Status, the lines of its own headers, body."""

_OF_DATA = (404, 409, 412)
"""Refusals that depend on the data: they have the headers that other answers have."""
_PAGE = 100


@dataclass(slots=True)
class Request:
    """One request: the parts of its address, still quoted, and its headers with names in lower case."""

    method: bytes
    path: list[bytes]
    headers: Mapping[bytes, bytes]
    body: bytes

    def is_true(self, name: bytes) -> bool:
        """Return whether the value of a header is true. The SDK writes `true` and `True`."""
        return self.headers.get(name, b"").lower() == b"true"

    @property
    def key(self) -> str:
        """Return its partition key, in one form: clients may put blanks into it."""
        return self.headers[b"x-ms-documentdb-partitionkey"].decode().replace(" ", "")

    @property
    def match(self) -> str | None:
        """Return its If-Match."""
        match = self.headers.get(b"if-match")
        return None if match is None else match.decode()

    @property
    def wants_body(self) -> bool:
        """Return whether the answer to a write contains the item."""
        return b"return=minimal" not in self.headers.get(b"prefer", b"")


def on_documents(container: Container, request: Request) -> Answer:
    """Return the answer to a request for documents. Raises Refused, SqlError."""
    try:
        return _on_documents(container, request)
    except Refused as refused:
        if refused.status not in _OF_DATA:
            raise
        return refusal(refused, _headers(container, request))


def refusal(refused: Refused, headers: bytes = b"x-ms-request-charge: %d\r\n" % CHARGE) -> Answer:
    """Return the answer that refuses a request."""
    if refused.substatus:
        headers += b"x-ms-substatus: %d\r\n" % refused.substatus
    return refused.status, headers, orjson.dumps({"code": refused.code, "message": str(refused)})


def _on_documents(container: Container, request: Request) -> Answer:
    match request.method, request.path[5:]:
        case b"GET", [item_id]:
            item = container.read(request.key, unquote(item_id.decode()))
            if request.headers.get(b"if-none-match") in (b"*", item.etag.encode()):
                return 304, _headers(container, request, item), b""
            return 200, _headers(container, request, item), item.body
        case b"POST", []:
            return _on_post(container, request)
        case b"PUT", [item_id]:
            return _write(container, request, "Replace", unquote(item_id.decode()))
        case b"DELETE", [item_id]:
            container.delete(request.key, unquote(item_id.decode()), request.match)
            return 204, _headers(container, request), b""
    raise Refused(501, "NotImplemented", "The gateway has no feeds and no patches.")


def _on_post(container: Container, request: Request) -> Answer:
    if request.is_true(b"x-ms-cosmos-is-batch-request"):
        operations = orjson.loads(request.body)
        status, results = container.batch(request.key, operations, with_bodies=request.wants_body)
        return status, _headers(container, request), orjson.dumps(results)
    if request.is_true(b"x-ms-cosmos-is-query-plan-request"):
        select, parameters = _query(request)
        return 200, b"", orjson.dumps(select.plan(parameters))
    if request.is_true(b"x-ms-documentdb-isquery"):
        return _page(container, request)
    return _write(container, request, "Upsert" if request.is_true(b"x-ms-documentdb-is-upsert") else "Create")


def _write(container: Container, request: Request, operation: str, item_id: str | None = None) -> Answer:
    created = container.created
    item = container.write(operation, request.key, item_id, orjson.loads(request.body), request.match)
    status = 201 if container.created > created else 200
    return status, _headers(container, request, item), item.body if request.wants_body else b""


def _page(container: Container, request: Request) -> Answer:
    """Answer a query: of one partition key, or of everything, which is one physical partition."""
    select, parameters = _query(request)
    key = request.key if b"x-ms-documentdb-partitionkey" in request.headers else None
    # An index would find nothing without looking at any item.
    ends = [value for sign, value in select.bounds("nextChangeAt", parameters) if sign in ("<", "<=", "=")]
    is_empty = bool(ends) and (container.earliest is None or container.earliest > min(ends))
    rows = [] if is_empty else select.run(container.all_items(key), parameters)
    first, limit = int(request.headers.get(b"x-ms-continuation", b"0")), _limit(request)
    page = rows[first : first + limit]
    headers = _headers(container, request) + b"x-ms-item-count: %d\r\n" % len(page)
    if first + limit < len(rows):
        headers += b"x-ms-continuation: %d\r\n" % (first + limit)
    body = {"_rid": container.rid, "Documents": page, "_count": len(page)}
    return 200, headers, orjson.dumps(body)


def _query(request: Request) -> tuple[Select, dict[str, Any]]:
    body = orjson.loads(request.body)
    return parse(body["query"]), {given["name"]: given["value"] for given in body.get("parameters") or ()}


def _limit(request: Request) -> int:
    limit = int(request.headers.get(b"x-ms-max-item-count", b"-1"))
    return limit if limit > 0 else _PAGE


def _headers(container: Container, request: Request, item: Item | None = None) -> bytes:
    """Return the lines of the headers of an answer about documents, as the double has them."""
    etag = b"" if item is None else b"etag: %s\r\n" % item.etag.encode()
    return (
        b"x-ms-request-charge: %d\r\nx-ms-session-token: 0:-1#%d\r\nx-ms-documentdb-partitionkeyrangeid: 0\r\n"
        b"lsn: %d\r\nx-ms-alt-content-path: %s\r\nx-ms-content-path: %s\r\n%s"
        % (CHARGE, container.lsn, container.lsn, b"/".join(request.path[:4]), container.rid.encode(), etag)
    )
