"""The edge of every HTTP function: admit, call the handler, render its answer; the only maker of problem+json.

Refusals come in one order: 401, 415, 413, 403, then what the handler finds (400, 404, 422, 412, 409).
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

import azure.functions as func
import orjson

from shared import bootstrap
from shared.auth import authenticate, authorise
from shared.domain.callers import Caller, Scope
from shared.domain.events import Act
from shared.domain.identifiers import InstitutionCode, NoticeNumber
from shared.domain.notice import Address, Notice
from shared.errors import ArchiveError, BodyTooLarge, InternalError, Unauthenticated
from shared.telemetry import tell_defect
from shared.wire import answers, headers

KEY_HEADER = "ocp-apim-subscription-key"
MAX_BODY = 256 * 1024
"""Bytes of one notice, at most."""

PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was admitted: who asks what, of which institution and number, and when."""

    caller: Caller
    institution: InstitutionCode
    number: NoticeNumber
    headers: Mapping[str, str]
    parameters: Mapping[str, str]
    body: bytes
    now: datetime

    @property
    def address(self) -> Address:
        """Return what the address names; whether such a notice can be is not checked."""
        return Address(self.institution, self.number)

    def act(self, occurred_at: datetime | None = None, reason: str | None = None) -> Act:
        """Return this request as an attempt to change a notice, under a write id of its own."""
        return Act(self.now, self.caller.actor, secrets.token_hex(12), occurred_at, reason=reason)


@dataclass(frozen=True, slots=True)
class Response:
    """What a handler answers; `body` is rendered as JSON, None is no body."""

    status: int
    body: dict[str, Any] | None = None
    etag: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def show(notice: Notice, now: datetime, status: int = 200) -> Response:
    """Return the answer that shows a notice, with the status true at `now`."""
    return Response(status, answers.notice(notice, now), etag=answers.etag(notice, now))


Handler = Callable[[Request], Awaitable[Response]]
OpenHandler = Callable[[], Awaitable[Response]]
HttpFunction = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


def endpoint(scope: Scope, accepts: tuple[str, ...] = ()) -> Callable[[Handler], HttpFunction]:
    """Make a handler an HTTP function, open to callers with the scope; `accepts` are the media types of its body."""

    def decorate(handler: Handler) -> HttpFunction:
        async def respond(req: func.HttpRequest) -> Response:
            return await handler(await _admitted(req, scope, accepts))

        return _function(respond, handler)

    return decorate


def open_endpoint(handler: OpenHandler) -> HttpFunction:
    """Make a handler an HTTP function that is open to everybody."""

    async def respond(req: func.HttpRequest) -> Response:
        return await handler()

    return _function(respond, handler)


def _function(
    respond: Callable[[func.HttpRequest], Awaitable[Response]], handler: Handler | OpenHandler
) -> HttpFunction:
    async def http_function(req: func.HttpRequest) -> func.HttpResponse:
        request_id = headers.request_id(req.headers)
        try:
            response = await respond(req)
        except ArchiveError as refusal:
            return _problem(refusal, req, request_id)
        except Exception as error:  # noqa: BLE001  the edge answers for every defect
            tell_defect("request_failed", error, function=handler.__name__, request_id=request_id)
            return _problem(InternalError(), req, request_id)
        return _rendered(response, request_id)

    # functools.wraps would also copy the signature, by which the worker binds the parameters.
    http_function.__name__, http_function.__doc__ = handler.__name__, handler.__doc__
    return http_function


async def _admitted(req: func.HttpRequest, scope: Scope, accepts: tuple[str, ...]) -> Request:
    archive = bootstrap.archive()
    key = req.headers.get(KEY_HEADER)
    caller = await authenticate(archive.registry, key)
    body = req.get_body() if accepts else b""
    if accepts:
        headers.check_media_type(req.headers, accepts)
        if len(body) > MAX_BODY:
            raise BodyTooLarge
    institution, number = req.route_params["ec"], req.route_params.get("nav")
    if key is None:
        raise Unauthenticated
    caller = await authorise(archive.registry, caller, key, scope, institution, number)
    return Request(
        caller,
        InstitutionCode(institution),
        NoticeNumber(number or ""),
        req.headers,
        req.params,
        body,
        archive.clock(),
    )


def _rendered(response: Response, request_id: str) -> func.HttpResponse:
    sent = {"X-Request-Id": request_id, **response.headers}
    if response.etag is not None:
        sent["ETag"] = response.etag
    if response.body is None:
        return func.HttpResponse(status_code=response.status, headers=sent)
    return func.HttpResponse(
        orjson.dumps(response.body), status_code=response.status, headers=sent, mimetype="application/json"
    )


def _path(url: str) -> str:
    """Return the path of an address; what the client put before it may be anything, a host that is none included."""
    path = url.partition("://")[2].partition("/")[2].partition("?")[0]
    return quote(f"/{path}", safe="/%:~", errors="replace")


def _problem(error: ArchiveError, req: func.HttpRequest, request_id: str) -> func.HttpResponse:
    body: dict[str, Any] = {
        "type": f"urn:archivio-avvisi:error:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": _path(req.url),
        "code": error.code,
    }
    if error.violations:
        body["violations"] = [
            {"field": broken.field, "code": broken.code, "message": broken.message} for broken in error.violations
        ]
    sent = {"X-Request-Id": request_id}
    if error.retry_after:
        sent["Retry-After"] = str(error.retry_after)
    return func.HttpResponse(orjson.dumps(body), status_code=error.status, headers=sent, mimetype=PROBLEM)
