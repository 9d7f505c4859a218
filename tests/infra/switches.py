"""Checks: each service is as secure as it can be. The tables say which switch of which type has which value."""

import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import yaml

from tests.infra.code import Code
from tests.infra.predicted import Environment, Resource, evaluated, kind_of, last_name

ACCOUNT, NAMESPACE, STORAGE = "DocumentDB/databaseAccounts", "ServiceBus/namespaces", "Storage/storageAccounts"
VAULT, SITE, GATEWAY = "KeyVault/vaults", "Web/sites", "ApiManagement/service"
PROTOCOLS = "properties/customProperties/Microsoft.WindowsAzure.ApiManagement.Gateway.Security"

Switch = tuple[str, str, Any]
"""A type, the path of a value in its resources (`*`: in each element), and the value."""

ALWAYS: tuple[Switch, ...] = (
    # Nobody has a key.
    (ACCOUNT, "properties/disableLocalAuth", True),
    (ACCOUNT, "properties/disableKeyBasedMetadataWriteAccess", True),
    (NAMESPACE, "properties/disableLocalAuth", True),
    (STORAGE, "properties/allowSharedKeyAccess", False),
    (STORAGE, "properties/defaultToOAuthAuthentication", True),
    ("OperationalInsights/workspaces", "properties/features/disableLocalAuth", True),
    ("Insights/components", "properties/DisableLocalAuth", True),
    (VAULT, "properties/enableRbacAuthorization", True),
    (f"{SITE}/basicPublishingCredentialsPolicies", "properties/allow", False),
    (SITE, "identity/type", "UserAssigned"),
    (SITE, "properties/functionAppConfig/deployment/storage/authentication/type", "UserAssignedIdentity"),
    ("Compute/virtualMachines", "properties/osProfile/linuxConfiguration/disablePasswordAuthentication", True),
    # Everything is encrypted.
    (ACCOUNT, "properties/minimalTlsVersion", "Tls12"),
    (NAMESPACE, "properties/minimumTlsVersion", "1.2"),
    (STORAGE, "properties/minimumTlsVersion", "TLS1_2"),
    (STORAGE, "properties/supportsHttpsTrafficOnly", True),
    (SITE, "properties/httpsOnly", True),
    (SITE, "properties/siteConfig/minTlsVersion", "1.2"),
    (SITE, "properties/siteConfig/scmMinTlsVersion", "1.2"),
    (SITE, "properties/siteConfig/ftpsState", "Disabled"),
    (f"{GATEWAY}/apis", "properties/protocols", ["https"]),
    *(
        (GATEWAY, f"{PROTOCOLS}.{side}Protocols.{old}", "false")
        for side in ("", "Backend.")
        for old in ("Tls10", "Tls11")
    ),
    (f"{GATEWAY}/backends", "properties/tls/validateCertificateChain", True),
    (f"{GATEWAY}/backends", "properties/tls/validateCertificateName", True),
    ("Compute/virtualMachines", "properties/securityProfile/encryptionAtHost", True),
    # Nothing is shown or changed from outside.
    (STORAGE, "properties/allowBlobPublicAccess", False),
    (STORAGE, "properties/allowCrossTenantReplication", False),
    (f"{STORAGE}/blobServices/containers", "properties/publicAccess", "None"),
    (SITE, "properties/siteConfig/remoteDebuggingEnabled", False),
    # What was deleted comes back.
    (VAULT, "properties/enablePurgeProtection", True),
    (VAULT, "properties/enableSoftDelete", True),
    (VAULT, "properties/softDeleteRetentionInDays", 90),
    (ACCOUNT, "properties/backupPolicy/type", "Continuous"),
    (f"{STORAGE}/blobServices", "properties/deleteRetentionPolicy/enabled", True),
    (f"{STORAGE}/blobServices", "properties/containerDeleteRetentionPolicy/enabled", True),
)
PRIVATE: tuple[Switch, ...] = (
    *((kind, "properties/publicNetworkAccess", "Disabled") for kind in (ACCOUNT, NAMESPACE, STORAGE, VAULT, SITE)),
    (STORAGE, "properties/networkAcls/defaultAction", "Deny"),
    (VAULT, "properties/networkAcls/defaultAction", "Deny"),
    (VAULT, "properties/networkAcls/bypass", "None"),
    (ACCOUNT, "properties/networkAclBypass", "None"),
    (NAMESPACE, "sku/name", "Premium"),
    (f"{NAMESPACE}/networkRuleSets", "properties/defaultAction", "Deny"),
    (f"{NAMESPACE}/networkRuleSets", "properties/publicNetworkAccess", "Disabled"),
    (f"{NAMESPACE}/networkRuleSets", "properties/trustedServiceAccessEnabled", False),
    (SITE, "properties/outboundVnetRouting/allTraffic", True),
    (GATEWAY, "properties/virtualNetworkType", "External"),
    ("Network/virtualNetworks", "properties/subnets/*/properties/defaultOutboundAccess", False),
)
"""Besides, in uat and prod."""
PROD: tuple[Switch, ...] = (
    (ACCOUNT, "properties/backupPolicy/continuousModeProperties/tier", "Continuous30Days"),
    (ACCOUNT, "properties/locations/*/isZoneRedundant", True),
    ("Web/serverfarms", "properties/zoneRedundant", True),
    (STORAGE, "sku/name", "Standard_ZRS"),
    ("Network/publicIPAddresses", "zones", ["1", "2", "3"]),
    ("Network/bastionHosts", "zones", ["1", "2", "3"]),
    # A limit would blind the alerts.
    ("OperationalInsights/workspaces", "properties/workspaceCapping/dailyQuotaGb", -1),
)
"""Besides, in prod. Service Bus Premium is in all zones by itself."""

