"""Register two institutions and two callers in a local archive, and make the text that it prints at the start."""

from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime

from local.cosmos import make_containers
from shared import bootstrap
from shared.auth import key_hash
from shared.domain.callers import EVERY, Caller, Key, Scope
from shared.domain.events import Role
from shared.domain.identifiers import Iban, InstitutionCode
from shared.domain.institutions import DEFAULT_LABEL, CreditorInstitution, RegisteredIban
from shared.domain.registry_changes import Entry, Kind
from shared.ports import ChangedMeanwhile, ChangeSearch, Registry
from shared.settings import CosmosStore, EmbeddedStore, Settings

_REGISTERED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_ACA = frozenset({DEFAULT_LABEL})

COMUNE = CreditorInstitution(
    InstitutionCode("77777777777"),
    "Comune di Prova",
    ibans=(RegisteredIban(Iban("IT60X0542811101000000123456"), _ACA, _REGISTERED_AT),),
    lenient=True,
    stand_in=True,
)
PAGOPA = CreditorInstitution(
    InstitutionCode("15376371009"),
    "PagoPA S.p.A.",
    ibans=(RegisteredIban(Iban("IT96H0760112100001036880332"), _ACA, _REGISTERED_AT, postal=True),),
    stand_in=True,
)
LOCAL_EC = Caller(
    "local-ec",
    Role.CREDITOR_INSTITUTION,
    frozenset({Scope.NOTICES_WRITE, Scope.NOTICES_READ}),
    {COMUNE.fiscal_code: frozenset({EVERY}), PAGOPA.fiscal_code: frozenset({"47", "48"})},
    keys=(Key(key_hash("local-ec")),),
)
LOCAL_PLATFORM = Caller(
    "local-platform",
    Role.PLATFORM,
    frozenset({Scope.STAND_IN_READ, Scope.DEBTORS_READ, Scope.NOTICES_READ}),
    {EVERY: frozenset({EVERY})},
    keys=(Key(key_hash("local-platform")),),
)
PUBLIC_KEYS = (LOCAL_EC.name, LOCAL_PLATFORM.name)
"""The key of a local caller is its name: everybody may know it, because the data are test data on one machine."""


async def prepare(settings: Settings) -> None:
    """Open the archive. If its store is for test data, create its containers and seed it.

    Raises SettingsError, StoreUnavailable.
    """
    store = settings.store
    if isinstance(store, CosmosStore) and store.is_emulator:
        await make_containers(store)
    await bootstrap.open_application(settings).archive.store.ping(bootstrap.utc_now())
    if isinstance(store, EmbeddedStore) or store.is_emulator:
        await seed()


async def seed() -> None:
    """Register each institution and caller that has no record of changes. The changes of operators stay."""
    registry = bootstrap.application().registry
    for institution in (COMUNE, PAGOPA):
        if await _is_new(registry, Entry(Kind.INSTITUTION, institution.fiscal_code)):
            with suppress(ChangedMeanwhile):  # Another host or an operator was first.
                await registry.save_institution(institution, None)
    for caller in (LOCAL_EC, LOCAL_PLATFORM):
        if await _is_new(registry, Entry(Kind.CALLER, caller.name)):
            with suppress(ChangedMeanwhile):
                await registry.save_caller(caller, None)


async def _is_new(registry: Registry, entry: Entry) -> bool:
    return not await registry.changes(ChangeSearch(entry, limit=1))


def banner(base_url: str, settings: Settings) -> str:
    """Return the text that `make run` prints when the archive is ready."""
    match settings.store:
        case EmbeddedStore(path):
            store_line = f"Data: {path}"
        case store if store.is_emulator:
            account = f"AccountEndpoint={store.endpoint};AccountKey={store.key};"
            bus = settings.bus.connection_string if settings.bus else None
            keys = ",".join(f"{key.id}:{b64encode(key.secret).decode()}" for key in settings.debtor_keys)
            named = {"COSMOS": account, "SERVICEBUS": bus, "DEBTOR_KEYS": keys}
            names = " ".join(f"{name}='{value}'" for name, value in named.items() if value)
            here = "Cosmos DB and Service Bus" if bus else "Cosmos DB"
            store_line = f"Data: {here} on this machine. For operators:\n\n{names} make ops ARGS='events tail'"
        case store:
            store_line = f"Data: Cosmos DB at {store.endpoint}"
            return f"\nArchivio Centralizzato Avvisi, on {base_url}\n{store_line}\n\nCtrl-C stops it.\n"
    return f"""
Archivio Centralizzato Avvisi, on {base_url}
{store_line}

  {COMUNE.fiscal_code}  {COMUNE.name}, lenient     {PAGOPA.fiscal_code}  {PAGOPA.name}, strict
  {LOCAL_EC.name}     publishes and reads       {LOCAL_PLATFORM.name}  reads, for pagoPA's services

Contract: {base_url}/docs

Publish a notice. If you send it again, the answer is 200 and nothing changes.

{publish_command(base_url)}

Ctrl-C stops it. The data stay.
"""


def publish_command(base_url: str) -> str:
    """Return a curl command that publishes a notice."""
    return f"""curl -i -X PUT {base_url}/v1/creditor-institutions/{COMUNE.fiscal_code}/notices/347000000000000124 \\
  -H 'Ocp-Apim-Subscription-Key: {LOCAL_EC.name}' -H 'Content-Type: application/json' \\
  -d '{{"amount": 12050, "description": "TARI 2026 prima rata", "dueDate": "2026-12-16",
       "debtor": {{"type": "F", "fiscalCode": "RSSMRA80A01H501U", "fullName": "Mario Rossi"}}}}'"""
