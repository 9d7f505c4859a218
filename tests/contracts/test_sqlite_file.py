"""The file of the embedded store: whose it is, who may read it, how it is opened, and what happens once it is gone."""

import asyncio
import os
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_file import connect, connect_to_read
from shared.documents import dumps, notice_document
from shared.domain import declarations
from shared.domain.identifiers import Iuv
from shared.domain.lifecycle import Status
from shared.errors import StoreUnavailable
from shared.ports import Search
from shared.stored_notice import show
from shared.telemetry import error_chain
from tests.contracts.notice_store import FULL, IUV, a_claim, at, one_of_every_status, published
from tests.support import HOUR, INSTITUTION, NOW, an_act, shown_in, shown_of

SHARED = Path(__file__).parents[2] / "shared"
LOCKS = Path("/proc/locks")
FILES = ("archive.db", "archive.db-wal", "archive.db-shm")


@pytest.fixture
def no_umask() -> Iterator[None]:
    """Take away what would hide a mode that is too wide."""
    before = os.umask(0)
    yield
    os.umask(before)


# How it is opened


def test_what_is_committed_is_on_the_disk_whoever_opened_the_file(path: Path) -> None:
    for _ in ("new", "opened again"):
        with closing(connect(path)) as db:
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert db.execute("PRAGMA synchronous").fetchone() == (2,), "FULL: a commit is a flush"


async def test_the_store_changes_nothing_of_that(store: SqliteNoticeStore) -> None:
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_one_module_alone_opens_the_file() -> None:
    openers = [path.name for path in SHARED.rglob("*.py") if "sqlite3.connect(" in path.read_text(encoding="utf-8")]

    assert openers == ["sqlite_file.py"]


def test_a_connection_to_read_cannot_write(path: Path) -> None:
    with closing(connect(path)) as db, closing(connect_to_read(path)) as reading:
        db.execute("SELECT count(*) FROM notices")

        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reading.execute("DELETE FROM notices")


def test_a_file_may_have_any_name(tmp_path: Path) -> None:
    path = tmp_path / "città %41?mode=memory#.db"
    with closing(connect(path)), closing(connect_to_read(path)) as reading:
        assert reading.execute("SELECT count(*) FROM notices").fetchone() == (0,)


def test_a_file_that_many_open_at_once_is_made_once(tmp_path: Path) -> None:
    paths = [tmp_path / f"{file}.db" for file in range(20) for _ in range(8)]

    with ThreadPoolExecutor(8) as threads:
        for connection in threads.map(connect, paths):
            connection.close()


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 30, "another program's"])
def test_a_file_that_is_not_the_archives_is_refused_with_a_sentence(path: Path, content: bytes | str) -> None:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE something (else_ TEXT)")

    with pytest.raises(ValueError, match=r"archive\.db"):
        SqliteNoticeStore(path)


def test_a_file_of_a_later_version_is_refused_with_a_sentence(path: Path) -> None:
    with closing(connect(path)) as db:
        db.execute("PRAGMA user_version = 1000")

    with pytest.raises(ValueError, match="was not made by this version"):
        connect(path)


def test_a_file_that_cannot_be_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "no folder").touch()

    for path in (tmp_path / "no folder" / "archive.db", tmp_path):
        with pytest.raises(ValueError, match="cannot be opened as the archive's file"):
            connect(path)


# Who may read it


@pytest.mark.usefixtures("no_umask")
async def test_a_file_is_readable_by_its_owner_alone_and_so_is_a_folder_made_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "not there" / "data"

    store = SqliteNoticeStore(folder / "archive.db")

    await store.save(published())
    assert mode(folder) == 0o700
    assert {name: mode(folder / name) for name in FILES} == dict.fromkeys(FILES, 0o600)
    await store.close()


@pytest.mark.usefixtures("no_umask")
def test_a_folder_that_is_there_keeps_its_mode_and_its_new_files_are_the_owners_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    with closing(connect(tmp_path / "archive.db")):
        assert mode(tmp_path) == 0o755
        assert {name: mode(tmp_path / name) for name in FILES} == dict.fromkeys(FILES, 0o600)


@pytest.mark.usefixtures("no_umask")
def test_a_file_that_is_there_keeps_the_mode_that_its_owner_gave_it(path: Path) -> None:
    connect(path).close()
    path.chmod(0o640)

    with closing(connect(path)):
        assert {name: mode(path.with_name(name)) for name in FILES} == dict.fromkeys(FILES, 0o640)


