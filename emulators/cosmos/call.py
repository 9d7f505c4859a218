"""Parse one request of a client: its operation, its address, its headers and its body."""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, unquote_plus

import orjson
from multidict import CIMultiDictProxy

from emulators.cosmos.items import Conditions
from emulators.cosmos.partitions import Key
from emulators.cosmos.refusals import Refusal, bad_request

Json = dict[str, Any]

CONSISTENCIES = ("Strong", "BoundedStaleness", "Session", "ConsistentPrefix", "Eventual")
"""The strongest first. A request may name one that is weaker than the account's, never a stronger one."""

_NOUNS = {"": "Account", "dbs": "Database", "colls": "Container", "pkranges": "PartitionKeyRanges", "offers": "Offer"}
_VERBS = {"GET": "Read", "POST": "Create", "PUT": "Replace", "PATCH": "Patch", "DELETE": "Delete"}


@dataclass(frozen=True, slots=True)
class Call:
    """A request. `path` has the parts of its address, unquoted."""

    method: str
    path: tuple[str, ...]
    headers: CIMultiDictProxy[str]
    body: bytes

    @classmethod
    def parse(cls, method: str, raw_path: str, headers: CIMultiDictProxy[str], body: bytes) -> "Call":
        """Parse the request line. The rest is parsed when it is used."""
        parts = raw_path.partition("?")[0].split("/")
        return cls(method, tuple(unquote(part) for part in parts if part), headers, body)

    @property
    def kind(self) -> str:
        """Return the kind of resource of its address: dbs, colls, docs ... It is empty for the account."""
        if not self.path:
            return ""
        return self.path[-1] if self._is_feed else self.path[-2]

    @property
    def operation(self) -> str:
        """Return the name of the operation, as in the log and the rules of faults."""
        if self.kind == "docs":
            return self._document_operation()
        noun = _NOUNS.get(self.kind, self.kind)
        return noun if noun in ("Account", "PartitionKeyRanges") else f"{_VERBS.get(self.method, self.method)}{noun}"

    def header(self, name: str) -> str | None:
        """Return the value of a header, None without it."""
        value = self.headers.get(name)
        return value and value.encode(errors="surrogateescape").decode(errors="replace")

    def is_true(self, name: str) -> bool:
        """Return whether the value of a header is true. The SDK writes `true` and `True`."""
        return self.headers.get(name, "").lower() == "true"

    @property
    def container_name(self) -> str | None:
        """Return the name of the container in its address."""
        return self.path[3] if len(self.path) > 3 else None

    @property
    def key(self) -> Key | None:
        """Return its partition key."""
        text = self.header("x-ms-documentdb-partitionkey")
        if text is None:
            return None
        key = parse_json(text.encode())
        if not isinstance(key, list):
            raise bad_request("The partition key of a request is a list.", 1001)
        return key

    @property
    def conditions(self) -> Conditions:
        """Return its preconditions."""
        return Conditions(self.header("if-match"), self.header("if-none-match"))

    @property
    def limit(self) -> int | None:
        """Return how many items a page may have, None if the service decides."""
        count = self._number("x-ms-max-item-count", self.header("x-ms-max-item-count") or "-1")
        return count if count > 0 else None

    @property
    def wants_body(self) -> bool:
        """Return whether the answer to a write contains the item."""
        return "return=minimal" not in (self.header("prefer") or "")

    def consistency(self, account: str) -> str:
        """Return the consistency of the read. Refuse one that is stronger than the account's."""
        level = self.header("x-ms-consistency-level") or account
        if level not in CONSISTENCIES:
            raise bad_request(f"The consistency level {level} is none of {', '.join(CONSISTENCIES)}.")
        if CONSISTENCIES.index(level) < CONSISTENCIES.index(account):
            raise bad_request(
                f"Consistency level {level} specified in the request exceeds service-configured consistency level"
                f" {account}. Validate input request to ensure that consistency level specified is a valid downgrade."
            )
        return level

    def seen(self) -> dict[str, int]:
        """Return the last transaction of each range that the client has seen, by its session token."""
        header = "x-ms-session-token"
        tokens = [part.strip() for part in (self.header(header) or "").split(",") if part.strip()]
        seen: dict[str, int] = {}
        for token in tokens:
            range_id, _, reached = token.partition(":")
            seen[range_id] = self._number(header, reached.partition("#")[2])
        return seen

    def modified_since(self) -> float | None:
        """Return the time at which a feed starts, in seconds since 1970."""
        text = self.header("if-modified-since")
        try:
            return parsedate_to_datetime(text).timestamp() if text else None
        except ValueError as error:
            raise _bad_header("if-modified-since") from error

    def feed_position(self) -> int | None:
        """Return the transaction after which a feed goes on. -1 is now. None is the beginning, or a time."""
        text = self.header("if-none-match")
        return None if text is None else -1 if text == "*" else self._number("if-none-match", text.strip('"'))

    def continuation(self) -> Json | None:
        """Return the continuation token of a query."""
        text = self.header("x-ms-continuation")
        if not text:
            return None
        try:
            return parse_object(b64decode(text, validate=True))
        except (ValueError, Refusal) as error:
            raise bad_request("The continuation token is not one of this service.") from error

    def check_signature(self, key: str, token: str | None) -> None:
        """Refuse with 401 a request with neither the signature of the account's key nor the token of the identity."""
        given = unquote_plus((self.header("authorization") or "").replace("+", "%2B"))
        if token is not None and _same(given, f"type=aad&ver=1.0&sig={token}"):
            return
        date = (self.header("x-ms-date") or "").lower()
        link = "/".join(self.path[:-1] if self._is_feed else self.path)
        # The signature of an address by resource ids has the last of them only, in lower case.
        for signed in (link, link.rpartition("/")[2].lower()):
            text = f"{self.method.lower()}\n{self.kind}\n{signed}\n{date}\n\n"
            digest = hmac.new(b64decode(key), text.encode(), hashlib.sha256).digest()
            if _same(given, f"type=master&ver=1.0&sig={b64encode(digest).decode()}"):
                return
        raise Refusal(
            401, "Unauthorized", "The input authorization token can't serve the request: wrong key or payload."
        )

    def _number(self, header: str, text: str) -> int:
        if not re.fullmatch("-?[0-9]{1,18}", text):
            raise _bad_header(header)
        return int(text)

    @property
    def _is_feed(self) -> bool:
        return len(self.path) % 2 == 1

    def _document_operation(self) -> str:
        if not self._is_feed:
            return _VERBS.get(self.method, self.method) if self.method != "POST" else "POST of one"
        if self.method not in ("GET", "POST"):
            return f"{self.method} of all"
        if self.method == "GET":
            return "ChangeFeed" if self.header("a-im") else "ReadFeed"
        if self.is_true("x-ms-cosmos-is-batch-request"):
            return "Batch"
        if self.is_true("x-ms-cosmos-is-query-plan-request"):
            return "QueryPlan"
        if self.is_true("x-ms-documentdb-isquery") or "query+json" in (self.header("content-type") or ""):
            return "Query"
        return "Upsert" if self.is_true("x-ms-documentdb-is-upsert") else "Create"


def parse_object(data: bytes) -> Json:
    """Return the JSON object in the bytes. Refuse anything else."""
    value = parse_json(data)
    if not isinstance(value, dict):
        raise bad_request("The request payload is invalid: it is no JSON object.")
    return value


def parse_objects(data: bytes) -> list[Json]:
    """Return the JSON objects in a list. Refuse anything else."""
    value = parse_json(data)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise bad_request("The request payload is invalid: it is no list of JSON objects.")
    return value


def parse_json(data: bytes) -> Any:
    """Return the JSON value in the bytes. Refuse bytes that are not JSON."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise bad_request("The request payload is invalid: it is no JSON.") from error


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _bad_header(name: str) -> Refusal:
    return bad_request(f"The header {name} has no value of the form that it must have.")
