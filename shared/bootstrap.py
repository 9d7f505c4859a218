"""The composition root: opens the archive of this process, once. Only this module chooses adapters."""

import gc
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from time import time_ns
from typing import NamedTuple

from shared.archive import Archive
from shared.deadlines import Deadlines
from shared.debtor_hashes import DebtorHashes
from shared.debtor_lists import DebtorLists
from shared.debtor_projection import DebtorProjection
from shared.errors import NotConfigured
from shared.feed_reader import waiting_since
from shared.health import RelayHealth, StoreHealth
from shared.ports import Bus, ChangeFeed, DebtorIndex, NoticeStore, Registry
from shared.registry import CachedRegistry
from shared.relay import NAME as RELAY, Relay
from shared.settings import CosmosStore, EmbeddedStore, Settings, SettingsError
from shared.telemetry import log_critical

Closer = Callable[[], Awaitable[None]]


def utc_now() -> datetime:
    """Return the time in UTC, in whole milliseconds."""
    return datetime.fromtimestamp(time_ns() // 1_000_000 / 1000, UTC)


@dataclass(frozen=True, slots=True)
class Application:
    """The objects that a process keeps for its whole life."""

    archive: Archive
    registry: Registry
    feed: ChangeFeed
    bus: Bus | None
    """None if the settings name no bus. Events then wait in the store."""
    relay: Relay | None
    debtors: DebtorProjection | None
    """None if the settings have no debtor keys."""
    health: StoreHealth
    relay_health: RelayHealth
    deadlines: Deadlines
    """Those of the requests in progress."""
    closers: tuple[Closer, ...]


class Opened(NamedTuple):
    """The adapters of the settings, and the functions that close them, in this order."""

    store: NoticeStore
    registry: Registry
    feed: ChangeFeed
    debtors: DebtorIndex
    bus: Bus | None
    closers: tuple[Closer, ...]


_running: Application | None = None


def check_settings() -> None:
    """Raise NotConfigured if the settings in the environment are not valid."""
    if _running is None and not isinstance(settings(), Settings):
        raise NotConfigured


def application() -> Application:
    """Return the application of this process. The first use, inside the event loop, opens it from the environment.

    Raises NotConfigured.
    """
    if _running is not None:
        return _running
    read = settings()
    if not isinstance(read, Settings):
        raise NotConfigured from read
    try:
        opened = open_application(read)
    except SettingsError as error:
        raise NotConfigured from error
    quieten_collector()
    return opened


def quieten_collector() -> None:
    """Keep the garbage collector away from the objects of the start, and let it look less often.

    A request leaves no cycles behind, and the collector would look through all modules once in some requests.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@cache
def settings() -> Settings | SettingsError:
    """Return the settings of the environment, or their faults, which are logged once for the operators."""
    try:
        return Settings.from_environment(os.environ, is_whole=True)
    except SettingsError as error:
        log_critical("not_configured", faults=error.faults)
        return error


def open_application(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Application:
    """Open the application and make it the one of this process. Raises SettingsError."""
    global _running  # noqa: PLW0603  one application a process
    try:
        opened = _opened(settings, clock)
    except ValueError as error:
        raise SettingsError([f"{error}."]) from error
    awaited_for = timedelta(hours=settings.awaited_hours)
    longest_request = timedelta(seconds=settings.store_budget)
    hashes = DebtorHashes(settings.debtor_keys) if settings.debtor_keys else None
    lists = DebtorLists(opened.debtors, hashes) if hashes else None
    registry = CachedRegistry(opened.registry, clock)
    archive = Archive(opened.store, registry, clock, awaited_for, longest_request, lists)
    _running = Application(
        archive=archive,
        registry=opened.registry,
        feed=opened.feed,
        bus=opened.bus,
        relay=Relay(opened.feed, opened.bus, clock) if opened.bus else None,
        debtors=DebtorProjection(opened.feed, opened.store, opened.debtors, hashes, clock) if hashes else None,
        health=StoreHealth(opened.store.ping, clock),
        relay_health=RelayHealth(partial(waiting_since, RELAY, opened.feed), clock),
        deadlines=Deadlines(settings.store_budget),
        closers=opened.closers,
    )
    return _running


def _opened(settings: Settings, clock: Callable[[], datetime]) -> Opened:
    """Open the adapters of the settings. Only these are imported, which keeps the start fast."""
    match settings.store:
        case EmbeddedStore(path):
            from shared.adapters.sqlite import SqliteNoticeStore
            from shared.adapters.sqlite_bus import SqliteBus
            from shared.adapters.sqlite_debtors import SqliteDebtors
            from shared.adapters.sqlite_feed import SqliteFeed
            from shared.adapters.sqlite_registry import SqliteRegistry

            patience = timedelta(seconds=settings.store_budget)
            notices, institutions = SqliteNoticeStore(path, patience), SqliteRegistry(path, clock)
            feed, bus = SqliteFeed(notices.writes, notices.reads), SqliteBus(notices.writes, notices.reads, clock)
            debtors = SqliteDebtors(notices.writes, notices.lists)
            return Opened(notices, institutions, feed, debtors, bus, (notices.close, institutions.close))
        case CosmosStore() as account:
            from shared.adapters.cosmos import CosmosNoticeStore
            from shared.adapters.cosmos_calls import Cosmos
            from shared.adapters.cosmos_debtors import CosmosDebtors
            from shared.adapters.cosmos_feed import CosmosFeed
            from shared.adapters.cosmos_registry import CosmosRegistry

            cosmos = Cosmos(account, settings.store_budget)
            from shared.adapters.service_bus import ServiceBus

            opened = Opened(
                CosmosNoticeStore(cosmos),
                CosmosRegistry(cosmos, clock),
                CosmosFeed(cosmos),
                CosmosDebtors(cosmos),
                None,
                (cosmos.close,),
            )
            if settings.bus is None:
                return opened
            service_bus = ServiceBus(settings.bus, clock)
            return opened._replace(bus=service_bus, closers=(service_bus.close, cosmos.close))


async def close() -> None:
    """Close the application of this process, if it is open. Accepted writes are saved first."""
    global _running
    running, _running = _running, None
    async with AsyncExitStack() as closers:  # it calls each, also after one that fails
        for closer in reversed(running.closers if running else ()):
            closers.push_async_callback(closer)
