"""The endpoints of the peer."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any
from uuid import uuid4

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from starlette.exceptions import HTTPException

from bench.peer import identifiers, queries
from bench.peer.access import Access, Registry
from bench.peer.dates import show, utc_now
from bench.peer.errors import Refusal
from bench.peer.models import Context
from bench.peer.notices import Change, Publication, publish
from bench.peer.parsing import parse_json, validated
from bench.peer.preconditions import has_version, precondition_of
from bench.peer.store import Caller, IuvTaken, Listing, Store

ATTEMPTS = 5
"""How often a publication is decided again because another writer came first."""

Writer = Annotated[Caller, Depends(Access("notices:write", has_body=True))]
Reader = Annotated[Caller, Depends(Access("notices:read"))]

router = APIRouter(prefix="/api/v1/creditor-institutions/{ec}/notices")


def create_app(opened_store: Callable[[], AbstractAsyncContextManager[Store]]) -> FastAPI:
    """Return the app. It opens its store when it starts, and closes it at the end."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened_store() as store:
            app.state.store, app.state.registry = store, Registry(store)
            yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(router)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _not_routed)
    return app


@router.put("/{nav}")
async def publish_notice(ec: str, nav: str, request: Request, caller: Writer) -> Response:
    """201 when the notice is new, 200 when it was known, changed or not."""
    registry: Registry = request.app.state.registry
    value, precondition = parse_json(await request.body()), precondition_of(request.headers)
    institution, now = await registry.institution(ec), utc_now()
    notice = validated(value, Context(nav, now, institution.lenient))
    publication = Publication(institution, nav, notice, {"role": caller.role, "name": caller.name}, precondition, now)
    _check_grant_of_iuv(caller, publication)
    change = await _saved(request.app.state.store, publication)
    shown_at = show(utc_now())
    status = 201 if change.publishes else 200
    return _answer(request, change.stored.shown(shown_at), status, change.stored.etag(shown_at))


@router.get("/{nav}")
async def get_notice(ec: str, nav: str, request: Request, caller: Reader) -> Response:
    """200 with the notice, 304 if the client has it already."""
    queries.check_names(request.query_params, ())
    await request.app.state.registry.institution(ec)
    store: Store = request.app.state.store
    stored = await store.load(ec, nav)
    if stored is None:
        raise Refusal("notice_not_found")
    now = show(utc_now())
    etag = stored.etag(now)
    if has_version(request.headers, etag):
        return Response(status_code=304, headers={"ETag": etag, "X-Request-Id": _request_id(request)})
    return _answer(request, stored.shown(now), etag=etag)


@router.get("/{nav}/events")
async def get_history(ec: str, nav: str, request: Request, caller: Reader) -> Response:
    """200 with a page of the events of the notice, oldest first."""
    parameters, filters = request.query_params, f"{ec}/{nav}"
    queries.check_names(parameters, ("limit", "cursor"))
    limit = queries.limit_of(parameters)
    after = queries.place_of(parameters, filters, int)
    await request.app.state.registry.institution(ec)
    store: Store = request.app.state.store
    events = await store.history(ec, nav, after or 0, limit + 1)
    if not events and not after:
        raise Refusal("notice_not_found")
    cursor = queries.cursor_at((after or 0) + limit, filters) if len(events) > limit else None
    return _answer(request, {"items": [*map(orjson.Fragment, events[:limit])], "nextCursor": cursor})


@router.get("")
async def list_notices(ec: str, request: Request, caller: Reader) -> Response:
    """200 with a page of the institution's notices that are granted to the caller."""
    parameters = request.query_params
    queries.check_names(parameters, ("status", "limit", "cursor"))
    status, limit = queries.status_of(parameters), queries.limit_of(parameters)
    filters = f"{ec}?{status}"
    after = queries.place_of(parameters, filters, str)
    await request.app.state.registry.institution(ec)
    store: Store = request.app.state.store
    now = show(utc_now())
    found = await store.list(Listing(ec, now, caller.codes(ec), status, after or "", limit + 1))
    page = [stored.shown(now) for stored in found[:limit]]
    cursor = queries.cursor_at(page[-1]["noticeNumber"], filters) if len(found) > limit else None
    return _answer(request, {"items": page, "nextCursor": cursor})


def _check_grant_of_iuv(caller: Caller, publication: Publication) -> None:
    """Raise Refusal if the IUV belongs to a number whose segregation code is not granted."""
    owner = f"3{publication.iuv}"
    code = identifiers.segregation_code_of(owner)
    codes = caller.codes(publication.institution.fiscal_code)
    if owner != publication.number and code is not None and not {"*", code} & codes:
        raise Refusal("segregation_code_not_granted")


async def _saved(store: Store, publication: Publication) -> Change:
    """Decide and save. Load and decide again if the notice was known, or if another writer came first."""
    address = publication.institution.fiscal_code, publication.number
    is_read = not store.decides_unread
    known = await store.load(*address) if is_read else None
    for _ in range(ATTEMPTS):
        try:
            change = publish(known, publication)
            if not change.events or await store.save(change):
                return change
        except IuvTaken:
            raise Refusal("iuv_already_used") from None
        except Refusal:
            if is_read:
                raise
        known, is_read = await store.load(*address), True
    raise Refusal("not_done_in_time")


def _answer(request: Request, body: Any, status: int = 200, etag: str | None = None) -> Response:
    headers = {"X-Request-Id": _request_id(request)}
    if etag is not None:
        headers["ETag"] = etag
    return Response(orjson.dumps(body), status, headers, "application/json")


def _request_id(request: Request) -> str:
    return request.headers.get("x-request-id") or uuid4().hex


async def _refused(request: Request, refusal: Refusal) -> Response:
    headers = {"X-Request-Id": _request_id(request), "X-Error-Code": refusal.code}
    document = orjson.dumps(refusal.document(request.url.path))
    return Response(document, refusal.status, headers, "application/problem+json")


async def _not_routed(request: Request, error: HTTPException) -> Response:
    return await _refused(request, Refusal("method_not_allowed" if error.status_code == 405 else "address_not_found"))
