"""The composition root: opens the archive of this process, once. Only this module chooses adapters."""

import gc
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from time import time_ns

from shared.archive import Archive
from shared.deadlines import Deadlines
from shared.errors import NotConfigured
from shared.health import StoreHealth
from shared.ports import NoticeStore, Registry
from shared.registry import CachedRegistry
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
    health: StoreHealth
    deadlines: Deadlines
    """Those of the requests in progress."""
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
        return Settings.from_environment(os.environ)
    except SettingsError as error:
        log_critical("not_configured", faults=error.faults)
        return error


def open_application(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Application:
    """Open the application and make it the one of this process. Raises SettingsError."""
    global _running  # noqa: PLW0603  one application a process
    try:
        store, registry, closers = _opened(settings, clock)
    except ValueError as error:
        raise SettingsError([f"{error}."]) from error
    awaited_for = timedelta(hours=settings.awaited_hours)
    longest_request = timedelta(seconds=settings.store_budget)
    archive = Archive(store, CachedRegistry(registry, clock), clock, awaited_for, longest_request)
    health = StoreHealth(store.ping, clock)
    _running = Application(archive, registry, health, Deadlines(settings.store_budget), closers)
    return _running


def _opened(settings: Settings, clock: Callable[[], datetime]) -> tuple[NoticeStore, Registry, tuple[Closer, ...]]:
    """Open the store of the settings. Only its adapter is imported, which keeps the start fast."""
    match settings.store:
        case EmbeddedStore(path):
            from shared.adapters.sqlite import SqliteNoticeStore
            from shared.adapters.sqlite_registry import SqliteRegistry

            patience = timedelta(seconds=settings.store_budget)
            notices, institutions = SqliteNoticeStore(path, patience), SqliteRegistry(path, clock)
            return notices, institutions, (notices.close, institutions.close)
        case CosmosStore() as account:
            from shared.adapters.cosmos import CosmosNoticeStore
            from shared.adapters.cosmos_calls import Cosmos
            from shared.adapters.cosmos_registry import CosmosRegistry

            cosmos = Cosmos(account, settings.store_budget)
            return CosmosNoticeStore(cosmos), CosmosRegistry(cosmos, clock), (cosmos.close,)


async def close() -> None:
    """Close the application of this process, if it is open. Accepted writes are saved first."""
    global _running
    running, _running = _running, None
    for closer in running.closers if running else ():
        await closer()
