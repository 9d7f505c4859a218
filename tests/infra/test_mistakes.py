"""Mistakes that people make in infra/ or in the code, each found by a check that names it.

A row is a mistake, the check, and how its finding begins. The mistake is made in a copy of prod, or of what the code
says.
"""

import inspect
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from shared.settings import Variable
from tests.infra import alerts, containers, entities, gateway, roles, settings, switches, triggers
from tests.infra.changes import (
    CRITERION,
    GONE,
    Change,
    adapter,
    add,
    api,
    app_setting,
    both,
    drop,
    in_code,
    named,
    policy,
    put,
    query,
    role_of,
    trigger,
)
from tests.infra.code import Code, the_code
from tests.infra.predicted import OPERATORS, Environment, Resource, last_name, predicted

Check = Callable[[Environment, Code], Iterator[str]]

CONTAINER = "DocumentDB/databaseAccounts/sqlDatabases/containers"
DEFINITION, DATA_ROLE = (
    "DocumentDB/databaseAccounts/sqlRoleDefinitions",
    "DocumentDB/databaseAccounts/sqlRoleAssignments",
)
ROLE = "Authorization/roleAssignments"
SUBSCRIPTION = "ServiceBus/namespaces/topics/subscriptions"
LOGS = "properties/frontend/request"
ITEMS = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items"


@dataclass(frozen=True)
class Mistake:
    """A mistake, and the finding of a check."""

    name: str
    change: Change
    check: Check
    finding: str
    environment: str = "prod"


_APP_NOTICES = named("Archive app: notices")
_NEW_SETTING = Variable("BODY_LIMIT", "a setting that nobody set")
_ZONE = "privatelink.servicebus.windows.net"
_SAS = {"type": "Microsoft.ServiceBus/namespaces/authorizationRules", "name": "bus/RootManageSharedAccessKey"}
_LOOSE_HOST = {"functionTimeout": "00:10:00", "extensions": {"serviceBus": {"maxAutoLockRenewalDuration": "00:05:00"}}}


def _of_account(resource: Resource) -> bool:
    return "/databaseAccounts/" in str(resource["id"])


