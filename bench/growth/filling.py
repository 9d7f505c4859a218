"""Fills an embedded store, through the store itself: many saves at once share a commit.

The lists of the debtors are filled afterwards. The function of the projection makes each entry from the notice that was
saved. The projection itself would read a million notices again, and write to the lists in no order.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from random import Random

import orjson

from bench.growth.debtors import by_debtor, debtor_at, put_entry
from bench.growth.notices import INSTITUTIONS, address_of
from bench.loads import PAGE
from bench.notices import BODIES
from local.seed import LOCAL_EC
from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_debtors import SqliteDebtors
from shared.adapters.sqlite_feed import SqliteFeed
from shared.adapters.sqlite_registry import SqliteRegistry
from shared.archive import Page
from shared.bootstrap import utc_now
from shared.debtor_projection import NAME as PROJECTION
from shared.domain import declarations
from shared.domain.callers import EVERY
from shared.domain.events import Actor, Role, WriteContext
from shared.domain.identifiers import InstitutionCode
from shared.domain.institutions import DEFAULT_LABEL, CreditorInstitution, RegisteredIban
from shared.domain.notice import Change
from shared.feed_reader import skip_to_end
from shared.ports import Cursor, Search
from shared.relay import NAME as RELAY
from shared.wire.parsing import parse_notice
from shared.wire.queries import cursor_after
from shared.wire.texts import ParseContext
from tests.support import IBAN

AT_ONCE = 512
"""As many saves as one commit takes."""


async def register(path: Path) -> None:
    """Register the institutions, and the caller of the development host with a grant for all of them."""
    registry, now = SqliteRegistry(path, utc_now), utc_now()
    iban = RegisteredIban(IBAN, frozenset({DEFAULT_LABEL}), now)
    for code in INSTITUTIONS:
        institution = CreditorInstitution(InstitutionCode(code), f"Comune {code}", (iban,), stand_in=True)
        await registry.save_institution(institution)
    await registry.save_caller(replace(LOCAL_EC, grants={EVERY: frozenset({EVERY})}))
    await registry.close()


async def fill(path: Path, first: int, end: int) -> None:
    """Publish the notices from a position up to another one, which is not included, and fill the debtors' lists."""
    gc.disable()  # nothing here forms a circle
    store = SqliteNoticeStore(path)
    index, change_at = SqliteDebtors(store.writes, store.lists), _publications()

    async def save(position: int) -> None:
        await store.save(change_at(position))

    async def put(position: int) -> None:
        await put_entry(index, change_at(position).notice)

    await _for_each(range(first, end), save)
    await _for_each(by_debtor(first, end), put)
    # Else these readers would work while the archive is measured, on the same core.
    for reader in (PROJECTION, RELAY):
        await skip_to_end(reader, SqliteFeed(store.writes, store.reads))
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


async def _for_each(positions: Iterable[int], write: Callable[[int], Awaitable[None]]) -> None:
    left = iter(positions)

    async def write_some() -> None:
        for position in left:
            await write(position)

    await asyncio.gather(*(write_some() for _ in range(AT_ONCE)))


def _publications() -> Callable[[int], Change]:
    """Return a function that publishes the notice at a position: the same one each time it is called."""
    now, address = utc_now(), address_of(0)
    iban = RegisteredIban(IBAN, frozenset({DEFAULT_LABEL}), now)
    bodies = [parse_notice(orjson.loads(body), address, ParseContext(False, now))[0] for body in BODIES]
    publications = [publication.with_iban(iban) for publication in bodies]

    def change_at(position: int) -> Change:
        publication = publications[position % len(publications)]
        content = replace(publication.content, debtor=debtor_at(position))
        publication = replace(publication, address=address_of(position), content=content)
        context = WriteContext(now, Actor(Role.CREDITOR_INSTITUTION, LOCAL_EC.name), f"{position:024x}")
        return declarations.publish(None, publication, context)

    return change_at
