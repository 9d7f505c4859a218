"""The edge of every HTTP function: admit the request, call the handler, render its answer or its refusal.

Refusals come in one order: 401, 415, 411, 413, 403, then those of the handler (400, 404, 422, 412, 409).
"""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

import azure.functions as func
import orjson

from shared import bootstrap, wire
from shared.archive import Archive
from shared.auth import AccessRequest, authenticate, authorise
from shared.deadlines import Deadline
from shared.domain.callers import Caller, Scope
from shared.domain.declarations import Publication
from shared.domain.events import WriteContext
from shared.domain.identifiers import InstitutionCode, NoticeNumber
from shared.domain.notice import Address
from shared.errors import (
    ArchiveError,
    BodyTooLarge,
    InternalError,
    InvalidValue,
    NoticeNotFound,
    StoreUnavailable,
    Unavailable,
    Violation,
)
from shared.registry import CachedRegistry
from shared.stored_notice import Shown
from shared.telemetry import LogContext, add_log_context, log_bug, log_event, log_failure
from shared.turns import request_ends_at
from shared.wire import answers, headers
from shared.wire.addresses import parameters_of
from shared.wire.headers import JSON
from shared.write_ids import new_write_id

KEY_HEADER = "ocp-apim-subscription-key"
MAX_BODY = 256 * 1024
"""Bytes of one notice, at most."""

PROBLEM = "application/problem+json"
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")


class Request(NamedTuple):
    """A request that may be answered: its caller has the scope, the institution and the segregation code."""

    caller: Caller
    institution: InstitutionCode
    """The institution of the address. Empty where the address has none."""
    number: str
    """The notice number of the address, as it was sent. Empty where the address has none."""
    headers: Mapping[str, str]
    parameters: Mapping[str, str]
    body: bytes
    now: datetime
    json: object = None
    """The body as JSON, if the access was read from it."""

    @property
    def address(self) -> Address:
        """Return the address of the notice. Raises NoticeNotFound if no notice can have this number."""
        try:
            return Address(self.institution, NoticeNumber.parse(self.number, lenient=True))
        except InvalidValue:
            raise NoticeNotFound from None

    async def require_access(self, registry: CachedRegistry, number: NoticeNumber) -> None:
        """Raise SegregationCodeNotGranted unless the caller may write this number, which is not in the address."""
        access = AccessRequest(Scope.NOTICES_WRITE, self.institution, (number.segregation_code,))
        await authorise(registry, self.caller, self.headers.get(KEY_HEADER), access)

    async def require_access_to_iuv(self, registry: CachedRegistry, publication: Publication) -> None:
        """Raise SegregationCodeNotGranted if the IUV belongs to a segregation code that the caller does not have."""
        if publication.needs_claim and publication.full_iuv.number.segregation_code is not None:
            await self.require_access(registry, publication.full_iuv.number)

    def write_context(self, occurred_at: datetime | None = None, reason: str | None = None) -> WriteContext:
        """Return the context of a write, with a write id of its own."""
        traceparent = headers.parse_traceparent(self.headers.get("traceparent"))
        return WriteContext(
            self.now, self.caller.actor, new_write_id(), occurred_at, reason=reason, traceparent=traceparent
        )


class Response(NamedTuple):
    """The answer of a handler. `body` is rendered as JSON, bytes are sent as they are, None is no body."""

    status: int
    body: dict[str, Any] | bytes | None = None
    etag: str | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    media_type: str = JSON


def notice_response(notice: Shown, status: int = 200) -> Response:
    """Return the answer that shows a notice."""
    return Response(status, notice.json, etag=answers.etag(notice))


Handler = Callable[[Request, Archive], Awaitable[Response]]
OpenHandler = Callable[[func.HttpRequest], Awaitable[Response]]
AccessFromBody = Callable[[object, Mapping[str, str], Scope], AccessRequest]
"""Reads the access that a request needs from its JSON body and its parameters."""
RenderRefusal = Callable[[ArchiveError], tuple[int, dict[str, Any]]]
"""Returns the status and the body of a refusal."""
ParameterNames = Callable[[], Collection[str]]
"""Returns the names that a query may have."""
HttpFunction = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


def no_parameters() -> tuple[str, ...]:
    """Return no names: the address takes no parameters."""
    return ()


