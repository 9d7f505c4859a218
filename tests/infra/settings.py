"""Checks: the app settings are those that shared/settings.py reads, and the platform's own."""

import re
from base64 import b64encode
from collections.abc import Iterator

from shared.settings import CosmosStore, Settings, SettingsError
from tests.infra.code import Code
from tests.infra.predicted import Environment, evaluated, last_name, texts_in

PLATFORM = {
    "AzureWebJobsStorage__accountName": "the storage account of the host",
    "AzureWebJobsStorage__credential": "an identity opens it",
    "AzureWebJobsStorage__clientId": "which identity",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "where telemetry goes; its key is off",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "an identity sends it",
    "AzureWebJobsDisableHomepage": "no page of the platform at the root",
}
"""The settings that the platform reads, each with its reason."""

DEBTOR_KEYS = f"k1:{b64encode(bytes(range(32))).decode()}"
"""What the Key Vault reference stands for in the check."""

_SECRETS = re.compile(
    r"AccountKey=|SharedAccessKey|SharedAccessSignature|[?&]sig=|[Pp]assword=|\blist(?:Keys|Secrets|Credentials)\w*\("
    r"|InstrumentationKey=[0-9a-f]|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==|-----BEGIN"
)


def names(environment: Environment, code: Code) -> Iterator[str]:
    """Every deployed setting is set, and besides them only those of the platform. No other of the code's."""
    deployed = {each.name for each in code.variables if each.is_deployed}
    found = settings_of(environment).keys()
    yield from (f"{name} is not set, and shared/settings.py reads it" for name in sorted(deployed - found))
    yield from (f"{name} is not set, and the platform needs it" for name in sorted(PLATFORM.keys() - found))
    for name in sorted(found - deployed - PLATFORM.keys()):
        known = any(each.name == name for each in code.variables)
        yield f"{name} is set, and {'is not for Azure' if known else 'nothing reads it'}"


def kinds(environment: Environment, _: Code) -> Iterator[str]:
    """Each value is of the right kind: the identity of the app, a reference to the secret."""
    found = settings_of(environment)
    identity = f"<clientId of {app_identity(environment)}>"
    for name, value in found.items():
        if name.endswith("__clientId") and value != identity:
            yield f"{name} is not the client id of the app's identity"
        if name.endswith("__credential") and value != "managedidentity":
            yield f"{name} is not managedidentity"
    vault = last_name(environment.one("KeyVault/vaults"))
    reference = f"@Microsoft.KeyVault(SecretUri=https://{vault}.vault.azure.net/secrets/DEBTOR-KEYS)"
    if found.get("DEBTOR_KEYS") != reference:
        yield "DEBTOR_KEYS is not a reference to the secret in the vault"
    if found.get("APPLICATIONINSIGHTS_AUTHENTICATION_STRING") != f"ClientId={identity};Authorization=AAD":
        yield "APPLICATIONINSIGHTS_AUTHENTICATION_STRING does not name the app's identity"
    if environment.one("Web/sites")["properties"]["keyVaultReferenceIdentity"] != _identity_id(environment):
        yield "keyVaultReferenceIdentity is not the app's identity"


def validity(environment: Environment, _: Code) -> Iterator[str]:
    """The archive takes the settings as whole and valid, and they lead to the services of this environment."""
    found = settings_of(environment)
    if found.get("DEBTOR_KEYS", "").startswith("@Microsoft.KeyVault("):
        found["DEBTOR_KEYS"] = DEBTOR_KEYS
    try:
        settings = Settings.from_environment(found, is_whole=True)
    except SettingsError as error:
        yield from error.faults
        return
    account = last_name(environment.one("DocumentDB/databaseAccounts"))
    databases = environment.by_name("DocumentDB/databaseAccounts/sqlDatabases")
    store = settings.store
    if not isinstance(store, CosmosStore) or store.endpoint != f"https://{account}.documents.azure.com:443/":
        yield "COSMOS__accountEndpoint does not lead to the account"
    elif store.database not in databases:
        yield f"COSMOS_DATABASE names {store.database}, and there is no such database"
    namespace = last_name(environment.one("ServiceBus/namespaces"))
    if settings.bus is None or settings.bus.name != f"{namespace}.servicebus.windows.net":
        yield "SERVICEBUS__fullyQualifiedNamespace does not lead to the namespace"


def secrets(environment: Environment, _: Code) -> Iterator[str]:
    """No value anywhere looks like a key, a password or a connection string with one."""
    for resource in environment.resources:
        for path, text in texts_in(resource):
            # The contract speaks of keys.
            if path != "properties.value" and _SECRETS.search(text):
                yield f"{resource['type']} {last_name(resource)}: {path} looks like a secret"


def settings_of(environment: Environment) -> dict[str, str]:
    """Return the app settings, with stand-ins for what only a deployment knows."""
    (found,) = [each for each in environment.all_of("Web/sites/config") if last_name(each) == "appsettings"]
    return {name: evaluated(value) for name, value in found["properties"].items()}


def app_identity(environment: Environment) -> str:
    """Return the name of the identity of the app."""
    return _identity_id(environment).rpartition("/")[2]


def _identity_id(environment: Environment) -> str:
    (identity,) = environment.one("Web/sites")["identity"]["userAssignedIdentities"]
    return str(identity)
