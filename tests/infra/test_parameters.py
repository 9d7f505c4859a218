"""Parameters that no file has: the account of a restore, and an environment without its network."""

import json
import os
import re

import pytest

from infra.checks import snapshots
from infra.checks.compiler import NoCompilerError, copied_sources
from infra.checks.snapshots import Prediction
from tests.infra.predicted import Environment, predicted

RESTORED = "avvisi-prod-itn-cosno-r1"


def test_no_endpoint_of_the_old_account_is_led_to_the_restored_one() -> None:
    # Azure refuses it: CannotChangePrivateLinkConnectionOnPrivateEndpoint.
    prediction = predicted_with("prod", r"\Z", f"\nparam cosmosAccountName = '{RESTORED}'\n")
    restored = Environment("prod", tuple(json.loads(prediction.text)["predictedResources"]))
    before, after = targets(predicted("prod")), targets(restored)

    assert prediction.findings == frozenset()
    (new,) = after.keys() - before.keys()
    assert after[new].endswith(f"/{RESTORED}")
    assert [name for name in before.keys() & after.keys() if before[name] != after[name]] == []


@pytest.mark.parametrize("environment", ["uat", "prod"])
def test_real_notices_are_never_behind_a_public_address(environment: str) -> None:
    prediction = predicted_with(environment, r"param network = .*", "")

    assert prediction.text == ""
    assert "uat and prod need a network" in str([*prediction.findings])


def targets(environment: Environment) -> dict[str, str]:
    """Return the resource to which each private endpoint leads."""
    return {
        each["name"]: connection["properties"]["privateLinkServiceId"]
        for each in environment.all_of("Network/privateEndpoints")
        for connection in each["properties"]["privateLinkServiceConnections"]
    }


def predicted_with(environment: str, pattern: str, text: str) -> Prediction:
    """Return an environment as it is predicted after a change of its parameters file."""
    try:
        with copied_sources(os.environ) as sources:
            file = sources.folder / f"{environment}.bicepparam"
            changed, count = re.subn(pattern, text, file.read_text(encoding="utf-8"), count=1)
            assert count == 1, "the file is changed"
            file.write_text(changed, encoding="utf-8")
            return snapshots.predict(sources, environment)
    except NoCompilerError as error:
        pytest.skip(str(error))
