"""What a local archive is given when it starts, and what it is not given again."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from emulators.cosmos import KEY, CosmosDouble
from local.seed import COMUNE, LOCAL_EC, LOCAL_PLATFORM, PAGOPA, PUBLIC_KEYS, prepare, seed
from shared import bootstrap
from shared.auth import key_hash
from shared.domain.callers import Key
from shared.domain.registry_changes import LOCAL_START, Action
from shared.errors import StoreUnavailable
from shared.ports import ChangeSearch, Registry
from shared.settings import CosmosStore, EmbeddedStore, Settings
from tests.stores import COSMOS, SQLITE, account_of

OTHER_KEY = "QSBrZXkgb2YgYW4gYWNjb3VudA=="


@pytest.fixture(params=[SQLITE, COSMOS])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> EmbeddedStore | CosmosStore:
    """Return a store to which nothing has been written."""
    if request.param == SQLITE:
        return EmbeddedStore(tmp_path / "archive.db")
    account: CosmosDouble = request.getfixturevalue("cosmos")
    return account_of(account)


@pytest.fixture
async def registry(empty: EmbeddedStore | CosmosStore) -> AsyncIterator[Registry]:
    """Yield the empty registry of this process."""
    yield bootstrap.open_application(Settings(empty)).registry
    await bootstrap.close()


async def test_a_new_registry_gets_the_institutions_and_callers_and_records_it(registry: Registry) -> None:
    await seed()

    assert await registry.institutions() == [PAGOPA, COMUNE]
    assert await registry.callers() == [LOCAL_EC, LOCAL_PLATFORM]
    changes = await registry.changes(ChangeSearch())
    assert [(change.by, change.action) for change in changes] == [(LOCAL_START, Action.ADDED)] * 4


async def test_what_an_operator_changed_or_removed_stays_so(registry: Registry) -> None:
    await seed()
    rotated = replace(LOCAL_EC, keys=(Key(key_hash("an operator's key")),))
    renamed = replace(COMUNE, name="Comune di Altro")
    await registry.save_caller(rotated)
    await registry.remove_caller(LOCAL_PLATFORM)
    await registry.save_institution(renamed)
    await registry.remove_institution(PAGOPA)

    await seed()

    assert await registry.callers() == [rotated]
    assert await registry.caller(key_hash("local-ec")) is None
    assert await registry.institutions() == [renamed]


async def test_a_registry_that_an_operator_began_gets_what_is_missing_once(registry: Registry) -> None:
    own_caller = replace(LOCAL_EC, keys=(Key(key_hash("an operator's key")),))
    own_institution = replace(COMUNE, lenient=False)
    await registry.save_caller(own_caller)
    await registry.save_institution(own_institution)

    await seed()

    assert await registry.callers() == [own_caller, LOCAL_PLATFORM]
    assert await registry.institutions() == [PAGOPA, own_institution]


async def test_what_was_removed_before_the_first_start_does_not_come(registry: Registry) -> None:
    await registry.save_institution(PAGOPA)
    await registry.remove_institution(PAGOPA)

    await seed()

    assert await registry.institutions() == [COMUNE]


async def test_what_was_registered_before_changes_were_recorded_stays_so(tmp_path: Path) -> None:
    file = tmp_path / "archive.db"
    own_caller = replace(LOCAL_EC, keys=(Key(key_hash("an operator's key")),))
    own_institution = replace(COMUNE, lenient=False)
    registry = bootstrap.open_application(Settings(EmbeddedStore(file))).registry
    await registry.save_caller(own_caller)
    await registry.save_institution(own_institution)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("DELETE FROM registry WHERE id LIKE 'change:%'")

    await seed()

    assert await registry.callers() == [own_caller, LOCAL_PLATFORM]
    assert await registry.institutions() == [PAGOPA, own_institution]
    await bootstrap.close()


async def test_a_public_key_that_another_caller_holds_stays_with_it(registry: Registry) -> None:
    holder = replace(LOCAL_EC, name="another")
    await registry.save_caller(holder)

    await seed()

    assert await registry.callers() == [holder, LOCAL_PLATFORM]


async def test_hosts_that_start_at_once_register_once(registry: Registry) -> None:
    await asyncio.gather(*(seed() for _ in range(4)))

    assert await registry.institutions() == [PAGOPA, COMUNE]
    assert await registry.callers() == [LOCAL_EC, LOCAL_PLATFORM]
    assert [await registry.caller(key_hash(key)) for key in PUBLIC_KEYS] == [LOCAL_EC, LOCAL_PLATFORM]
    assert len(await registry.changes(ChangeSearch())) == 4


# Accounts


@pytest.fixture
async def account() -> AsyncIterator[CosmosDouble]:
    """Yield an account on loopback without a database."""
    async with CosmosDouble.started(consistency="BoundedStaleness") as account:
        yield account
    await bootstrap.close()


async def test_an_emulator_by_its_published_key_is_given_containers_and_seeds(account: CosmosDouble) -> None:
    await prepare(Settings(account_of(account)))

    assert await bootstrap.application().registry.callers() == [LOCAL_EC, LOCAL_PLATFORM]


async def test_an_account_on_loopback_with_another_key_is_given_no_container(account: CosmosDouble) -> None:
    account.key = OTHER_KEY

    with pytest.raises(StoreUnavailable):
        await prepare(Settings(account_of(account)))

    assert [account.log.count(f"Create{kind}") for kind in ("Database", "Container", "Document")] == [0, 0, 0]


async def test_an_account_on_loopback_with_another_key_is_given_no_public_key(cosmos: CosmosDouble) -> None:
    cosmos.key = OTHER_KEY

    await prepare(Settings(account_of(cosmos)))

    registry = bootstrap.application().registry
    assert await registry.callers() == []
    assert await registry.institutions() == []
    await bootstrap.close()


def test_only_the_published_key_makes_an_emulator_wherever_it_is() -> None:
    assert CosmosStore("https://cosmos.example/", "archive", KEY).is_emulator
    assert not CosmosStore("http://localhost:8081/", "archive", OTHER_KEY).is_emulator
    assert not CosmosStore("https://localhost:8081/", "archive").is_emulator