STORES = (ACCOUNT, NAMESPACE, STORAGE, VAULT, "OperationalInsights/workspaces")
"""The types with data."""
ENDPOINTS = {
    STORAGE: ("blob", "privatelink.blob.core.windows.net"),
    ACCOUNT: ("Sql", "privatelink.documents.azure.com"),
    NAMESPACE: ("namespace", "privatelink.servicebus.windows.net"),
    VAULT: ("vault", "privatelink.vaultcore.azure.net"),
    SITE: ("sites", "privatelink.azurewebsites.net"),
}
"""The services with a private endpoint: its part, and its DNS zone."""
TOOLS = {"git", "make", "python3-venv", "azure-cli"}
"""What operators need on their machine."""
WITH_LOGS = {
    *STORES,
    f"{STORAGE}/blobServices",
    SITE,
    "Web/serverfarms",
    GATEWAY,
    "Network/bastionHosts",
    "Network/networkSecurityGroups",
    "Network/publicIPAddresses",
    "Network/virtualNetworks",
} - {STORAGE}
"""The types with diagnostic settings. Those of a storage account are at its blobs."""
WITHOUT_LOGS = {
    STORAGE: "its requests are logged at its blobs",
    "Compute/virtualMachines": "its platform metrics need no setting, and Bastion logs who signs in",
    "Insights/actionGroups": "it keeps no logs",
    "Insights/components": "it writes to the workspace itself",
    "Insights/metricAlerts": "it keeps no logs",
    "Insights/scheduledQueryRules": "it keeps no logs",
    "Insights/webtests": "its results are in Application Insights",
    "Insights/diagnosticSettings": "it is a diagnostic setting",
    "ManagedIdentity/userAssignedIdentities": "Entra ID logs its sign-ins",
    "Network/natGateways": "it has metrics only, which need no setting",
    "Network/networkInterfaces": "it has metrics only, which need no setting",
    "Network/privateDnsZones": "it has metrics only, which need no setting",
    "Network/privateEndpoints": "it has metrics only, which need no setting",
    "Authorization/locks": "the activity log has its changes",
    "Authorization/roleAssignments": "the activity log has its changes",
    "Consumption/budgets": "it keeps no logs",
    "Resources/resourceGroups": "the activity log has its changes",
}
"""The other types, each with the reason."""
OF_DEBTORS = {"PartitionKeyRUConsumption", "PartitionKeyStatistics", "QueryRuntimeStatistics"}
"""Categories of Cosmos DB with partition keys or queries: a key is one notice or one debtor."""


