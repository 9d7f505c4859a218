"""Checks: the containers of Cosmos DB are those of infra/data.json, and those that the adapters ask."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.infra.code import Code
from tests.infra.entities import differences
from tests.infra.predicted import Environment

ACCOUNT = "DocumentDB/databaseAccounts"
CONTAINERS = f"{ACCOUNT}/sqlDatabases/containers"


def containers(environment: Environment, code: Code) -> Iterator[str]:
    """Partition key, indexes and time to live of each container are those of the file, and nothing besides."""
    found = {name: each["resource"] for name, each in environment.by_name(CONTAINERS).items()}
    yield from differences("container", {name: _as_azure(name, each) for name, each in code.data.items()}, found)


def names(environment: Environment, code: Code) -> Iterator[str]:
    """The containers that the adapters ask exist, and no others do."""
    found = environment.by_name(CONTAINERS).keys()
    yield from (f"the code asks {name}, and it is not there" for name in sorted(code.containers - found))
    yield from (f"{name} is there, and the code does not ask it" for name in sorted(found - code.containers))


def consistency(environment: Environment, _: Code) -> Iterator[str]:
    """ADR 9: bounded staleness, and one region that writes."""
    properties = environment.one(ACCOUNT)["properties"]
    level = properties["consistencyPolicy"]["defaultConsistencyLevel"]
    if level != "BoundedStaleness":
        yield f"the consistency is {level}"
    if properties["enableMultipleWriteLocations"] is not False:
        yield "more than one region writes"


def capacity(environment: Environment, _: Code) -> Iterator[str]:
    """Dev is serverless. The others have autoscale on each container."""
    account = environment.one(ACCOUNT)["properties"]
    is_serverless = {"name": "EnableServerless"} in account["capabilities"]
    if is_serverless is environment.is_private:
        yield f"the account is {'' if is_serverless else 'not '}serverless"
    for name, each in sorted(environment.by_name(CONTAINERS).items()):
        if ("autoscaleSettings" in each["options"]) is not environment.is_private or "throughput" in each["options"]:
            yield f"container {name}: its throughput does not fit this environment"


def _as_azure(name: str, container: Mapping[str, Any]) -> dict[str, Any]:
    paths = container["partitionKey"]
    # Only a key of version 2 has no limit of 100 bytes. Only MultiHash has levels.
    key = {"kind": "MultiHash" if len(paths) > 1 else "Hash", "version": 2, "paths": paths}
    rest = {part: value for part, value in container.items() if part != "partitionKey"}
    return {"id": name, "partitionKey": key, **rest}
