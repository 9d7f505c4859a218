"""The edge of every HTTP function: admit, call the handler, render its answer; the only maker of problem+json.

Refusals come in one order: 401, 415, 411, 413, 403, then what the handler finds (400, 404, 422, 412, 409).
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

import azure.functions as func
import orjson

from shared import bootstrap
from shared.auth import AccessRequest, authenticate, authorise
from shared.domain.callers import Caller, Scope
from shared.domain.declarations import Publication
from shared.domain.events import WriteContext
from shared.domain.identifiers import InstitutionCode, NoticeNumber
from shared.domain.notice import Address, Notice
from shared.errors import ArchiveError, BodyTooLarge, InternalError, StoreUnavailable, Unavailable, Violation
from shared.telemetry import add_log_context, log_bug, log_context, log_event, log_failure, loggable
from shared.turns import request_ends_at
from shared.wire import answers, headers
from shared.wire.addresses import parameters_of
from shared.wire.bodies import parse_json
from shared.wire.headers import JSON

KEY_HEADER = "ocp-apim-subscription-key"
MAX_BODY = 256 * 1024
"""Bytes of one notice, at most."""

PROBLEM = "application/problem+json"
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")


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
    value: object = None
    """The body as JSON, where it had to be read to know what is wanted."""

    @property
    def address(self) -> Address:
        """Return what the address names; whether such a notice can be is not checked."""
        return Address(self.institution, self.number)

    async def require_number(self, number: NoticeNumber) -> None:
        """Raise Forbidden unless the caller may write this number too: one that the address does not name."""
        wanted = AccessRequest(Scope.NOTICES_WRITE, self.institution, (number.segregation_code,))
        await authorise(bootstrap.archive().registry, self.caller, self.headers.get(KEY_HEADER), wanted)

    async def require_iuv(self, publication: Publication) -> None:
        """Raise Forbidden if the notice would take an IUV that belongs to a segregation code of another caller."""
        owner = publication.full_iuv.number
        if publication.needs_claim and owner.segregation_code is not None:
            await self.require_number(owner)

    def write_context(self, occurred_at: datetime | None = None, reason: str | None = None) -> WriteContext:
        """Return this request as an attempt to change a notice, under a write id of its own."""
        return WriteContext(self.now, self.caller.actor, secrets.token_hex(12), occurred_at, reason=reason)


@dataclass(frozen=True, slots=True)
class Response:
    """What a handler answers; `body` is rendered as JSON, bytes go as they are, None is no body."""

    status: int
    body: dict[str, Any] | bytes | None = None
    etag: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = JSON


def notice_response(notice: Notice, now: datetime, status: int = 200) -> Response:
    """Return the answer that shows a notice, with the status true at `now`."""
    return Response(status, answers.notice(notice, now), etag=answers.etag(notice, now))


Handler = Callable[[Request], Awaitable[Response]]
OpenHandler = Callable[[func.HttpRequest], Awaitable[Response]]
Named = Callable[[object, Mapping[str, str], Scope], AccessRequest]
"""Reads from a JSON body and its query what is wanted; raises what cannot be read."""
Refusal = Callable[[ArchiveError], tuple[int, dict[str, Any]]]
"""Tells the status and the body of a refusal."""
HttpFunction = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


def endpoint(
    scope: Scope, accepts: tuple[str, ...] = (), parameters: tuple[str, ...] = ()
) -> Callable[[Handler], HttpFunction]:
    """Make a handler an HTTP function, open to callers with the scope.

    `accepts` are the media types of its body, `parameters` the names that the query of its address may have.
    """

    def decorate(handler: Handler) -> HttpFunction:
        async def respond(req: func.HttpRequest) -> Response:
            return await _handled(handler, req, scope, accepts, parameters)

        return _function(respond, handler)

    return decorate


def named_in_body(
    scope: Scope, accepts: tuple[str, ...], parameters: tuple[str, ...], named: Named, refusal: Refusal
) -> Callable[[Handler], HttpFunction]:
    """Make a handler an HTTP function whose body, not its address, names what is wanted, with refusals of its own."""

    def decorate(handler: Handler) -> HttpFunction:
        async def respond(req: func.HttpRequest) -> Response:
            return await _handled(handler, req, scope, accepts, parameters, named)

        def refused(error: ArchiveError, req: func.HttpRequest) -> Response:
            status, body = refusal(error)
            return Response(status, body, headers=_error_headers(error))

        return _function(respond, handler, refused)

    return decorate


def open_endpoint(parameters: tuple[str, ...] | None = ()) -> Callable[[OpenHandler], HttpFunction]:
    """Make a handler an HTTP function that is open to everybody; None as `parameters` takes any."""

    def decorate(handler: OpenHandler) -> HttpFunction:
        async def respond(req: func.HttpRequest) -> Response:
            if parameters is not None:
                parameters_of(req.url, parameters)
            return await handler(req)

        return _function(respond, handler)

    return decorate


def _problem(error: ArchiveError, req: func.HttpRequest) -> Response:
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
    return Response(error.status, body, headers=_error_headers(error), media_type=PROBLEM)


def _function(
    respond: OpenHandler,
    handler: Handler | OpenHandler,
    refused: Callable[[ArchiveError, func.HttpRequest], Response] = _problem,
) -> HttpFunction:
    async def http_function(req: func.HttpRequest) -> func.HttpResponse:
        request_id = headers.request_id(req.headers)
        with log_context(request_id=request_id, function=handler.__name__):
            try:
                bootstrap.check_settings()
                return _rendered(await respond(req), request_id)
            except ArchiveError as refusal:
                response = refused(refusal, req)
                _log_refusal(refusal, response.status)
            # The platform would log the text of an error that escapes, and the text may be personal.
            except Exception as error:  # noqa: BLE001
                log_bug("request_failed", error)
                response = refused(InternalError(), req)
        return _rendered(response, request_id)

    # functools.wraps would also copy the signature, by which the worker binds the parameters.
    http_function.__name__, http_function.__doc__ = handler.__name__, handler.__doc__
    return http_function


async def _handled(
    handler: Handler,
    req: func.HttpRequest,
    scope: Scope,
    accepts: tuple[str, ...],
    parameters: tuple[str, ...],
    named: Named | None = None,
) -> Response:
    """Admit the request and let the handler answer it, within the budget of a request."""
    ends_at = asyncio.get_running_loop().time() + bootstrap.application().budget
    token = request_ends_at.set(ends_at)
    try:
        async with asyncio.timeout_at(ends_at):
            return await handler(await _admitted(req, scope, accepts, parameters, named))
    except TimeoutError as error:
        raise StoreUnavailable from error  # there is nothing but the store to wait for
    finally:
        request_ends_at.reset(token)


async def _admitted(
    req: func.HttpRequest,
    scope: Scope,
    accepts: tuple[str, ...],
    parameters: tuple[str, ...],
    named: Named | None,
) -> Request:
    archive = bootstrap.archive()
    key = req.headers.get(KEY_HEADER)
    add_log_context(**loggable(req.route_params.get("ec", ""), req.route_params.get("nav", "")))
    caller = await authenticate(archive.registry, key)
    add_log_context(caller=caller.name)
    body = req.get_body() if accepts else b""
    if accepts:
        headers.check_media_type(req.headers, accepts)
        headers.check_length(req.headers, len(body))
        if len(body) > MAX_BODY:
            raise BodyTooLarge(f"Send at most {MAX_BODY:,} bytes for one notice. This body has {len(body):,}.")
    value: object = None
    given: Mapping[str, str] | None = None
    if named is None:
        wanted = _wanted(req, scope)
    else:
        value, given = parse_json(body), parameters_of(req.url, parameters)
        wanted = named(value, given, scope)
        add_log_context(**loggable(wanted.institution, ""))
    caller = await authorise(archive.registry, caller, key, wanted)
    return Request(
        caller,
        InstitutionCode(wanted.institution),
        NoticeNumber(req.route_params.get("nav", "")),
        req.headers,
        parameters_of(req.url, parameters) if given is None else given,
        body,
        archive.clock(),
        value,
    )


def _wanted(req: func.HttpRequest, scope: Scope) -> AccessRequest:
    number = req.route_params.get("nav")
    codes = () if number is None else (NoticeNumber(number).segregation_code,)
    return AccessRequest(scope, req.route_params["ec"], codes)


def _rendered(response: Response, request_id: str) -> func.HttpResponse:
    sent = {"X-Request-Id": request_id, **response.headers}
    if response.etag is not None:
        sent["ETag"] = response.etag
    if response.body is None:
        return func.HttpResponse(status_code=response.status, headers=sent)
    body = response.body if isinstance(response.body, bytes) else orjson.dumps(response.body)
    return func.HttpResponse(body, status_code=response.status, headers=sent, mimetype=response.media_type)


def _log_refusal(refusal: ArchiveError, status: int) -> None:
    """Log one event for a refusal: INFO where the caller can act, WARNING where the operators must."""
    keys: dict[str, object] = {"code": refusal.code, "status": status}
    if refusal.violations:
        keys["violations"] = " ".join(map(_loggable_violation, refusal.violations))
    if isinstance(refusal, Unavailable):
        log_failure("request_refused", refusal, **keys)
    else:
        log_event("request_refused", **keys)


def _loggable_violation(broken: Violation) -> str:
    # The name of a field that the contract does not have is the client's, and may be anything.
    return broken.code if broken.code == "unknown_field" else f"{broken.field}:{broken.code}"


def _error_headers(error: ArchiveError) -> dict[str, str]:
    """Return the error code for programs, and how long to wait where a repetition may succeed."""
    repeat = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    return {"X-Error-Code": error.code, **repeat, **error.headers}


def _path(url: str) -> str:
    """Return the path of an address; what the client put before it may be anything, a host that is none included."""
    path = url.partition("://")[2].partition("/")[2].partition("?")[0]
    return _STRAY_PERCENT.sub("%25", quote(f"/{path}", safe="/%:~", errors="replace"))