def switches(environment: Environment, _: Code) -> Iterator[str]:
    """Each switch of the tables has its value in each resource of its type."""
    tables = ALWAYS + (PRIVATE if environment.is_private else ()) + (PROD if environment.name == "prod" else ())
    for kind, path, value in tables:
        found = environment.all_of(kind)
        if not found and environment.is_private:
            yield f"there is no {kind}"
        for resource in found:
            for has in _values(resource, path.split("/")):
                if has != value or type(has) is not type(value):
                    yield f"{kind} {last_name(resource)}: {path} is {has!r}, and should be {value!r}"


def locks(environment: Environment, _: Code) -> Iterator[str]:
    """In prod nothing with data can be deleted by mistake."""
    locked = {_parent(each) for each in environment.all_of("Authorization/locks") if _forbids_deletion(each)}
    for kind in STORES:
        for resource in environment.all_of(kind):
            if environment.name == "prod" and resource["id"] not in locked:
                yield f"{kind} has no lock"


def diagnostics(environment: Environment, _: Code) -> Iterator[str]:
    """Everything that can sends its logs to the workspace. A new type is named in one of the tables."""
    workspace = environment.one("OperationalInsights/workspaces")["id"]
    settings = {_parent(each): each["properties"] for each in environment.all_of("Insights/diagnosticSettings")}
    for resource in environment.resources:
        kind = kind_of(resource)
        if kind in WITH_LOGS:
            setting = settings.get(resource["id"], {})
            kept = [each for each in (*setting.get("logs", []), *setting.get("metrics", [])) if each["enabled"]]
            if setting.get("workspaceId") != workspace or not kept:
                yield f"{kind} {last_name(resource)} sends no logs to the workspace"
        elif kind not in WITHOUT_LOGS and kind.count("/") == 1:
            yield f"{kind} is in no table of tests/infra/switches.py: can it send logs?"
    of_account = settings.get(environment.one(ACCOUNT)["id"], {}).get("logs", [])
    if environment.is_private and "DataPlaneRequests" not in {each["category"] for each in of_account}:
        yield "nothing proves who read and wrote the notices"
    for category in sorted(
        {log.get("category") for each in settings.values() for log in each.get("logs", [])} & OF_DEBTORS
    ):
        yield f"{category} would log hashes of debtors"


def private_endpoints(environment: Environment, _: Code) -> Iterator[str]:
    """Where nothing has a public address, each service has an endpoint, and its name leads there in the network."""
    if not environment.is_private:
        return
    network = environment.one("Network/virtualNetworks")["id"]
    endpoints = {_target(each): each for each in environment.all_of("Network/privateEndpoints")}
    linked = {
        evaluated(each["name"]).rpartition("/")[0]
        for each in environment.all_of("Network/privateDnsZones/virtualNetworkLinks")
        if each["properties"]["virtualNetwork"]["id"] == network
    }
    zones = {evaluated(each["id"]): evaluated(each["name"]) for each in environment.all_of("Network/privateDnsZones")}
    groups = {
        each["name"].partition("/")[0]: [
            zones.get(evaluated(one["properties"]["privateDnsZoneId"]))
            for one in each["properties"]["privateDnsZoneConfigs"]
        ]
        for each in environment.all_of("Network/privateEndpoints/privateDnsZoneGroups")
    }
    for kind, (part, zone) in ENDPOINTS.items():
        endpoint = endpoints.get((environment.one(kind)["id"], part))
        if endpoint is None:
            yield f"{kind} has no private endpoint"
            continue
        if not endpoint["properties"]["subnet"]["id"].startswith(f"{network}/subnets/"):
            yield f"the endpoint of {kind} is not in the network"
        if zone not in zones.values() or groups.get(endpoint["name"]) != [zone]:
            yield f"the endpoint of {kind} has no name in {zone}"
        if zone not in linked:
            yield f"{zone} is not linked to the network"


