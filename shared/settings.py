"""The settings of a process, read from the environment here and nowhere else; every fault is told at once, at start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

EMBEDDED = "sqlite:"
STORES = ("ARCHIVE_STORE", "COSMOS", "COSMOS__accountEndpoint")
"""The settings that name a store; on one machine the embedded one is taken when none of them does."""


class SettingsError(Exception):
    """The process cannot start as it is set up; `faults` are sentences for whoever set it up."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Settings:
    """How a process is set up; the metadata of each field names its variable and says what it is for."""

    store: Path = field(
        metadata={
            "name": "ARCHIVE_STORE",
            "meaning": "`sqlite:<path>`: the embedded store; set by `make run`, never by infra",
        }
    )
    awaited_hours: int = field(
        default=24,
        metadata={
            "name": "AWAITED_HOURS",
            "meaning": "hours after which a paid notice that nobody communicated is reported as `uncommunicated`",
            "default": "24",
        },
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings; raise SettingsError with every fault."""
        faults: list[str] = []
        store = environment.get("ARCHIVE_STORE", "")
        if not store.startswith(EMBEDDED) or store == EMBEDDED:
            faults.append("ARCHIVE_STORE must name the store: sqlite:<path>.")
        hours = environment.get("AWAITED_HOURS", "24")
        if not (hours.isascii() and hours.isdigit() and 1 <= int(hours) <= 8760):
            faults.append("AWAITED_HOURS must be a number of hours from 1 to 8760.")
        if faults:
            raise SettingsError(faults)
        return cls(store=Path(store.removeprefix(EMBEDDED)), awaited_hours=int(hours))