def endpoint(
    scope: Scope,
    accepts: tuple[str, ...] = (),
    parameters: ParameterNames = no_parameters,
    access_from_body: AccessFromBody | None = None,
    render_refusal: RenderRefusal | None = None,
) -> Callable[[Handler], HttpFunction]:
    """Make a handler an HTTP function for callers with the scope. The archive is passed to the handler.

    `accepts` are the media types of its body. `parameters` returns the names that its query may have.
    `access_from_body` is for functions whose body, not their address, names the notice. `render_refusal` is for
    functions whose errors have another form than problem+json.
    """
    admission = Admission(scope, accepts, parameters, access_from_body)

    def decorate(handler: Handler) -> HttpFunction:
        async def respond(req: func.HttpRequest) -> Response:
            return await _handled(handler, req, admission)

        def refused(error: ArchiveError, req: func.HttpRequest) -> Response:
            if render_refusal is None:
                return _problem(error, req)
            status, body = render_refusal(error)
            return Response(status, body, headers=_error_headers(error))

        return _function(respond, handler, refused)

    return decorate


@dataclass(frozen=True, slots=True)
class Admission:
    """The conditions of an endpoint under which a request is passed to its handler."""

    scope: Scope
    accepts: tuple[str, ...]
    parameters: ParameterNames
    access_from_body: AccessFromBody | None


def open_endpoint(parameters: ParameterNames | None = no_parameters) -> Callable[[OpenHandler], HttpFunction]:
    """Make a handler an HTTP function that needs no key. `parameters` is None if its query may have any."""

    def decorate(handler: OpenHandler) -> HttpFunction:
        async def respond(req: func.HttpRequest) -> Response:
            if parameters is not None:
                parameters_of(req.url, parameters())
            return await handler(req)

        return _function(respond, handler, _problem)

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
    refused: Callable[[ArchiveError, func.HttpRequest], Response],
) -> HttpFunction:
    async def http_function(req: func.HttpRequest) -> func.HttpResponse:
        request_id = headers.request_id(req.headers)
        with LogContext(request_id=request_id, function=handler.__name__):
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


async def _handled(handler: Handler, req: func.HttpRequest, admission: Admission) -> Response:
    """Admit the request and let the handler answer it, within the time of a request."""
    application = bootstrap.application()
    try:
        with Deadline(application.deadlines) as ends_at:
            token = request_ends_at.set(ends_at)
            try:
                request = await _admitted(req, admission, application.archive)
                return await handler(request, application.archive)
            finally:
                request_ends_at.reset(token)
    except TimeoutError as error:
        raise StoreUnavailable from error  # nothing but the store takes that long


async def _admitted(req: func.HttpRequest, admission: Admission, archive: Archive) -> Request:
    now, institution, number = archive.clock(), req.route_params.get("ec"), req.route_params.get("nav")
    add_log_context(institution=institution, number=number or "")
    key = req.headers.get(KEY_HEADER)
    caller = await authenticate(archive.registry, key, now)
    add_log_context(caller=caller.name)
    body = _body(req, admission.accepts) if admission.accepts else b""
    value, parameters = None, None
    if admission.access_from_body is None:
        codes = () if number is None else (NoticeNumber(number).segregation_code,)
        access = AccessRequest(admission.scope, institution, codes)
    else:
        value, parameters = wire.parsing.parse_json(body), parameters_of(req.url, admission.parameters())
        access = admission.access_from_body(value, parameters, admission.scope)
        add_log_context(institution=access.institution)
    caller = await authorise(archive.registry, caller, key, access)
    if parameters is None:
        parameters = parameters_of(req.url, admission.parameters())
    code = InstitutionCode(access.institution or "")
    return Request(caller, code, number or "", req.headers, parameters, body, now, value)


def _body(req: func.HttpRequest, accepts: tuple[str, ...]) -> bytes:
    body = req.get_body()
    headers.check_media_type(req.headers, accepts)
    headers.check_length(req.headers, len(body))
    if len(body) > MAX_BODY:
        raise BodyTooLarge(f"Send at most {MAX_BODY:,} bytes for one notice. This body has {len(body):,}.")
    return body


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
    """Return the path of a URL. Its host comes from the client and may be any text."""
    path = url.partition("://")[2].partition("/")[2].partition("?")[0]
    return _STRAY_PERCENT.sub("%25", quote(f"/{path}", safe="/%:~", errors="replace"))