def subnets(environment: Environment, _: Code) -> Iterator[str]:
    """The app and the gateway reach the endpoints from subnets of their own. Rules keep the internet out of each."""
    if not environment.is_private:
        return
    network = environment.one("Network/virtualNetworks")
    found = {f"{network['id']}/subnets/{each['name']}": each["properties"] for each in network["properties"]["subnets"]}
    gateway = environment.one(GATEWAY)["properties"]["virtualNetworkConfiguration"]
    ways = {
        SITE: (environment.one(SITE)["properties"].get("virtualNetworkSubnetId"), "Microsoft.App/environments"),
        GATEWAY: (gateway and gateway["subnetResourceId"], "Microsoft.Web/serverFarms"),
    }
    for kind, (subnet, delegation) in ways.items():
        delegated = [each["properties"]["serviceName"] for each in found.get(subnet, {}).get("delegations", [])]
        if delegated != [delegation]:
            yield f"{kind} has no subnet that is delegated to {delegation}"
    closed = {each["id"] for each in environment.all_of("Network/networkSecurityGroups") if _keeps_internet_out(each)}
    for name, properties in found.items():
        if (
            not name.endswith("/AzureBastionSubnet")
            and properties.get("networkSecurityGroup", {}).get("id") not in closed
        ):
            yield f"the internet is not kept out of {name.rpartition('/')[2]}"


def shared_access(environment: Environment, _: Code) -> Iterator[str]:
    """Nothing is opened with a shared key or a password: rules of Service Bus, policies of the vault, publishing."""
    yield from (f"{each['type']} is a key" for each in environment.resources if "uthorizationRules" in each["type"])
    if environment.one(VAULT)["properties"].get("accessPolicies"):
        yield "the vault has access policies"
    # The switch for it is in the table. Without a policy, a password is allowed.
    off = environment.by_name(f"{SITE}/basicPublishingCredentialsPolicies").keys()
    yield from (f"{way} has a password" for way in ("ftp", "scm") if way not in off)


def public_addresses(environment: Environment, _: Code) -> Iterator[str]:
    """Only Bastion and the way out have an address. The machine of the operators has none."""
    for card in environment.all_of("Network/networkInterfaces"):
        for each in card["properties"]["ipConfigurations"]:
            if each["properties"].get("publicIPAddress"):
                yield f"{last_name(card)} has a public address"


def always_ready(environment: Environment, _: Code) -> Iterator[str]:
    """With zones, the platform keeps and bills two instances of a group at least, whatever is asked for."""
    if not environment.one("Web/serverfarms")["properties"]["zoneRedundant"]:
        return
    for group in environment.one(SITE)["properties"]["functionAppConfig"]["scaleAndConcurrency"]["alwaysReady"]:
        if group["instanceCount"] < 2:
            yield f"{group['name']} asks for fewer than the two instances that zones need"


def tools(environment: Environment, _: Code) -> Iterator[str]:
    """The machine of the operators installs its tools by itself, and nothing secret is in the text that says so."""
    for machine in environment.all_of("Compute/virtualMachines"):
        text = b64decode(machine["properties"]["osProfile"].get("customData", "")).decode()
        wanted = yaml.safe_load(text) if text.startswith("#cloud-config\n") else {}
        given = {*wanted.get("packages", ()), *re.findall(r"install --yes ([\w-]+)", str(wanted.get("runcmd")))}
        yield from (f"{last_name(machine)} has no {tool}" for tool in sorted(TOOLS - given))
        if re.search("password|secret|token|PRIVATE KEY", text, re.IGNORECASE):
            yield f"customData of {last_name(machine)} looks like a secret"


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
    elif path[0] == "*":
        for each in value or [None]:
            yield from _values(each, path[1:])
    else:
        yield from _values(value.get(path[0]) if isinstance(value, dict) else None, path[1:])


def _parent(resource: Resource) -> str:
    return str(resource["id"]).rpartition("/providers/")[0]


def _keeps_internet_out(group: Resource) -> bool:
    rules = [each["properties"] for each in group["properties"]["securityRules"]]
    return any(
        (each["direction"], each["access"], each["sourceAddressPrefix"]) == ("Inbound", "Deny", "Internet")
        and each["destinationPortRange"] == "*"
        for each in rules
    )


def _forbids_deletion(lock: Resource) -> bool:
    return lock["properties"]["level"] in ("CanNotDelete", "ReadOnly")


def _target(endpoint: Resource) -> tuple[str, str]:
    (connection,) = endpoint["properties"]["privateLinkServiceConnections"]
    (group,) = connection["properties"]["groupIds"]
    return connection["properties"]["privateLinkServiceId"], group