MISTAKES = (
    # The settings.
    Mistake(
        "renamed setting",
        both(app_setting("AWAITED_HOURS", GONE), app_setting("AWAITED_HOUR", "24")),
        settings.names,
        "AWAITED_HOURS is not set, and shared/settings.py reads it",
    ),
    Mistake(
        "new setting in code only",
        lambda environment, code: (environment, replace(code, variables=(*code.variables, _NEW_SETTING))),
        settings.names,
        "BODY_LIMIT is not set, and shared/settings.py reads it",
    ),
    Mistake(
        "setting that nothing reads",
        app_setting("AWAITED_DAYS", "1"),
        settings.names,
        "AWAITED_DAYS is set, and nothing reads it",
    ),
    Mistake(
        "connection string",
        app_setting("SERVICEBUS", "Endpoint=sb://x/"),
        settings.names,
        "SERVICEBUS is set, and is not for Azure",
    ),
    Mistake(
        "another identity",
        app_setting("COSMOS__clientId", "11111111-1111-1111-1111-111111111111"),
        settings.kinds,
        "COSMOS__clientId is not the client id of the app's identity",
    ),
    Mistake(
        "value of a secret",
        app_setting("DEBTOR_KEYS", settings.DEBTOR_KEYS),
        settings.kinds,
        "DEBTOR_KEYS is not a reference to the secret in the vault",
    ),
    Mistake(
        "value out of range",
        app_setting("AWAITED_HOURS", "0"),
        settings.validity,
        "AWAITED_HOURS must be a number from 1 to 8760.",
    ),
    Mistake(
        "address of another account",
        app_setting("COSMOS__accountEndpoint", "https://other.documents.azure.com:443/"),
        settings.validity,
        "COSMOS__accountEndpoint does not lead to the account",
    ),
    Mistake(
        "key in a setting",
        app_setting("COSMOS_DATABASE", "AccountEndpoint=https://x/;AccountKey=QQ=="),
        settings.secrets,
        "Microsoft.Web/sites/config appsettings: properties.COSMOS_DATABASE looks like a secret",
    ),
    # The triggers.
    Mistake(
        "trigger on another queue",
        trigger("consume_events", queueName="inbound"),
        triggers.connections,
        "consume_events: there is no queue inbound",
    ),
    Mistake(
        "renamed connection",
        trigger("consume_events", connection="BUS"),
        triggers.connections,
        "consume_events: BUS__fullyQualifiedNamespace is not set",
    ),
    Mistake(
        "no container for the locks of timers",
        drop("Storage/storageAccounts/blobServices/containers", "azure-webjobs-hosts"),
        triggers.host_storage,
        "there is no container azure-webjobs-hosts for the host",
    ),
    Mistake(
        "renamed function",
        lambda environment, code: (
            environment,
            replace(code, triggers={name: each for name, each in code.triggers.items() if name != "relay_events"}),
        ),
        triggers.always_ready,
        "alwaysReady names function:relay_events, and there is no such group",
    ),
    Mistake(
        "concurrency left to the platform",
        put("Web/sites", "", "properties/functionAppConfig/scaleAndConcurrency/triggers", GONE),
        triggers.concurrency,
        "no concurrency of an instance is chosen",
    ),
    Mistake(
        "lock shorter than the function",
        in_code(host=_LOOSE_HOST),
        triggers.locks_of_messages,
        "host.json renews a lock for 0:05:00, and a function may run for 0:10:00",
    ),
    Mistake(
        "Python that nobody tests",
        put("Web/sites", "", "properties/functionAppConfig/runtime/version", "3.14"),
        triggers.python,
        "the app runs on python 3.14, and CI tests 3.11, 3.12, 3.13",
    ),
    # The entities of Service Bus.
    Mistake(
        "changed queue",
        put("ServiceBus/namespaces/queues", "inbound-events", "properties/maxDeliveryCount", 3),
        entities.queues,
        "queue inbound-events: maxDeliveryCount is 3, and should be 10",
    ),
    Mistake(
        "removed queue",
        drop("ServiceBus/namespaces/queues", "inbound-rejected"),
        entities.queues,
        "queue inbound-rejected is missing",
    ),
    Mistake(
        "changed topic",
        put("ServiceBus/namespaces/topics", "", "properties/requiresDuplicateDetection", False),
        entities.topics,
        "topic notice-events: requiresDuplicateDetection is False, and should be True",
    ),
    Mistake(
        "changed subscription",
        put(SUBSCRIPTION, "stand-in", "properties/requiresSession", True),
        entities.topics,
        "subscription notice-events/stand-in: requiresSession is True, and should be None",
    ),
    Mistake(
        "removed filter",
        drop(f"{SUBSCRIPTION}/rules", lambda each: "/stand-in/" in each["name"]),
        entities.filters,
        "rule notice-events/stand-in/$Default is missing",
    ),
    Mistake(
        "second filter",
        add(f"{SUBSCRIPTION}/rules", "", name="bus/notice-events/all/everything"),
        entities.filters,
        "rule notice-events/all/everything is in no file that the code reads",
    ),
    Mistake(
        "changed filter",
        put(f"{SUBSCRIPTION}/rules", lambda each: "/all/" in each["name"], "properties/sqlFilter/sqlExpression", "1=1"),
        entities.filters,
        "rule notice-events/all/$Default: sqlFilter is {'sqlExpression': '1=1'}, and should be",
    ),
    Mistake(
        "filter on a property that no message has",
        put(
            f"{SUBSCRIPTION}/rules",
            lambda each: "/customer-care/" in each["name"],
            "properties/sqlFilter/sqlExpression",
            "anomalies IS NOT NULL AND (replayFor IS NULL OR replayFor = 'customer-care')",
        ),
        entities.terms,
        "customer-care: no message has a property anomalies",
    ),
    Mistake(
        "entity that the code does not use",
        add("ServiceBus/namespaces/queues", "inbound-events", name="bus/import-chunks"),
        entities.names,
        "import-chunks is there, and the code does not use it",
    ),
    # The containers of Cosmos DB.
    Mistake(
        "changed partition key",
        put(CONTAINER, "notices", "properties/resource/partitionKey/paths", ["/noticeNumber"]),
        containers.containers,
        "container notices: partitionKey is {'kind': 'MultiHash', 'version': 2, 'paths': ['/noticeNumber']}",
    ),
    Mistake(
        "partition key of version 1",
        put(CONTAINER, "registries", "properties/resource/partitionKey/version", 1),
        containers.containers,
        "container registries: partitionKey is {'kind': 'Hash', 'version': 1, 'paths': ['/id']}",
    ),
    Mistake(
        "changed index",
        put(CONTAINER, "checkpoints", "properties/resource/indexingPolicy/includedPaths", [{"path": "/*"}]),
        containers.containers,
        "container checkpoints: indexingPolicy is {",
    ),
    Mistake(
        "no time to live",
        put(CONTAINER, "notices-by-debtor", "properties/resource/defaultTtl", GONE),
        containers.containers,
        "container notices-by-debtor: defaultTtl is None, and should be -1",
    ),
    Mistake(
        "container that the code does not know",
        add(CONTAINER, "checkpoints", name="account/archive/imports"),
        containers.names,
        "imports is there, and the code does not ask it",
    ),
    Mistake(
        "container in code only",
        adapter("cosmos.py", 'CHECKPOINTS = "checkpoints"', 'CHECKPOINTS = "places"'),
        containers.names,
        "the code asks places, and it is not there",
    ),
    Mistake(
        "weaker consistency",
        put("DocumentDB/databaseAccounts", "", "properties/consistencyPolicy/defaultConsistencyLevel", "Session"),
        containers.consistency,
        "the consistency is Session",
    ),
    Mistake(
        "throughput that does not scale",
        put(CONTAINER, "registries", "properties/options", {"throughput": 400}),
        containers.capacity,
        "container registries: its throughput does not fit this environment",
    ),
    # The roles.
    Mistake(
        "missing role",
        drop(ROLE, role_of("app", "topics/notice-events")),
        roles.assignments,
        "app lacks Service Bus Data Sender on ServiceBus/namespaces/topics/notice-events: shared/relay.py",
    ),
    Mistake(
        "role on a wider scope",
        put(
            ROLE, role_of("app", "queues/inbound-events"), "id", lambda each: each.replace("/queues/inbound-events", "")
        ),
        roles.assignments,
        "app has Service Bus Data Receiver on ServiceBus/namespaces, and nothing needs it",
    ),
    Mistake(
        "owner of the group",
        add(
            ROLE,
            role_of("app", "queues/inbound-rejected"),
            id="/subscriptions/s/resourceGroups/g/providers/Microsoft.Authorization/roleAssignments/a",
            properties={"principalId": OPERATORS, "roleDefinitionId": "r/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"},
        ),
        roles.assignments,
        "operators has the role 8e3af657-a8ff-443c-a75c-2fe8c4bcb635 on the whole group, and nothing needs it",
    ),
    Mistake(
        "operators who see no logs",
        drop(ROLE, lambda each: "73c42c96-874c-492b-b04d-ab87d138a893" in each["properties"]["roleDefinitionId"]),
        roles.assignments,
        "operators lacks Log Analytics Reader on the whole group: the runbooks have queries",
    ),
    Mistake(
        "role without a reason",
        put(ROLE, role_of("app", "queues/inbound-rejected"), "properties/description", ""),
        roles.principals,
        "a role of app has no reason",
    ),
    Mistake(
        "missing action",
        put(DEFINITION, _APP_NOTICES, "properties/permissions/0/dataActions", lambda given: given[:-1]),
        roles.actions,
        "app lacks readChangeFeed on notices: CosmosFeed.read calls query_items_change_feed",
    ),
    Mistake(
        "action that is too much",
        put(
            DEFINITION, _APP_NOTICES, "properties/permissions/0/dataActions", lambda given: [*given, f"{ITEMS}/delete"]
        ),
        roles.actions,
        "app has items/delete on notices, and no code needs it",
    ),
    Mistake(
        "new call in an adapter",
        adapter("cosmos_debtors.py", "container.create_item(document, ", "container.delete_item(document, "),
        roles.actions,
        "app lacks items/delete on notices-by-debtor: CosmosDebtors.put calls delete_item, and"
        " shared/debtor_projection.py calls it",
    ),
    Mistake(
        "new call in the documents of the registry",
        adapter(
            "cosmos_registry_documents.py", "return await container.upsert_item(", "return await container.patch_item("
        ),
        roles.actions,
        "app lacks unknown action of patch_item on checkpoints: CosmosFeed.keep calls patch_item",
    ),
    Mistake(
        "new operation in a batch",
        adapter("cosmos.py", 'write = ("create", (notice,))', 'write = ("upsert", (notice,))'),
        roles.actions,
        "app lacks items/upsert on notices: CosmosNoticeStore.save calls execute_item_batch(upsert), and"
        " shared/archive.py calls it",
    ),
    Mistake(
        "call that no role is known for",
        adapter("cosmos_debtors.py", "container.create_item(document, ", "container.patch_item(document, "),
        roles.actions,
        "app lacks unknown action of patch_item on notices-by-debtor: CosmosDebtors.put calls patch_item, and"
        " shared/debtor_projection.py calls it",
    ),
    Mistake(
        "metadata that nobody reads",
        put(DEFINITION, named("Archive metadata reader"), "properties/permissions", []),
        roles.metadata,
        "app cannot read the metadata of the account",
    ),
    Mistake(
        "documents of the whole account",
        put(DEFINITION, named("Archive metadata reader"), "properties/permissions/0/dataActions/0", f"{ITEMS}/*"),
        roles.metadata,
        f"app has {ITEMS}/* on the whole account",
    ),
    Mistake(
        "role that nobody has",
        drop(DATA_ROLE, lambda each: each["properties"]["scope"].endswith("/registries")),
        roles.definitions,
        "Archive app: registries is assigned to nobody",
    ),
    Mistake(
        "built-in role of Cosmos DB",
        put(DATA_ROLE, "", "properties/roleDefinitionId", "a/sqlRoleDefinitions/00000000-0000-0000-0000-000000000002"),
        roles.definitions,
        "a role is assigned that is not ours: 00000000-0000-0000-0000-000000000002",
    ),
    # The gateway.
    Mistake(
        "missing route",
        api(lambda contract: contract["paths"].pop("/v1/debtors/notices")),
        gateway.operations,
        "get /v1/debtors/notices is not in the API",
    ),
    Mistake(
        "route besides the contract",
        api(lambda contract: contract["paths"].update({"/admin": {"post": {}}})),
        gateway.operations,
        "post /admin is not in the contract",
    ),
    Mistake(
        "no gateway",
        drop("ApiManagement/service/apis", "archive"),
        gateway.operations,
        "there is no API",
    ),
    Mistake(
        "older contract",
        api(lambda contract: contract["info"].update(version="0.0.1")),
        gateway.whole_contract,
        "the API differs from contract/openapi.json",
    ),
    Mistake(
        "gateway that takes the key",
        put(
            "ApiManagement/service/apis",
            "archive",
            "properties/subscriptionKeyParameterNames/header",
            "Ocp-Apim-Subscription-Key",
        ),
        gateway.keys,
        "the gateway takes Ocp-Apim-Subscription-Key for its own key",
    ),
    Mistake(
        "key that is not handed on",
        policy(
            "<set-backend-service",
            '<set-header name="Ocp-Apim-Subscription-Key" exists-action="delete" /><set-backend-service',
        ),
        gateway.policies,
        "set-header changes or refuses the request",
    ),
    Mistake(
        "policy that is not well-formed",
        policy("</inbound>", ""),
        gateway.policies,
        "the policy is not well-formed: mismatched tag",
    ),
    Mistake(
        "no limit of a key",
        policy("rate-limit-by-key", "rate-limit"),
        gateway.policies,
        "the requests of a key are not limited",
    ),
    Mistake(
        "renamed named value",
        policy("{{largest-body}}", "{{biggest-body}}"),
        gateway.named,
        "the policy names the value biggest-body, and it is not there",
    ),
    Mistake(
        "debtor in a log",
        put("ApiManagement/service/apis/diagnostics", "", f"{LOGS}/headers", ["x-tax-code"]),
        gateway.logs,
        "the request of the frontend is logged with a header or its body",
    ),
    Mistake(
        "body in a log",
        put("ApiManagement/service/apis/diagnostics", "", f"{LOGS}/body/bytes", 1024),
        gateway.logs,
        "the request of the frontend is logged with a header or its body",
    ),
    # The alerts.
    Mistake(
        "alert on an entity that does not exist",
        put("Insights/metricAlerts", "queue-age", f"{CRITERION}/dimensions/0/values", ["inbound"]),
        alerts.metrics,
        "queue-age: there is no EntityName inbound",
    ),
    Mistake(
        "alert on a metric that does not exist",
        put("Insights/metricAlerts", "queue-age", f"{CRITERION}/metricName", "OldestMessageAge"),
        alerts.metrics,
        "queue-age: Microsoft.ServiceBus/namespaces has no metric OldestMessageAge",
    ),
    Mistake(
        "topic that is not watched",
        put("Insights/metricAlerts", "dead-letters", f"{CRITERION}/dimensions/0/values", ["inbound-events"]),
        alerts.coverage,
        "dead-letters does not look at notice-events",
    ),
    Mistake(
        "alert that nobody gets",
        put("Insights/scheduledQueryRules", "relay-lag", "properties/actions/actionGroups", []),
        alerts.descriptions,
        "relay-lag: it notifies no action group that is there",
    ),
    Mistake(
        "removed alert",
        drop("Insights/scheduledQueryRules", "relay-lag"),
        alerts.runbooks,
        "the runbook relay-lag has no alert",
    ),
    Mistake(
        "alert on an event that nobody logs",
        query("relay-lag", "relay_turn", "relay_done"),
        alerts.queries,
        "relay-lag: no code logs relay_done",
    ),
    Mistake(
        "alert on a key that nobody logs",
        query("relay-lag", "oldest_waiting_seconds", "waiting"),
        alerts.queries,
        "relay-lag: no code logs the key waiting with relay_turn",
    ),
    Mistake(
        "alert that takes a failed turn for a fast one",
        query("relay-lag", "and isempty(tostring(record.error))", ""),
        alerts.lags,
        "relay-lag: a turn with an error counts",
    ),
    Mistake(
        "alert on a column that does not exist",
        query("http-5xx", "ResultCode", "StatusCode"),
        alerts.queries,
        "http-5xx: AppRequests has no column StatusCode",
    ),
    Mistake(
        "alert without a web test",
        drop("Insights/metricAlerts", "health"),
        alerts.web_tests,
        "the test avvisi-prod-itn-health has no alert",
    ),
    Mistake(
        "alert that is off",
        put("Insights/scheduledQueryRules", "no-traffic", "properties/enabled", False),
        alerts.active,
        "no-traffic is off",
    ),
    Mistake(
        "nobody is notified",
        put("Insights/actionGroups", "", "properties/emailReceivers", []),
        alerts.active,
        "avvisi-prod-itn-ag notifies nobody",
    ),
    # The security.
    Mistake(
        "limit of the logs in prod",
        put("OperationalInsights/workspaces", "", "properties/workspaceCapping/dailyQuotaGb", 1),
        switches.switches,
        "OperationalInsights/workspaces avvisi-prod-itn-log: properties/workspaceCapping/dailyQuotaGb is 1",
    ),
    Mistake(
        "package by a key",
        put(
            "Web/sites",
            "",
            "properties/functionAppConfig/deployment/storage/authentication/type",
            "StorageAccountConnectionString",
        ),
        switches.switches,
        "Web/sites avvisi-prod-itn-func-",
    ),
    Mistake(
        "app outside of the network",
        put("Web/sites", "", "properties/virtualNetworkSubnetId", GONE),
        switches.subnets,
        "Web/sites has no subnet that is delegated to Microsoft.App/environments",
    ),
    Mistake(
        "subnet open to the internet",
        put("Network/networkSecurityGroups", "operators-nsg", "properties/securityRules", []),
        switches.subnets,
        "the internet is not kept out of operators",
    ),
    Mistake(
        "no proof of who read",
        put("Insights/diagnosticSettings", _of_account, "properties/logs", []),
        switches.diagnostics,
        "nothing proves who read and wrote the notices",
    ),
    Mistake(
        "public access on",
        put("DocumentDB/databaseAccounts", "", "properties/publicNetworkAccess", "Enabled"),
        switches.switches,
        "DocumentDB/databaseAccounts account: properties/publicNetworkAccess is 'Enabled', and should be 'Disabled'",
    ),
    Mistake(
        "public access on in uat",
        put("KeyVault/vaults", "", "properties/publicNetworkAccess", "Enabled"),
        switches.switches,
        "KeyVault/vaults vault: properties/publicNetworkAccess is 'Enabled', and should be 'Disabled'",
        "uat",
    ),
    Mistake(
        "keys of the storage on in dev",
        put("Storage/storageAccounts", "", "properties/allowSharedKeyAccess", True),
        switches.switches,
        "Storage/storageAccounts avvisidevitnst",
        "dev",
    ),
    Mistake(
        "local authentication on",
        put("ServiceBus/namespaces", "", "properties/disableLocalAuth", GONE),
        switches.switches,
        "ServiceBus/namespaces bus: properties/disableLocalAuth is None, and should be True",
    ),
    Mistake(
        "shorter backup",
        put(
            "DocumentDB/databaseAccounts",
            "",
            "properties/backupPolicy/continuousModeProperties/tier",
            "Continuous7Days",
        ),
        switches.switches,
        "DocumentDB/databaseAccounts account: properties/backupPolicy/continuousModeProperties/tier is"
        " 'Continuous7Days', and should be 'Continuous30Days'",
    ),
    Mistake(
        "lock removed",
        drop("Authorization/locks", lambda each: "/databaseAccounts/" in each["id"]),
        switches.locks,
        "DocumentDB/databaseAccounts has no lock",
    ),
    Mistake(
        "logs that are kept nowhere",
        drop("Insights/diagnosticSettings", lambda each: "/vaults/" in each["id"]),
        switches.diagnostics,
        "KeyVault/vaults vault sends no logs to the workspace",
    ),
    Mistake(
        "hashes of debtors in a log",
        put(
            "Insights/diagnosticSettings",
            lambda each: "/databaseAccounts/" in each["id"],
            "properties/logs/0/category",
            "PartitionKeyStatistics",
        ),
        switches.diagnostics,
        "PartitionKeyStatistics would log hashes of debtors",
    ),
    Mistake(
        "no private endpoint",
        drop("Network/privateEndpoints", lambda each: each["name"].endswith("-kv-pep")),
        switches.private_endpoints,
        "KeyVault/vaults has no private endpoint",
    ),
    Mistake(
        "zone that is not linked",
        drop("Network/privateDnsZones/virtualNetworkLinks", lambda each: each["name"].startswith(_ZONE)),
        switches.private_endpoints,
        f"{_ZONE} is not linked to the network",
    ),
    Mistake(
        "endpoint without a name",
        drop("Network/privateEndpoints/privateDnsZoneGroups", lambda each: "-sbns-" in each["name"]),
        switches.private_endpoints,
        f"the endpoint of ServiceBus/namespaces has no name in {_ZONE}",
    ),
    Mistake(
        "shared access key",
        add("ServiceBus/namespaces", "", **_SAS),
        switches.shared_access,
        "Microsoft.ServiceBus/namespaces/authorizationRules is a key",
    ),
    Mistake(
        "password to publish",
        drop("Web/sites/basicPublishingCredentialsPolicies", "scm"),
        switches.shared_access,
        "scm has a password",
    ),
    Mistake(
        "service without a table",
        add("Compute/virtualMachines", "", type="Microsoft.Cache/redis", name="cache"),
        switches.diagnostics,
        "Cache/redis is in no table of tests/infra/switches.py",
    ),
    Mistake(
        "public address of the machine",
        put("Network/networkInterfaces", "", "properties/ipConfigurations/0/properties/publicIPAddress", {"id": "a"}),
        switches.public_addresses,
        "avvisi-prod-itn-ops-nic has a public address",
    ),
    Mistake(
        "one instance with zones",
        put(
            "Web/sites",
            "",
            "properties/functionAppConfig/scaleAndConcurrency/alwaysReady/1/instanceCount",
            1,
        ),
        switches.always_ready,
        "function:relay_events asks for fewer than the two instances that zones need",
    ),
    Mistake(
        "machine without its tools",
        put("Compute/virtualMachines", "", "properties/osProfile/customData", ""),
        switches.tools,
        "avvisi-prod-itn-ops-vm has no azure-cli",
    ),
    Mistake(
        "secret in the start of the machine",
        put(
            "Compute/virtualMachines",
            "",
            "properties/osProfile/customData",
            lambda text: b64encode(b64decode(text) + b"# password: x").decode(),
        ),
        switches.tools,
        "customData of avvisi-prod-itn-ops-vm looks like a secret",
    ),
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda each: each.name)
def test_a_mistake_is_found_by_its_check(mistake: Mistake) -> None:
    environment, code = mistake.change(predicted(mistake.environment), the_code())

    findings = [_without_hash(finding, environment) for finding in mistake.check(environment, code)]
    assert [each for each in findings if each.startswith(mistake.finding)], findings


def test_each_check_finds_a_mistake() -> None:
    modules = (alerts, containers, entities, gateway, roles, settings, switches, triggers)
    checks = {each for module in modules for each in vars(module).values() if _is_check(each, module.__name__)}

    assert {each.__qualname__ for each in checks - {mistake.check for mistake in MISTAKES}} == set()


def _is_check(value: object, module: str) -> bool:
    if not inspect.isfunction(value) or value.__module__ != module or value.__name__.startswith("_"):
        return False
    return [each.annotation for each in inspect.signature(value).parameters.values()] == [Environment, Code]


def _without_hash(finding: str, environment: Environment) -> str:
    """Return a finding with short names in place of those with the hash of the subscription."""
    for kind, name in (
        ("DocumentDB/databaseAccounts", "account"),
        ("ServiceBus/namespaces", "bus"),
        ("KeyVault/vaults", "vault"),
    ):
        finding = finding.replace(last_name(environment.one(kind)), name)
    return finding