@pytest.mark.skipif(not LOCKS.exists(), reason="only Linux shows which locks a process holds")
def test_opening_a_file_again_releases_none_of_the_locks_on_it(path: Path) -> None:
    # Closing a file releases all locks that the process has on it, SQLite's own ones too.
    with closing(connect(path)):
        lock = f":{path.stat().st_ino} "
        before = LOCKS.read_text().count(lock)
        connect(path).close()

        assert LOCKS.read_text().count(lock) == before > 0


# A file of an earlier version


FIRST_VERSION = """
CREATE TABLE notices (
    creditor_institution TEXT NOT NULL,
    number TEXT NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    due_date_key TEXT,
    starts_at TEXT,
    ends_at TEXT,
    next_change_at TEXT,
    anomalies TEXT,
    document BLOB NOT NULL
);
CREATE UNIQUE INDEX notices_by_number ON notices (creditor_institution, number);
CREATE INDEX notices_by_update ON notices (creditor_institution, updated_at, number);
CREATE INDEX notices_by_due_date ON notices (creditor_institution, due_date_key, number);
CREATE INDEX notices_due ON notices (next_change_at, creditor_institution, number) WHERE next_change_at IS NOT NULL;
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    creditor_institution TEXT NOT NULL,
    number TEXT NOT NULL,
    version INTEGER NOT NULL,
    document BLOB NOT NULL
);
CREATE UNIQUE INDEX events_by_notice ON events (creditor_institution, number, version);
CREATE TABLE iuvs (
    creditor_institution TEXT NOT NULL,
    iuv TEXT NOT NULL,
    number TEXT NOT NULL,
    PRIMARY KEY (creditor_institution, iuv)
) WITHOUT ROWID;
CREATE TABLE registry (
    id TEXT PRIMARY KEY,
    document BLOB NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


async def test_a_file_of_the_first_version_is_opened_with_all_it_holds_and_gets_the_indexes_of_this_one(
    path: Path, tmp_path: Path
) -> None:
    changes = [published(at(serial)) for serial in range(3)]
    await SqliteNoticeStore(tmp_path / "new.db").close()
    with closing(sqlite3.connect(path)) as old:
        old.executescript(f"PRAGMA journal_mode = WAL; {FIRST_VERSION}")
        for change in changes:
            document = notice_document(change.notice).whole
            names = ("creditorInstitution", "noticeNumber", "version", "status", "updatedAt", "dueDateKey")
            row = [document[name] for name in names]
            old.execute("INSERT INTO notices VALUES (?,?,?,?,?,?,NULL,NULL,NULL,NULL,?)", (*row, dumps(document)))
        old.commit()

    store = SqliteNoticeStore(path)

    assert shown_in(await store.search(Search(INSTITUTION, NOW))) == shown_of(change.notice for change in changes)
    assert await store.search(Search(INSTITUTION, NOW, status=Status.EXPIRED, updated_from=NOW)) == []
    await store.save(published(at(9)))
    with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(tmp_path / "new.db")) as new:
        assert indexes(db) == indexes(new)
    await store.close()


async def test_a_file_of_the_second_version_is_opened_too(path: Path) -> None:
    with closing(sqlite3.connect(path)) as old:
        held = "ALTER TABLE iuvs ADD COLUMN held_until TEXT NOT NULL DEFAULT ''"
        old.executescript(f"PRAGMA journal_mode = WAL; {FIRST_VERSION} {held}; PRAGMA user_version = 2")

    store = SqliteNoticeStore(path)

    await store.save(published(at(1)))
    await store.claim_iuv(INSTITUTION, IUV, a_claim(50))
    assert await store.iuv_claim(INSTITUTION, IUV) == a_claim(50)
    assert await store.load(at(1)) == published(at(1)).notice
    await store.close()


VERSION_3 = Path(__file__).with_name("version_3.sql")
"""Made by the archive before what is shown was stored by itself."""


async def test_a_file_of_the_version_before_shows_and_changes_all_that_it_holds(path: Path) -> None:
    with closing(sqlite3.connect(path)) as old:
        old.executescript(f"PRAGMA journal_mode = WAL; {VERSION_3.read_text(encoding='utf-8')}")
    notices = [change.notice for change in one_of_every_status()] + [published(at(50), **FULL).notice]
    store = SqliteNoticeStore(path)

    for now in (NOW, NOW + 3 * HOUR):
        listed = await store.search(Search(INSTITUTION, now))
        found = [await store.find(notice.address) for notice in notices]
        assert [stored and stored.at(now) for stored in found] == shown_in(listed) == shown_of(notices, now)
    assert [await store.load(notice.address) for notice in notices] == notices
    assert [(await store.history(notice.address))[-1].status_after for notice in notices] == [n.status for n in notices]
    awaited = await store.find(at(60))
    assert awaited is not None
    assert awaited.at(NOW) is None
    assert await store.iuv_claim(INSTITUTION, IUV) == a_claim(50)

    amended = declarations.amend(notices[0], {"description": "Another"}, None, an_act())
    saved = await store.save(amended)
    assert await store.find(at(1)) == saved
    assert saved.at(NOW) == show(amended.notice, NOW)
    await store.close()


# Once it is gone


Use = Callable[[SqliteNoticeStore], Awaitable[object]]


async def all_of(found: AsyncIterator[object]) -> list[object]:
    """Read to the end."""
    return [each async for each in found]


READS: dict[str, Use] = {
    "load": lambda store: store.load(at(1)),
    "history": lambda store: store.history(at(1)),
    "search": lambda store: store.search(Search(INSTITUTION, NOW)),
    "due": lambda store: all_of(store.due(NOW)),
    "latest_events": lambda store: all_of(store.latest_events(at(1), 1)),
    "iuv_claim": lambda store: store.iuv_claim(INSTITUTION, Iuv("1")),
}
WRITES: dict[str, Use] = {
    "save": lambda store: store.save(published(at(2))),
    "claim_iuv": lambda store: store.claim_iuv(INSTITUTION, Iuv("2"), a_claim(1)),
    "ping": lambda store: store.ping(NOW),
}
USES = READS | WRITES


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_once_its_folder_is_removed_the_store_neither_writes_nor_reads(tmp_path: Path, use: Use) -> None:
    store = SqliteNoticeStore(tmp_path / "data" / "archive.db")
    await store.save(published(at(1)))
    shutil.rmtree(tmp_path / "data")

    with pytest.raises(StoreUnavailable) as refused:
        await use(store)

    assert error_chain(refused.value) == "StoreUnavailable caused by FileNotFoundError"
    await store.close()


@pytest.mark.parametrize("use", READS.values(), ids=READS)
async def test_a_store_that_was_read_before_looks_again_for_its_file(tmp_path: Path, use: Use) -> None:
    store = SqliteNoticeStore(tmp_path / "data" / "archive.db")
    await use(store)
    shutil.rmtree(tmp_path / "data")
    await asyncio.sleep(0)  # the file is looked for once in a turn of the loop

    with pytest.raises(StoreUnavailable):
        await use(store)

    await store.close()


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_once_another_file_is_in_its_place_the_store_neither_writes_nor_reads(path: Path, use: Use) -> None:
    store = SqliteNoticeStore(path)
    shutil.copyfile(path, path.with_name("copy.db"))
    path.with_name("copy.db").replace(path)

    with pytest.raises(StoreUnavailable):
        await use(store)

    await store.close()


@pytest.mark.parametrize("companion", FILES[1:])
@pytest.mark.parametrize("use", WRITES.values(), ids=WRITES)
async def test_without_its_log_the_store_does_not_write(path: Path, companion: str, use: Use) -> None:
    store = SqliteNoticeStore(path)
    await store.save(published(at(1)))
    path.with_name(companion).unlink()

    with pytest.raises(StoreUnavailable):
        await use(store)

    await store.close()


async def test_a_store_whose_file_comes_back_goes_on(path: Path, tmp_path: Path) -> None:
    store = SqliteNoticeStore(path)
    await store.save(published(at(1)))
    (tmp_path / "elsewhere").mkdir()
    for name in FILES:
        path.with_name(name).rename(tmp_path / "elsewhere" / name)
    with pytest.raises(StoreUnavailable):
        await store.save(published(at(2)))
    for name in FILES:
        (tmp_path / "elsewhere" / name).rename(path.with_name(name))

    await store.save(published(at(2)))

    assert len(await store.search(Search(INSTITUTION, NOW))) == 2
    await store.close()


def mode(path: Path) -> int:
    """Return who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)


def indexes(db: sqlite3.Connection) -> list[tuple[str]]:
    """Return the names of all tables and indexes."""
    return db.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name").fetchall()
