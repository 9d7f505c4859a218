"""A restore of Cosmos DB makes another account. Azure accepts the deployment that moves the archive there."""

import json
import os

import pytest

from infra.checks import snapshots
from infra.checks.compiler import NoCompilerError, copied_sources
from tests.infra.predicted import Environment, predicted

RESTORED = "avvisi-prod-itn-cosno-r1"


def test_no_endpoint_of_the_old_account_is_led_to_the_restored_one() -> None:
    # Azure refuses it: CannotChangePrivateLinkConnectionOnPrivateEndpoint.
    before, after = targets(predicted("prod")), targets(restored())

    (new,) = after.keys() - before.keys()
    assert after[new].endswith(f"/{RESTORED}")
    assert [name for name in before.keys() & after.keys() if before[name] != after[name]] == []


def targets(environment: Environment) -> dict[str, str]:
    """Return the resource to which each private endpoint leads."""
    return {
        each["name"]: connection["properties"]["privateLinkServiceId"]
        for each in environment.all_of("Network/privateEndpoints")
        for connection in each["properties"]["privateLinkServiceConnections"]
    }


def restored() -> Environment:
    """Return prod as it is predicted for a restored account."""
    try:
        with copied_sources(os.environ) as sources:
            file = sources.folder / "prod.bicepparam"
            text = file.read_text(encoding="utf-8")
            file.write_text(f"{text}\nparam cosmosAccountName = '{RESTORED}'\n", encoding="utf-8")
            prediction = snapshots.predict(sources, "prod")
    except NoCompilerError as error:
        pytest.skip(str(error))
    assert prediction.findings == frozenset()
    return Environment("prod", tuple(json.loads(prediction.text)["predictedResources"]))
