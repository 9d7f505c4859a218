"""Decides which answers are Cosmos DB's own and can be used.

Between the archive and the service there may be gateways and proxies, and they answer too: a page of HTML with 404, a
200 without content, gzip that is none. The SDK takes any 404 for "there is no such document", and any list of results
for a batch that was done. So every answer is checked here before the SDK reads it.
"""

import re
import zlib
from collections.abc import Mapping
from math import inf
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
from azure.core.pipeline import PipelineResponse
from azure.cosmos.exceptions import CosmosHttpResponseError

DOCUMENT_STATUSES = frozenset({404, 409, 412})
"""Statuses that say something about documents. A 404 with a substatus is about a container, or a replica that lags."""

_DOCUMENTS = re.compile(r"/dbs/[^/]+/colls/[^/]+/docs(?:/([^/]*))?/?")
_NEEDED: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (re.compile("/?"), frozenset({"userConsistencyPolicy", "writableLocations"})),
    (re.compile(r"/dbs/[^/]+/colls/[^/]+/?"), frozenset({"_rid", "partitionKey"})),
    (re.compile(r"/dbs/[^/]+/colls/[^/]+/pkranges/?"), frozenset({"PartitionKeyRanges"})),
)
"""Fields of the account, a container and its partitions. The SDK keeps these answers, so a wrong one would stay."""


class UnusableAnswer(CosmosHttpResponseError):
    """The answer is not the service's own, or its content does not fit: whether the request was done is not known.

    It is one of the SDK's own errors, because the SDK passes these on at once.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status_code=status, message="The answer cannot be used.")  # type: ignore[no-untyped-call]


def check_answer(response: PipelineResponse[Any, Any]) -> None:
    """Raise UnusableAnswer unless the service itself answered, with content that fits the request."""
    answer = response.http_response
    try:
        body = answer.body()
        content = orjson.loads(body) if body else None
        own_substatus = int(answer.headers.get("x-ms-substatus") or 0)
    except (zlib.error, ValueError) as error:
        raise UnusableAnswer(answer.status_code) from error
    path = urlsplit(response.http_request.url).path
    documents = _DOCUMENTS.fullmatch(path)
    if documents is None:
        is_usable = answer.status_code != 200 or _has_needed(path, content)
    elif answer.status_code < 400:
        is_usable = _is_charged(answer) and _fits(response.http_request, answer, documents[1], content)
    elif answer.status_code in DOCUMENT_STATUSES and own_substatus == 0:
        is_usable = _is_charged(answer) and _is_refusal(response.http_request, answer.status_code, content)
    else:
        is_usable = True
    if not is_usable:
        raise UnusableAnswer(answer.status_code)


def request_charge(headers: Mapping[str, Any]) -> float:
    """Return the cost of an answer in request units; 0 if it does not say."""
    return _number(headers.get("x-ms-request-charge")) or 0.0


def retry_after(error: Exception) -> float:
    """Return how many seconds the service asks to wait; 0 if it does not say, or says no number.

    Of a batch, one operation may be throttled: the wait is in its result, not in a header.
    """
    headers: Mapping[str, Any] = getattr(error, "headers", None) or {}
    waits = [headers.get("x-ms-retry-after-ms"), *(result.get("retryAfterMilliseconds") for result in _results(error))]
    return max(_number(wait) or 0.0 for wait in waits) / 1000


def substatus(error: Exception) -> int:
    """Return the substatus of an answer, or of the operation that failed in a batch; 0 if there is none."""
    found = [getattr(error, "sub_status", None), *(result.get("subStatusCode") for result in _results(error))]
    return next((value for value in found if isinstance(value, int) and value), 0)


def _is_charged(answer: Any) -> bool:
    """Return whether the service answered a request for documents.

    Microsoft documents x-ms-request-charge for each answer to such a request, refusals included, and no gateway has a
    reason to add it. A 404, 409 or 412 must also have the body that all refusals of the service have: JSON with `code`.
    Other refusals need no proof: the archive takes nothing from them but that it did not work.
    """
    return _number(answer.headers.get("x-ms-request-charge")) is not None


def _is_refusal(request: Any, status: int, content: Any) -> bool:
    """Return whether the service can refuse the request with this status. A query has no 404."""
    is_possible = not _is_query(request) and (status == 404 or request.method != "GET")
    return is_possible and isinstance(content, dict) and isinstance(content.get("code"), str)


def _fits(request: Any, answer: Any, item: str | None, content: Any) -> bool:
    if request.headers.get("x-ms-cosmos-is-batch-request"):
        return _is_result_of(orjson.loads(request.data), content)
    if _is_feed(request):
        # Without its place, the reader would begin again, or skip what it did not get.
        return bool(answer.headers.get("etag")) and (answer.status_code == 304 or _has_documents(content))
    if _is_query(request):
        return _has_documents(content)
    if item and request.method == "GET":
        return isinstance(content, dict) and content.get("id") == unquote(item)
    return True  # the archive asks for no content after a write


def _has_documents(content: Any) -> bool:
    found = content.get("Documents") if isinstance(content, dict) else None
    return isinstance(found, list) and all(isinstance(document, dict) for document in found)


def _is_result_of(operations: list[dict[str, Any]], results: Any) -> bool:
    """Return whether each operation of a batch has its result: all were done, or one failed and none was done."""
    if not isinstance(results, list) or len(results) != len(operations):
        return False
    if not all(isinstance(result, dict) and isinstance(result.get("statusCode"), int) for result in results):
        return False
    if any(result["statusCode"] >= 400 and result["statusCode"] != 424 for result in results):
        return True
    return all(map(_is_done, operations, results))


def _is_done(operation: dict[str, Any], result: dict[str, Any]) -> bool:
    is_read, found = operation["operationType"] == "Read", result.get("resourceBody")
    return 200 <= result["statusCode"] < 300 and (
        not is_read or (isinstance(found, dict) and found.get("id") == operation["id"])
    )


def _has_needed(path: str, content: Any) -> bool:
    needed = next((names for address, names in _NEEDED if address.fullmatch(path)), frozenset[str]())
    return not needed or (isinstance(content, dict) and needed <= content.keys())


def _is_query(request: Any) -> bool:
    return bool(request.headers.get("x-ms-documentdb-isquery"))


def _is_feed(request: Any) -> bool:
    return bool(request.headers.get("A-IM"))


def _results(error: Exception) -> list[dict[str, Any]]:
    return getattr(error, "operation_responses", None) or []


def _number(value: Any) -> float | None:
    """Return the number that a header or a result holds, if it is one from 0 on."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < inf else None
