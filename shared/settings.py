"""The settings of a process. Only this module reads the environment, and it reports every fault at once."""

import re
from base64 import b64decode
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
_DEBTOR_KEY = re.compile(r"(?P<id>[A-Za-z0-9-]{1,20}):(?P<secret>[A-Za-z0-9+/]+={0,2})")
MIN_DEBTOR_KEY = 32
"""Bytes of a debtor key, at least. Tax codes can be guessed, so their hash is only as good as its key."""
MAX_DEBTOR_KEYS = 4
"""Debtor keys at once, at most. A list of a debtor is looked for under each."""
OWN_DEBTOR_KEYS = "debtor-keys"
"""The file in the data folder of one machine that has its debtor keys, where none are set."""
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
class DebtorKey:
    """A key of the hash under which the notices of a debtor are found."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment, for docs/settings.md. Without a default it is either needed or left out."""

    name: str
    meaning: str
    default: str = ""
    is_deployed: bool = True
    """Whether infra sets it in Azure. The others are for one machine and for tests."""


VARIABLES = (
    Variable("ARCHIVE_STORE", "`sqlite:<path>`: the embedded store; set by `make run`", is_deployed=False),
    Variable(
        "COSMOS__accountEndpoint",
        "the address of the Cosmos DB account, opened with a managed identity",
    ),
    Variable("COSMOS__clientId", "the client id of a user-assigned identity; without it, the app's own identity"),
    Variable("COSMOS__credential", "`managedidentity`, the only one there is", "managedidentity"),
    Variable(
        "COSMOS",
        "instead: the account's connection string, with a key; for emulators and test accounts",
        is_deployed=False,
    ),
    Variable("COSMOS_DATABASE", "the database of the account", "archive"),
    Variable(
        "SERVICEBUS__fullyQualifiedNamespace",
        "the namespace of Service Bus, such as `archive.servicebus.windows.net`, opened with a managed identity",
    ),
    Variable("SERVICEBUS__clientId", "the client id of a user-assigned identity; without it, the app's own identity"),
    Variable("SERVICEBUS__credential", "`managedidentity`, the only one there is", "managedidentity"),
    Variable(
        "SERVICEBUS",
        "instead: the namespace's connection string, with a key; for emulators and test namespaces",
        is_deployed=False,
    ),
    Variable(
        "DEBTOR_KEYS",
        "the keys of the hash under which debtors are found, `id:base64,…`. The first key writes. All keys read. 1 to 4"
        " keys, each of 32 random bytes or more; `make run` makes one where none is set",
    ),
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
    debtor_keys: tuple[DebtorKey, ...] = ()
    """The first key writes. All keys read. Without one, the lists of debtors are neither kept nor read."""
    store_budget: float = 5.0
    """Seconds."""
    awaited_hours: int = 24

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, is_whole: bool = False) -> "Settings":
        """Read the settings. Raises SettingsError with every fault.

        `is_whole`: an archive on Cosmos DB must name its bus and its debtor keys. An operator may leave them out.
        """
        faults: list[str] = []
        given = {variable.name: environment.get(variable.name) or variable.default for variable in VARIABLES}
        store, bus = _store(given, faults), _bus(given, faults)
        if bus is not None and isinstance(store, EmbeddedStore):
            faults.append(f"The embedded store has a bus of its own: leave {' and '.join(_named(given, BUSES))} out.")
        if is_whole and isinstance(store, CosmosStore) and not _named(given, BUSES):
            faults.append(f"No bus is named: set one of {', '.join(BUSES)}.")
        if is_whole and isinstance(store, CosmosStore) and not given["DEBTOR_KEYS"]:
            faults.append("DEBTOR_KEYS is missing: set it to id:base64, with 32 random bytes or more.")
        keys = _debtor_keys(given["DEBTOR_KEYS"], faults)
        budget = _number(given, "STORE_BUDGET_SECONDS", 0.1, 60, faults)
        hours = _number(given, "AWAITED_HOURS", 1, 8760, faults)
        if not hours.is_integer():
            faults.append("AWAITED_HOURS must be a whole number.")
        if store is None or faults:
            raise SettingsError(faults)
        return cls(store, bus, keys, budget, int(hours))


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
    if not _is_base64(key):
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


def _debtor_keys(text: str, faults: list[str]) -> tuple[DebtorKey, ...]:
    if not text:
        return ()
    matches = [_DEBTOR_KEY.fullmatch(part.strip()) for part in text.split(",")]
    keys = [DebtorKey(each["id"], b64decode(each["secret"])) for each in matches if each and _is_base64(each["secret"])]
    if len(keys) < len(matches):
        faults.append("DEBTOR_KEYS must be id:base64, keys separated by commas, ids of letters, digits and hyphens.")
    if any(len(key.secret) < MIN_DEBTOR_KEY for key in keys):
        faults.append(f"Each key in DEBTOR_KEYS must have {MIN_DEBTOR_KEY} bytes or more.")
    if len({key.id for key in keys}) < len(keys) or len({key.secret for key in keys}) < len(keys):
        faults.append("No two keys in DEBTOR_KEYS may have the same id or the same bytes.")
    if len(matches) > MAX_DEBTOR_KEYS:
        faults.append(f"DEBTOR_KEYS may have at most {MAX_DEBTOR_KEYS} keys.")
    return tuple(keys)


def _is_base64(text: str) -> bool:
    return _BASE64.fullmatch(text) is not None and len(text) % 4 == 0


def _number(given: Mapping[str, str], name: str, least: float, most: float, faults: list[str]) -> float:
    text = given[name]
    if not (_NUMBER.fullmatch(text) and least <= float(text) <= most):
        faults.append(f"{name} must be a number from {least} to {most}.")
        return float(least)
    return float(text)
