"""Which registry a command works on, and how it is opened."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import typer

from ops.outcome import ExitCode, Stop, tell
from shared import bootstrap
from shared.ports import Registry
from shared.settings import STORES, EmbeddedStore, Settings, SettingsError


def choose(data: Path | None) -> Settings:
    """Return the settings of the store that the environment names, else of the embedded one in a folder."""
    environment: Mapping[str, str] = os.environ
    named = [name for name in STORES if environment.get(name)]
    if named and data:
        raise Stop(ExitCode.USAGE, f"Both --data and {named[0]} name a store: leave one of them out.")
    if not named:
        folder = data or Path(environment.get("DATA") or ".local")
        environment = {**environment, "ARCHIVE_STORE": f"sqlite:{folder / 'archive.db'}"}
    try:
        return Settings.from_environment(environment)
    except SettingsError as error:
        raise Stop(ExitCode.USAGE, *error.faults) from error


@asynccontextmanager
async def opened(context: typer.Context, *, may_make: bool = False) -> AsyncIterator[Registry]:
    """Open the registry. A file that is not there is made only where something is added to it, and that is told."""
    settings: Settings = context.obj
    if isinstance(settings.store, EmbeddedStore):
        _find_or_make(settings.store.path, may_make)
    try:
        registry = bootstrap.open_application(settings).registry
    except SettingsError as error:
        raise Stop(ExitCode.NO_ANSWER, *error.faults) from error
    try:
        yield registry
    finally:
        await bootstrap.close()


def _find_or_make(file: Path, may_make: bool) -> None:
    if file.exists():
        return
    if not may_make:
        raise Stop(
            ExitCode.REFUSED,
            f"There is no archive in {file.parent} yet: `make run` or an `add` makes one. Is it another folder? "
            "Name it with --data, or with ARCHIVE_STORE if that is set.",
        )
    _make_folder(file.parent)
    tell(f"A new archive begins in {file.parent}.")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Stop(ExitCode.NO_ANSWER, f"The folder {folder} cannot be made: {error.strerror}.") from error
