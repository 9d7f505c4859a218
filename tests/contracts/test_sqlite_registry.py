"""The registry in the embedded store's file keeps the contract, beside other processes too."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Coroutine
from contextlib import closing
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from shared.adapters.sqlite_registry import SqliteRegistry
from shared.domain.callers import Key
from shared.errors import StoreUnavailable
from shared.ports import ChangedMeanwhile, Registry
from tests.contracts.registry import RegistryContract
from tests.contracts.registry_changes import EVERYTHING, RegistryChangesContract
from tests.support import INSTITUTION, StillClock, a_caller, an_institution


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file is."""
    return tmp_path / "archive.db"


class TestSqliteRegistry(RegistryContract, RegistryChangesContract):
    """Registry on SQLite."""

    @pytest.fixture
    async def registry(self, path: Path, clock: StillClock) -> AsyncIterator[Registry]:
        registry = SqliteRegistry(path, clock)
        yield registry
        await registry.close()

    @pytest.fixture
    async def rivals(self, path: Path, registry: Registry, clock: StillClock) -> AsyncIterator[list[Registry]]:
        rivals = [SqliteRegistry(path, clock) for _ in range(4)]
        yield list(rivals)
        for rival in rivals:
            await rival.close()

    async def at_once(self, *changes: Coroutine[Any, Any, None]) -> list[BaseException | None]:
        # Each in a thread of its own, as processes are: a change of the file does not give way to another task.
        threads = (asyncio.to_thread(asyncio.run, change) for change in changes)
        return await asyncio.gather(*threads, return_exceptions=True)

    async def test_what_another_process_registers_is_seen(
        self, registry: Registry, path: Path, clock: StillClock
    ) -> None:
        another = SqliteRegistry(path, clock)
        await another.save_institution(an_institution())
        await another.save_caller(a_caller())
        await another.close()

        assert await registry.institution(INSTITUTION) == an_institution()
        assert await registry.caller("a-hash") == a_caller()

    async def test_a_write_waits_for_another_process(self, registry: Registry, path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
            other.execute("BEGIN IMMEDIATE")
            release = Timer(0.2, other.execute, ["COMMIT"])
            release.start()

            await registry.save_institution(an_institution())

            release.join()
        assert await registry.institution(INSTITUTION) == an_institution()

    async def test_a_change_that_waited_sees_what_the_other_process_wrote(self, registry: Registry, path: Path) -> None:
        await registry.save_institution(an_institution())
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("DELETE FROM registry WHERE id LIKE 'institution:%'")
            release = Timer(0.2, other.execute, ["COMMIT"])
            release.start()

            with pytest.raises(ChangedMeanwhile):
                await registry.save_institution(an_institution(lenient=True), an_institution())

            release.join()
        assert await registry.institution(INSTITUTION) is None

    async def test_a_key_that_its_caller_does_not_list_belongs_to_nobody(self, registry: Registry, path: Path) -> None:
        """As between the two reads of a look-up, while another process takes the key away."""
        await registry.save_caller(a_caller())
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("""INSERT INTO registry VALUES ('key:gone', '{"caller": "an-ec"}')""")

        assert await registry.caller("gone") is None
        await registry.save_caller(a_caller(name="another", keys=(Key("gone"),)))
        assert await registry.caller("gone") == a_caller(name="another", keys=(Key("gone"),))

    @pytest.mark.parametrize("document", ["change:%", "caller:%", "key:%"])
    async def test_a_change_and_its_record_are_kept_together_or_not_at_all(
        self, registry: Registry, path: Path, document: str
    ) -> None:
        with closing(sqlite3.connect(path)) as other:
            # Stands for whatever may fail in the middle, such as a full disk.
            other.execute(
                "CREATE TRIGGER fails BEFORE INSERT ON registry WHEN new.id LIKE "
                f"'{document}' BEGIN SELECT RAISE(ABORT, 'no'); END"
            )

            with pytest.raises(StoreUnavailable):
                await registry.save_caller(a_caller())
            other.execute("DROP TRIGGER fails")

        assert (await registry.callers(), await registry.changes(EVERYTHING)) == ([], [])
        assert await registry.caller("a-hash") is None
        await registry.save_caller(a_caller())
        assert len(await registry.changes(EVERYTHING)) == 1
