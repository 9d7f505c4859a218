"""Checks: each identity has the roles that the code needs, each at the narrowest scope, and no others."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tests.infra.code import Code
from tests.infra.predicted import OPERATORS, Environment, Resource
from tests.infra.settings import app_identity

ROLES = {
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "73c42c96-874c-492b-b04d-ab87d138a893": "Log Analytics Reader",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0": "Service Bus Data Receiver",
    "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39": "Service Bus Data Sender",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "fb879df8-f326-4884-b1cf-06f3ad86be52": "Virtual Machine User Login",
}
"""The built-in roles of Azure that may be assigned. Owner and Contributor are not among them."""


class Grant(NamedTuple):
    """A role that somebody has somewhere. `where` is a type, and the names below the service."""

    who: str
    where: str
    role: str


BLOBS = "Storage/storageAccounts/blobServices/default/containers"
APP = {
    Grant("app", f"{BLOBS}/azure-webjobs-hosts", "Storage Blob Data Owner"): "the host locks each timer",
    Grant("app", f"{BLOBS}/azure-webjobs-secrets", "Storage Blob Data Owner"): "the host keeps its keys",
    Grant("app", f"{BLOBS}/app-package", "Storage Blob Data Contributor"): "the platform stores and reads the package",
    Grant("app", "KeyVault/vaults", "Key Vault Secrets User"): "DEBTOR_KEYS is a reference to the only secret",
    Grant("app", "Insights/components", "Monitoring Metrics Publisher"): "the host and the worker send telemetry",
}
OF_OPERATORS = {
    Grant("operators", "KeyVault/vaults", "Key Vault Secrets User"): "ops debtors rebuild needs DEBTOR_KEYS",
    Grant("operators", "the whole group", "Reader"): "the runbooks look at resources and metrics, Bastion asks for it",
    Grant("operators", "the whole group", "Log Analytics Reader"): "the runbooks have queries",
}
ON_JUMP_HOST = {
    Grant("operators", "Compute/virtualMachines", "Virtual Machine User Login"): "they sign in with Entra ID",
}
"""The needs that the code cannot say: those of the platform, and of the way in. The others follow from the source."""

ACCOUNT = "DocumentDB/databaseAccounts"
METADATA = "Microsoft.DocumentDB/databaseAccounts/readMetadata"
_OF_CONTAINER = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/"
_BUS = "ServiceBus/namespaces"


def assignments(environment: Environment, code: Code) -> Iterator[str]:
    """The roles of Azure: each need has its role, each role its need."""
    needed, found = _needed(environment, code), _assigned(environment)
    for grant in sorted(needed.keys() - set(found)):
        yield f"{grant.who} lacks {grant.role} on {grant.where}: {needed[grant]}"
    for grant in sorted(set(found) - needed.keys()):
        yield f"{grant.who} has {grant.role} on {grant.where}, and nothing needs it"
    yield from (f"{grant} is assigned twice" for grant in sorted({each for each in found if found.count(each) > 1}))


def principals(environment: Environment, _: Code) -> Iterator[str]:
    """The type of each principal is named, so that a new identity is found at once. Each assignment has a reason."""
    for each in environment.all_of("Authorization/roleAssignments"):
        who, properties = _who(environment, each), each["properties"]
        expected = "Group" if who == "operators" else "ServicePrincipal"
        if properties.get("principalType") != expected:
            yield f"a role of {who} is for a {properties.get('principalType')}"
        if not properties.get("description"):
            yield f"a role of {who} has no reason"


def actions(environment: Environment, code: Code) -> Iterator[str]:
    """The roles of Cosmos DB: each action that an adapter needs, on its container, and no other."""
    found = _granted(environment)
    for who, container, action in sorted(code.needs.keys() - found):
        yield f"{who} lacks {action} on {container}: {code.needs[who, container, action]}"
    for who, container, action in sorted(found - code.needs.keys()):
        yield f"{who} has {action} on {container}, and no code needs it"


def metadata(environment: Environment, _: Code) -> Iterator[str]:
    """The SDK reads the metadata of the account, for the app and for operators. Nothing else is for the account."""
    readers = {who for who, scope, action in _data_grants(environment) if scope == "" and action == METADATA}
    yield from (f"{who} cannot read the metadata of the account" for who in sorted({"app", "operators"} - readers))
    for who, scope, action in sorted(set(_data_grants(environment))):
        if scope == "" and action != METADATA:
            yield f"{who} has {action} on the whole account"


def definitions(environment: Environment, _: Code) -> Iterator[str]:
    """Each role of our own is assigned, at the scope for which it is made. None of Microsoft's is."""
    known = {each["id"]: each["properties"] for each in environment.all_of(f"{ACCOUNT}/sqlRoleDefinitions")}
    assigned = [each["properties"] for each in environment.all_of(f"{ACCOUNT}/sqlRoleAssignments")]
    for role in sorted(known.keys() - {each["roleDefinitionId"] for each in assigned}):
        yield f"{known[role]['roleName']} is assigned to nobody"
    for each in assigned:
        role = known.get(each["roleDefinitionId"])
        if role is None:
            yield f"a role is assigned that is not ours: {each['roleDefinitionId'].rpartition('/')[2]}"
        elif role["assignableScopes"] != [each["scope"]]:
            yield f"{role['roleName']} is assigned elsewhere than it is made for"


