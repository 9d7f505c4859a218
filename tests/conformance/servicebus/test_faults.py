"""What the SDK makes of failures. Only the double fails on command."""

import gc
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from azure.servicebus.aio import ServiceBusClient
from azure.servicebus.exceptions import (
    MessageLockLostError,
    OperationTimeoutError,
    ServiceBusConnectionError,
    ServiceBusError,
    ServiceBusServerBusyError,
)

from emulators.servicebus import Counts, Fault, ServiceBusDouble
from tests.conformance.servicebus.support import Bus, a_message, leaves_sockets_open

pytestmark = [pytest.mark.asyncio(loop_scope="module"), *leaves_sockets_open]

SERVER_BUSY = "com.microsoft:server-busy"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def patient(bus: Bus) -> AsyncIterator[Bus]:
    """Yield a client that repeats what fails, soon."""
    if bus.double is None:
        pytest.skip("A service does not fail on command.")
    patient = Bus(bus.connection_string, bus.double)
    patient.client = ServiceBusClient.from_connection_string(
        bus.connection_string, retry_total=3, retry_mode="fixed", retry_backoff_factor=0.2
    )
    await patient.receiver("plain")
    yield patient
    await patient.close()
    gc.collect()  # As long as the warnings of this module are ignored.


@pytest.fixture(autouse=True)
def nothing_fails_yet(double: ServiceBusDouble) -> None:
    """Begin each test without rules, with an empty log."""
    double.faults.clear()
    double.log.clear()


async def test_a_client_connects_again_after_its_connection_was_cut(patient: Bus, double: ServiceBusDouble) -> None:
    await patient.send("plain", first := a_message())

    assert double.cut() >= 2

    await patient.send("plain", second := a_message())
    assert await patient.take_all("plain", 2) == [str(first), str(second)]


async def test_a_message_whose_answer_was_lost_is_stored_twice(patient: Bus, double: ServiceBusDouble) -> None:
    double.inject(Fault("Send", drop="after"))

    await patient.send("plain", sent := a_message())

    received = await patient.receive("plain", 2)
    await patient.complete("plain", *received)
    assert [message.message_id for message in received] == [sent.message_id] * 2


async def test_a_message_whose_answer_was_lost_is_stored_once_where_duplicates_are_detected(
    patient: Bus, double: ServiceBusDouble
) -> None:
    double.inject(Fault("Send", drop="after"))

    await patient.send("deduplicating", a_message())

    assert double.log.count("Send", "deduplicating") == 2
    assert double.counts("deduplicating") == Counts(active=1, locked=0)
    await patient.take_all("deduplicating", 1)


async def test_a_message_is_stored_once_if_the_connection_was_cut_before(
    patient: Bus, double: ServiceBusDouble
) -> None:
    double.inject(Fault("Send", drop="before"))

    await patient.send("plain", a_message())

    assert double.counts("plain") == Counts(active=1, locked=0)
    await patient.take_all("plain", 1)


async def test_a_busy_server_is_asked_again(patient: Bus, double: ServiceBusDouble) -> None:
    double.inject(Fault("Send", "plain", condition=SERVER_BUSY, times=2))

    await patient.send("plain", sent := a_message())

    assert [one.condition for one in double.log if one.name == "Send"] == [SERVER_BUSY, SERVER_BUSY, ""]
    assert await patient.take_all("plain", 1) == [str(sent)]


async def test_a_server_that_stays_busy_is_an_error(bus: Bus, double: ServiceBusDouble) -> None:
    double.inject(Fault("Send", "plain", condition=SERVER_BUSY, times=None))

    with pytest.raises(ServiceBusServerBusyError):
        await bus.send("plain", a_message())

    assert double.counts("plain") == Counts(active=0, locked=0)


async def test_a_send_without_an_answer_ends_by_its_time(bus: Bus, patient: Bus, double: ServiceBusDouble) -> None:
    double.inject(Fault("Send", "plain", hang="after"))

    with pytest.raises(OperationTimeoutError):
        await bus.sender("plain").send_messages(a_message(), timeout=1)

    # The message is stored all the same.
    assert double.counts("plain") == Counts(active=1, locked=0)
    await patient.take_all("plain", 1)


async def test_messages_of_a_cut_connection_come_again_after_their_locks(
    patient: Bus, double: ServiceBusDouble
) -> None:
    await patient.send("plain", *(sent := [a_message() for _ in range(3)]))
    await patient.receive("plain", 3)

    double.cut()
    assert double.counts("plain") == Counts(active=0, locked=3)
    double.advance(61)

    received = await patient.receive("plain", 3)
    await patient.complete("plain", *received)
    assert [(one.message_id, one.delivery_count) for one in received] == [(one.message_id, 1) for one in sent]


async def test_a_message_is_completed_on_a_new_connection(patient: Bus, double: ServiceBusDouble) -> None:
    await patient.send("plain", a_message())
    message = await patient.one("plain")
    double.cut()

    await patient.complete("plain", message)

    assert double.counts("plain") == Counts(active=0, locked=0)


async def test_a_completion_whose_answer_was_lost_looks_like_a_lost_lock(
    patient: Bus, double: ServiceBusDouble
) -> None:
    await patient.send("plain", a_message())
    message = await patient.one("plain")
    double.inject(Fault("Complete", drop="after"))

    with pytest.raises(MessageLockLostError):
        await patient.complete("plain", message)

    assert double.counts("plain") == Counts(active=0, locked=0)


async def test_a_client_waits_while_connections_are_refused(patient: Bus, double: ServiceBusDouble) -> None:
    double.refuse_connections(0.2)

    await patient.send("plain", sent := a_message())

    assert await patient.take_all("plain", 1) == [str(sent)]


async def test_a_client_that_does_not_repeat_hears_that_connections_are_refused(
    bus: Bus, double: ServiceBusDouble
) -> None:
    double.refuse_connections(30)

    with pytest.raises(ServiceBusConnectionError):
        await bus.send("plain", a_message())

    double.refuse_connections(0)


async def test_a_link_can_be_refused(bus: Bus, double: ServiceBusDouble) -> None:
    double.inject(Fault("Attach", "burying", condition="amqp:resource-limit-exceeded"))

    with pytest.raises(ServiceBusError, match="resource-limit-exceeded"):
        await bus.send("burying", a_message())


async def test_a_fault_meets_only_what_it_names(bus: Bus, patient: Bus, double: ServiceBusDouble) -> None:
    double.inject(Fault("Send", "brief", condition=SERVER_BUSY), Fault("Abandon", condition=SERVER_BUSY))
    double.inject(Fault("Send", "plain", condition=SERVER_BUSY, skip=1))

    await bus.send("plain", a_message())
    await patient.take_all("plain", 1)

    with pytest.raises(ServiceBusServerBusyError):
        await bus.send("plain", a_message())
