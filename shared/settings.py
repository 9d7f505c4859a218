"""The settings of a process. Only this module reads the environment, and it reports every fault at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

EMBEDDED = "sqlite:"
STORES = ("ARCHIVE_STORE", "COSMOS", "COSMOS__accountEndpoint")
"""The settings that name a store. On one machine the embedded one is taken when none of them does."""

BUSES = ("SERVICEBUS", "SERVICEBUS__fullyQualifiedNamespace")
"""The settings that name a bus. The embedded store has one of its own."""

_EMULATOR_KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
"""The key that Microsoft publishes for its emulators. No account has it."""

_NAMESPACE = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_SB_ENDPOINT = re.compile(r"sb://(?P<host>[A-Za-z0-9.-]+)(?P<port>:[0-9]+)?/?")
_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?/?")
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?/?")


class SettingsError(Exception):
    """The settings are not valid. `faults` are sentences for the operator."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class EmbeddedStore:
    """One SQLite file, for one machine."""

    path: Path


@dataclass(frozen=True, slots=True)
class CosmosStore:
    """A database of a Cosmos DB account, opened with the key or, without one, with a managed identity."""

    endpoint: str
    database: str
    key: str | None = field(default=None, repr=False)
    client_id: str | None = None
    """The identity that is assigned to the app. None for the one it has of its own."""

    @property
    def is_emulator(self) -> bool:
        """Whether this is an emulator, with test data only. An address on loopback may be a tunnel to an account."""
        return self.key == _EMULATOR_KEY


@dataclass(frozen=True, slots=True)
class ServiceBusNamespace:
    """A namespace of Service Bus, opened with a connection string or, without one, with a managed identity."""

    name: str | None = None
    """The fully qualified name, such as archive.servicebus.windows.net."""
    connection_string: str | None = field(default=None, repr=False)
    client_id: str | None = None
    """The identity that is assigned to the app. None for the one it has of its own."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment, for docs/settings.md. Without a default it is either needed or left out."""

    name: str
    meaning: str
    default: str = ""


VARIABLES = (
    Variable("ARCHIVE_STORE", "`sqlite:<path>`: the embedded store; set by `make run`, never by infra"),
    Variable(
        "COSMOS__accountEndpoint",
        "the address of the Cosmos DB account, opened with a managed identity",
    ),
    Variable("COSMOS__clientId", "the client id of a user-assigned identity; without it, the app's own identity"),
    Variable("COSMOS__credential", "`managedidentity`, the only one there is", "managedidentity"),
    Variable("COSMOS", "instead: the account's connection string, with a key; for emulators and test accounts"),
    Variable("COSMOS_DATABASE", "the database of the account", "archive"),
    Variable(
        "SERVICEBUS__fullyQualifiedNamespace",
        "the namespace of Service Bus, such as `archive.servicebus.windows.net`, opened with a managed identity",
    ),
    Variable("SERVICEBUS__clientId", "the client id of a user-assigned identity; without it, the app's own identity"),
    Variable("SERVICEBUS__credential", "`managedidentity`, the only one there is", "managedidentity"),
    Variable("SERVICEBUS", "instead: the namespace's connection string, with a key; for emulators and test namespaces"),
    Variable(
        "STORE_BUDGET_SECONDS",
        "seconds, from 0.1 to 60, that a request may take before it is answered 503",
        "5",
    ),
    Variable(
        "AWAITED_HOURS",
        "hours, from 1 to 8760, after which a paid notice that was not communicated is reported as `uncommunicated`",
        "24",
    ),
)
"""Every variable that is read here."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a process is set up."""

    store: EmbeddedStore | CosmosStore
    bus: ServiceBusNamespace | None = None
    """None: the embedded bus of the embedded store, or no bus."""
    store_budget: float = 5.0
    """Seconds."""
    awaited_hours: int = 24

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, needs_bus: bool = False) -> "Settings":
        """Read the settings. Raises SettingsError with every fault.

        `needs_bus`: an archive on Cosmos DB must name its bus. An operator may leave it out.
        """
        faults: list[str] = []
        given = {variable.name: environment.get(variable.name) or variable.default for variable in VARIABLES}
        store, bus = _store(given, faults), _bus(given, faults)
        if bus is not None and isinstance(store, EmbeddedStore):
            faults.append(f"The embedded store has a bus of its own: leave {' and '.join(_named(given, BUSES))} out.")
        if needs_bus and isinstance(store, CosmosStore) and not _named(given, BUSES):
            faults.append(f"No bus is named: set one of {', '.join(BUSES)}.")
        budget = _number(given, "STORE_BUDGET_SECONDS", 0.1, 60, faults)
        hours = _number(given, "AWAITED_HOURS", 1, 8760, faults)
        if not hours.is_integer():
            faults.append("AWAITED_HOURS must be a whole number.")
        if store is None or faults:
            raise SettingsError(faults)
        return cls(store, bus, budget, int(hours))