def _needed(environment: Environment, code: Code) -> Mapping[Grant, str]:
    entities = {f"queues/{name}" for name in code.messaging["queues"]}
    topics = code.messaging["topics"]
    waiting = entities | {
        f"topics/{topic}/subscriptions/{name}" for topic in topics for name in topics[topic]["subscriptions"]
    }
    needed = {**APP, **OF_OPERATORS, **(ON_JUMP_HOST if environment.is_private else {})}
    for (who, entity), reason in code.sends.items():
        kind = "topics" if entity in topics else "queues"
        needed[Grant(who, f"{_BUS}/{kind}/{entity}", "Service Bus Data Sender")] = reason
    for function, trigger in code.triggers.items():
        if trigger["type"] == "serviceBusTrigger":
            where = f"{_BUS}/queues/{trigger['queueName']}"
            needed[Grant("app", where, "Service Bus Data Receiver")] = f"{function} takes its messages"
    for entity in waiting:
        # `ops dead-letters` works on each, `ops events tail` on each subscription.
        needed[Grant("operators", f"{_BUS}/{entity}", "Service Bus Data Receiver")] = "ops dead-letters takes messages"
    return needed


def _assigned(environment: Environment) -> list[Grant]:
    return [
        Grant(_who(environment, each), _where(each), ROLES.get(role, f"the role {role}"))
        for each in environment.all_of("Authorization/roleAssignments")
        for role in [each["properties"]["roleDefinitionId"].rpartition("/")[2]]
    ]


def _who(environment: Environment, assignment: Resource) -> str:
    principal = str(assignment["properties"]["principalId"])
    if principal == OPERATORS:
        return "operators"
    return "app" if f"/{app_identity(environment)}'" in principal else principal


def _where(assignment: Resource) -> str:
    """Return the scope without the group and the name of the service, which differ between environments."""
    scope = str(assignment["id"]).partition("/providers/Microsoft.Authorization/")[0]
    below = scope.partition("/resourceGroups/")[2].partition("/providers/Microsoft.")[2]
    if not below:
        return "the whole group" if "/resourceGroups/" in scope else "the subscription"
    provider, kind, _, *rest = below.split("/")
    return "/".join([provider, kind, *rest])


def _granted(environment: Environment) -> set[tuple[str, str, str]]:
    """Return who has which action on which container."""
    return {
        (who, scope.rpartition("/colls/")[2], action.removeprefix(_OF_CONTAINER))
        for who, scope, action in _data_grants(environment)
        if scope
    }


def _data_grants(environment: Environment) -> Iterator[tuple[str, str, str]]:
    """Yield who has which action, and where below the account."""
    account = str(environment.one(ACCOUNT)["id"])
    known = {each["id"]: each["properties"] for each in environment.all_of(f"{ACCOUNT}/sqlRoleDefinitions")}
    for each in environment.all_of(f"{ACCOUNT}/sqlRoleAssignments"):
        role = known.get(each["properties"]["roleDefinitionId"], {"permissions": []})
        scope = each["properties"]["scope"].removeprefix(account)
        for permission in role["permissions"]:
            yield from ((_who(environment, each), scope, action) for action in permission["dataActions"])
