"""Fills an embedded store, through the store itself: many saves at once share a commit."""

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import orjson

from bench.growth.notices import INSTITUTIONS, address_of
from bench.notices import BODIES
from local.seed import LOCAL_EC
from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_registry import SqliteRegistry
from shared.archive import Page
from shared.bootstrap import utc_now
from shared.domain import declarations
from shared.domain.callers import EVERY
from shared.domain.events import Actor, Role, WriteContext
from shared.domain.identifiers import InstitutionCode
from shared.domain.institutions import DEFAULT_LABEL, CreditorInstitution, RegisteredIban
from shared.domain.notice import Change
from shared.ports import Cursor, Search
from shared.wire.parsing import parse_notice
from shared.wire.queries import cursor_after
from shared.wire.texts import ParseContext
from tests.support import IBAN

AT_ONCE = 512
"""As many saves as one commit takes."""
PAGE = 50


async def register(path: Path) -> None:
    """Register the institutions, and the caller of the development host with a grant for all of them."""
    registry, now = SqliteRegistry(path, utc_now), utc_now()
    iban = RegisteredIban(IBAN, frozenset({DEFAULT_LABEL}), now)
    for code in INSTITUTIONS:
        await registry.save_institution(CreditorInstitution(InstitutionCode(code), f"Comune {code}", (iban,)))
    await registry.save_caller(replace(LOCAL_EC, grants={EVERY: frozenset({EVERY})}))
    await registry.close()


async def fill(path: Path, first: int, end: int) -> None:
    """Publish the notices from a position up to another one, which is not included."""
    gc.disable()  # nothing here forms a circle
    store = SqliteNoticeStore(path)
    changes = _changes(first, end)

    async def save() -> None:
        for change in changes:
            await store.save(change)

    await asyncio.gather(*(save() for _ in range(AT_ONCE)))
    await store.close()
    gc.enable()


async def pages(path: Path, notices: int, count: int = 200) -> list[tuple[str, str]]:
    """Return institutions, each with a cursor that leads to a full page somewhere in its list."""
    store, random = SqliteNoticeStore(path), Random(notices)
    found: list[tuple[str, str]] = []
    while len(found) < count:
        address = address_of(random.randrange(notices))
        search = Search(address.creditor_institution, utc_now(), limit=PAGE)
        after = Cursor("", address.number)
        cursor = cursor_after(search, Page([], after))
        if cursor and len(await store.search(replace(search, after=after))) == PAGE:
            found.append((address.creditor_institution, cursor))
    await store.close()
    return found


def _changes(first: int, end: int) -> Iterator[Change]:
    now, address = utc_now(), address_of(0)
    iban = RegisteredIban(IBAN, frozenset({DEFAULT_LABEL}), now)
    bodies = [parse_notice(orjson.loads(body), address, ParseContext(False, now))[0] for body in BODIES]
    publications = [publication.with_iban(iban) for publication in bodies]
    for position in range(first, end):
        publication = replace(publications[position % len(publications)], address=address_of(position))
        context = WriteContext(now, Actor(Role.CREDITOR_INSTITUTION, LOCAL_EC.name), f"{position:024x}")
        yield declarations.publish(None, publication, context)
