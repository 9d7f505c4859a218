"""The debtors of a store that grows: one has many notices that can be paid, the others have up to ten each."""

from base64 import b64encode
from dataclasses import replace
from functools import cache
from pathlib import Path

from bench.loads import PAGE
from bench.peer.check_digits import check_letter
from local.seed import LOCAL_PLATFORM
from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_debtors import SqliteDebtors
from shared.bootstrap import utc_now
from shared.debtor_hashes import DebtorHashes
from shared.debtor_lists import DebtorLists, DebtorSearch
from shared.debtor_projection import entry_of
from shared.domain.content import Debtor, DebtorType
from shared.domain.identifiers import DebtorCode
from shared.domain.notice import Notice
from shared.wire.debtors import cursor_after
from tests.support import DEBTOR_KEYS

OPEN = 200
"""Notices of the one debtor. They are among the first ones, so every size has them."""
OTHERS = 100_000
SETTING = ",".join(f"{key.id}:{b64encode(key.secret).decode()}" for key in DEBTOR_KEYS)
"""The keys of the lists, as in DEBTOR_KEYS."""

_HASHES = DebtorHashes(DEBTOR_KEYS)
_LETTERS = "BCDFGLMNPRSTVZ"


def debtor_at(position: int) -> Debtor:
    """Return the debtor of the notice at a position."""
    is_of_the_one = position % 5 == 0 and position < 5 * OPEN
    return _debtor(OTHERS if is_of_the_one else position % OTHERS)


def by_debtor(first: int, end: int) -> list[int]:
    """Return positions in the order of the lists. So few pages of the file are written more than once."""
    return sorted(range(first, end), key=lambda position: _hash(debtor_at(position)))


async def put_entry(index: SqliteDebtors, notice: Notice) -> None:
    """Write the entry of a new notice in the list of its debtor, as the projection does."""
    assert notice.content is not None
    await index.put(entry_of(_hash(notice.content.debtor), notice), notice.updated_at)


async def debtor_pages(path: Path) -> list[str]:
    """Return the queries of the pages of the one debtor, from the first to the last."""
    store = SqliteNoticeStore(path)
    lists = DebtorLists(SqliteDebtors(store.writes, store.lists), _HASHES)
    search = DebtorSearch((_hash(DEBTOR),), utc_now(), limit=PAGE)
    queries = [query := f"limit={PAGE}"]
    while cursor := cursor_after(search, page := await lists.page(search, LOCAL_PLATFORM)):
        queries.append(f"{query}&cursor={cursor}")
        search = replace(search, after=page.after)
    await store.close()
    return queries


@cache
def _hash(debtor: Debtor) -> str:
    [newest] = _HASHES.of(debtor.fiscal_code)
    return newest


@cache
def _debtor(number: int) -> Debtor:
    """Return a debtor whose fiscal code no other number has."""
    letters = "".join(_LETTERS[number // len(_LETTERS) ** place % len(_LETTERS)] for place in range(6))
    start = f"{letters}80A01H501"
    return Debtor(DebtorType.F, DebtorCode(start + check_letter(start)), "Mario Rossi")


DEBTOR = _debtor(OTHERS)
"""The one debtor."""
