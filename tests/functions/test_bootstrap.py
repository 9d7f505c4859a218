"""How the application of a process is put together: what is set reaches the part that it is meant for."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from typing import Any

import pytest

from emulators.servicebus import ServiceBusDouble
from shared import bootstrap
from shared.bootstrap import Application, utc_now
from shared.errors import StoreUnavailable
from shared.settings import EmbeddedStore, Settings
from tests.contracts.bus import a_message
from tests.functions.client import pay
from tests.process import run_python
from tests.stores import AZURE
from tests.support import ADDRESS, HOUR, INSTITUTION, SECOND, StillClock, a_publication, an_act, an_institution

Opened = Callable[..., Application]


@pytest.fixture
async def opened(kept_in: EmbeddedStore, clock: StillClock) -> AsyncIterator[Opened]:
    """Yield what opens the application with other settings."""

    def application(**settings: Any) -> Application:
        return bootstrap.open_application(Settings(kept_in, **settings), clock)

    yield application
    await bootstrap.close()


async def test_the_time_is_in_whole_milliseconds_of_utc() -> None:
    times = [utc_now() for _ in range(100)]

    assert {time.microsecond % 1000 for time in times} == {0}
    assert {time.utcoffset() for time in times} == {0 * SECOND}


async def test_a_notice_is_awaited_for_the_hours_that_are_set(opened: Opened, clock: StillClock) -> None:
    archive = (application := opened(awaited_hours=2)).archive
    await pay(application)

    clock.advance(2 * HOUR - SECOND)
    assert await archive.apply_due_changes(an_act(clock()), clock() + HOUR) == 0
    clock.advance(SECOND)
    assert await archive.apply_due_changes(an_act(clock()), clock() + HOUR) == 1


async def test_a_write_that_no_request_limits_waits_for_the_store_as_long_as_a_request_would(
    opened: Opened, kept_in: EmbeddedStore
) -> None:
    archive = opened(store_budget=0.1).archive

    with closing(sqlite3.connect(kept_in.path, isolation_level=None)) as another_program:
        another_program.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            async with asyncio.timeout(30):
                await archive.publish(a_publication(), an_institution(), an_act())


def test_the_objects_of_the_start_are_left_alone_and_later_cycles_are_still_collected() -> None:
    run_python(
        """
        import gc, weakref
        from shared.bootstrap import quieten_collector

        class Node:
            pass

        quieten_collector()
        node = Node()
        node.itself, gone = node, weakref.ref(node)
        del node
        kept = [[] for _ in range(200_000)]

        assert gc.get_freeze_count() > 1000
        assert gone() is None
        """
    )


async def test_an_application_that_is_closed_answers_nothing_any_more(opened: Opened) -> None:
    application = opened()
    await application.registry.institution(INSTITUTION)
    await bootstrap.close()

    with pytest.raises(StoreUnavailable):
        await application.registry.institution(INSTITUTION)
    with pytest.raises(StoreUnavailable):
        await application.archive.get(ADDRESS)


@pytest.mark.parametrize("kept_in", [AZURE], indirect=True)
async def test_an_application_that_is_closed_leaves_no_connection_to_service_bus(
    application: Application, service_bus: ServiceBusDouble
) -> None:
    assert application.bus is not None
    await application.bus.publish([a_message("one")])

    await bootstrap.close()

    assert service_bus.cut() == 0
