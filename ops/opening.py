"""Choose the store, open its registry, and read a key."""

import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import typer

from ops.cli import CommandError, ExitCode, warn
from shared import bootstrap
from shared.bootstrap import Application
from shared.errors import StoreUnavailable
from shared.ports import Bus, BusUnavailable, Registry
from shared.settings import OWN_DEBTOR_KEYS, STORES, CosmosStore, EmbeddedStore, Settings, SettingsError

MANAGED_IDENTITY = (
    "This command signs in with a managed identity, which only a machine in Azure has. On any other machine nothing "
    "answers: use the machine of the operators (docs/deployment.md#operators)."
)
"""Added to an error of the store or the bus. A machine without an identity cannot be told from a slow service."""


def choose_store(data: Path | None) -> Settings:
    """Return settings with the store of the environment, or else with the embedded store in a folder."""
    environment: Mapping[str, str] = os.environ
    named = [name for name in STORES if environment.get(name)]
    if named and data:
        raise CommandError(f"Both --data and {named[0]} name a store: use only one of them.", code=ExitCode.USAGE)
    if not named:
        folder = data or Path(environment.get("DATA") or ".local")
        environment = {**environment, "ARCHIVE_STORE": f"sqlite:{folder / 'archive.db'}"}
    try:
        settings = Settings.from_environment(environment)
        if isinstance(settings.store, EmbeddedStore) and not settings.debtor_keys:
            keys = _own_debtor_keys(settings.store.path.parent)
            settings = Settings.from_environment({**environment, "DEBTOR_KEYS": keys})
        return settings
    except SettingsError as error:
        raise CommandError(*error.faults, code=ExitCode.USAGE) from error


def read_key(variable: str) -> str:
    """Return the key of a caller, from the environment or else from standard input. Never from the command line,
    which every process of the machine can see.
    """
    key = os.environ.get(variable, "").strip()
    if not key and not sys.stdin.isatty():
        key = sys.stdin.readline().strip()
    if not key or not key.isascii() or not key.isprintable():
        raise CommandError(
            f"There is no key: set {variable} to the key of the caller, or send it to standard input.",
            code=ExitCode.USAGE,
        )
    return key


def _own_debtor_keys(folder: Path) -> str:
    """Return the debtor keys that `make run` keeps in the folder. Empty if there are none."""
    try:
        return (folder / OWN_DEBTOR_KEYS).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


@asynccontextmanager
async def open_registry(context: typer.Context, *, may_create: bool = False) -> AsyncIterator[Registry]:
    """Yield the registry. If the store is a file that does not exist, create it only if `may_create`."""
    async with open_application(context, may_create=may_create) as application:
        yield application.registry


@asynccontextmanager
async def open_bus(context: typer.Context) -> AsyncIterator[tuple[Application, Bus]]:
    """Yield the application and its bus."""
    async with open_application(context) as application:
        if application.bus is None:
            raise CommandError(
                "No bus is named: set SERVICEBUS__fullyQualifiedNamespace or SERVICEBUS.", code=ExitCode.USAGE
            )
        yield application, application.bus


@asynccontextmanager
async def open_application(context: typer.Context, *, may_create: bool = False) -> AsyncIterator[Application]:
    """Yield the application. If the store is a file that does not exist, create it only if `may_create`."""
    settings: Settings = context.obj
    if isinstance(settings.store, EmbeddedStore) and not settings.store.path.exists():
        _create_folder(settings.store.path.parent, may_create)
    try:
        application = bootstrap.open_application(settings)
    except SettingsError as error:
        raise CommandError(*error.faults, code=ExitCode.NO_ANSWER) from error
    try:
        yield application
    except (StoreUnavailable, BusUnavailable) as error:
        if _needs_managed_identity(settings):
            error.add_note(MANAGED_IDENTITY)
        raise
    finally:
        await bootstrap.close()


def _needs_managed_identity(settings: Settings) -> bool:
    has_store = isinstance(settings.store, CosmosStore) and settings.store.key is None
    return has_store or (settings.bus is not None and settings.bus.connection_string is None)


def _create_folder(folder: Path, may_create: bool) -> None:
    if not may_create:
        raise CommandError(
            f"There is no archive in {folder}. `make run` or an `add` command creates one. For another folder, use "
            "--data, or ARCHIVE_STORE if it is set.",
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        message = f"The folder {folder} cannot be created: {error.strerror}."
        raise CommandError(message, code=ExitCode.NO_ANSWER) from error
    warn(f"Creating a new archive in {folder}.")