def _store(given: Mapping[str, str], faults: list[str]) -> EmbeddedStore | CosmosStore | None:
    """Return the one store that is named. A deployed archive never falls back to a file of its machine."""
    named = _named(given, STORES)
    match named:
        case []:
            faults.append(f"No store is named: set one of {', '.join(STORES)}.")
        case ["ARCHIVE_STORE"]:
            path = given["ARCHIVE_STORE"].removeprefix(EMBEDDED)
            if given["ARCHIVE_STORE"].startswith(EMBEDDED) and path:
                return EmbeddedStore(Path(path))
            faults.append("ARCHIVE_STORE must name the store: sqlite:<path>.")
        case ["COSMOS"]:
            return _with_key(given, faults)
        case ["COSMOS__accountEndpoint"]:
            return _with_identity(given, faults)
        case _:
            faults.append(f"More than one store is named: leave all but one of {', '.join(named)} out.")
    return None


def _bus(given: Mapping[str, str], faults: list[str]) -> ServiceBusNamespace | None:
    """Return the namespace that is named, if any."""
    match _named(given, BUSES):
        case []:
            return None
        case ["SERVICEBUS"]:
            if not _is_connection_string(given["SERVICEBUS"]):
                faults.append(
                    "SERVICEBUS must be a connection string: Endpoint=sb://...;SharedAccessKeyName=...;SharedAccessKey=...;"
                )
            return ServiceBusNamespace(connection_string=given["SERVICEBUS"])
        case ["SERVICEBUS__fullyQualifiedNamespace"]:
            name = given["SERVICEBUS__fullyQualifiedNamespace"]
            if not _NAMESPACE.fullmatch(name):
                faults.append(
                    "SERVICEBUS__fullyQualifiedNamespace must be a host name such as archive.servicebus.windows.net."
                )
            if given["SERVICEBUS__credential"] != "managedidentity":
                faults.append("SERVICEBUS__credential must be managedidentity, or left out.")
            return ServiceBusNamespace(name, client_id=given["SERVICEBUS__clientId"] or None)
        case named:
            faults.append(f"More than one bus is named: leave all but one of {', '.join(named)} out.")
            return None


def _named(given: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    return [name for name in names if given[name]]


def _is_connection_string(text: str) -> bool:
    """Return whether a text names a namespace and a key. Without TLS, it leads to this machine only."""
    pairs = [part.partition("=") for part in text.split(";") if part]
    parts = {name: value for name, _, value in pairs}
    if len(parts) < len(pairs):
        return False
    is_emulator = parts.pop("UseDevelopmentEmulator", None) == "true"
    endpoint = _SB_ENDPOINT.fullmatch(parts.pop("Endpoint", ""))
    if endpoint is None or parts.keys() != {"SharedAccessKeyName", "SharedAccessKey"} or not all(parts.values()):
        return False
    is_here = endpoint["host"] in ("localhost", "127.0.0.1")
    return is_here if is_emulator else not is_here and endpoint["port"] is None


def _with_key(given: Mapping[str, str], faults: list[str]) -> CosmosStore | None:
    parts = dict(part.strip().split("=", 1) for part in given["COSMOS"].split(";") if "=" in part)
    endpoint, key = parts.get("AccountEndpoint", ""), parts.get("AccountKey", "")
    if parts.keys() != {"AccountEndpoint", "AccountKey"}:
        faults.append("COSMOS must be a connection string: AccountEndpoint=https://...;AccountKey=...;.")
        return None
    if not _BASE64.fullmatch(key) or len(key) % 4:
        faults.append("The AccountKey in COSMOS must be base64, as the account gives it.")
    if not (_HTTPS.fullmatch(endpoint) or _LOOPBACK.fullmatch(endpoint)):
        faults.append("COSMOS must lead to the account over https; http is for emulators on this machine.")
    return CosmosStore(endpoint, given["COSMOS_DATABASE"], key)


def _with_identity(given: Mapping[str, str], faults: list[str]) -> CosmosStore:
    if not _HTTPS.fullmatch(given["COSMOS__accountEndpoint"]):
        faults.append("COSMOS__accountEndpoint must lead to the account over https.")
    if given["COSMOS__credential"] != "managedidentity":
        faults.append("COSMOS__credential must be managedidentity, or left out.")
    return CosmosStore(
        given["COSMOS__accountEndpoint"], given["COSMOS_DATABASE"], client_id=given["COSMOS__clientId"] or None
    )


def _number(given: Mapping[str, str], name: str, least: float, most: float, faults: list[str]) -> float:
    text = given[name]
    if not (_NUMBER.fullmatch(text) and least <= float(text) <= most):
        faults.append(f"{name} must be a number from {least} to {most}.")
        return float(least)
    return float(text)
