"""The bus is down for ten minutes: each publish is answered as before, and afterwards its events go out in order."""

import json
from collections import Counter
from datetime import timedelta

import httpx
import pytest
from azure.functions.timer import TimerRequest

from emulators.cosmos import CosmosDouble
from emulators.servicebus import ServiceBusDouble
from local.functions import load
from shared.bootstrap import Application
from shared.messages import subscription
from tests.conformance.servicebus.support import leaves_sockets_open
from tests.conftest import ROOT
from tests.functions.client import amend, path_of
from tests.stores import AZURE
from tests.support import StillClock, a_body, a_number

pytestmark = [pytest.mark.parametrize("kept_in", [AZURE], indirect=True), *leaves_sockets_open]

MINUTES = 10
PAUSE = timedelta(seconds=20)


async def test_a_publish_does_not_need_the_bus_and_the_backlog_goes_out_in_order(
    http: httpx.AsyncClient,
    application: Application,
    cosmos: CosmosDouble,
    service_bus: ServiceBusDouble,
    clock: StillClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    [relay] = [function for function in load(ROOT) if function.name == "relay_events"]
    await http.put(path_of(a_number(1)), json=a_body())
    await relay.call(TimerRequest(past_due=False))
    caplog.set_level("INFO")

    service_bus.refuse_connections(3600)
    until = clock() + timedelta(minutes=MINUTES)
    numbers = [a_number(1)]
    while clock() < until:
        clock.advance(PAUSE)
        numbers.append(a_number(len(numbers) + 1))
        cosmos.log.clear()
        answer = await http.put(path_of(numbers[-1]), json=a_body())
        asked = Counter(request.operation for request in cosmos.log if request.container == "notices")
        assert (answer.status_code, asked) == (201, {"Batch": 1})
        await amend(http, {"amount": len(numbers)}, path_of(numbers[-2]))
        await relay.call(TimerRequest(past_due=False))
    health = (await http.get("/health")).json()
    service_bus.refuse_connections(0)
    caplog.clear()
    await relay.call(TimerRequest(past_due=False))

    assert health["relay"]["oldestUnsentSeconds"] == MINUTES * 60 - PAUSE.total_seconds()
    assert await sent(application) == {number: [1, 2] for number in numbers[:-1]} | {numbers[-1]: [1]}
    [turn] = [json.loads(record.getMessage()) for record in caplog.records if "relay_turn" in record.getMessage()]
    assert turn == {"event": "relay_turn", "events": 2 * (len(numbers) - 1), "oldest_waiting_seconds": 0.0}


async def sent(application: Application) -> dict[str, list[int]]:
    """Return the versions of each notice, in the order in which they came to the topic."""
    assert application.bus is not None
    versions = dict[str, list[int]]()
    async for queued in application.bus.peek(subscription("all")):
        event = json.loads(queued.message.body)
        versions.setdefault(event["data"]["noticeNumber"], []).append(event["sequence"])
    return versions
