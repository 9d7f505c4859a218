"""What the bus on Service Bus does when the service is busy, gone or silent, and with what is too large for it."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from azure.servicebus.aio import ServiceBusClient
from azure.servicebus.amqp import AmqpAnnotatedMessage, AmqpMessageProperties

from emulators.servicebus import Fault, ServiceBusDouble
from shared.adapters.service_bus import ServiceBus
from shared.bootstrap import utc_now
from shared.messages import (
    DEAD_LETTERS,
    INBOUND_EVENTS,
    INBOUND_REJECTED,
    NOTICE_EVENTS,
    Delivery,
    Message,
    entities,
    subscription,
)
from shared.ports import BusUnavailable, LockLost, MessageTooLarge
from shared.settings import ServiceBusNamespace
from tests.conformance.servicebus.support import leaves_sockets_open
from tests.contracts.bus import a_message, bury, ids, peeked, received_from

pytestmark = [pytest.mark.asyncio(loop_scope="module"), *leaves_sockets_open]

KIB = 1024
MINUTE = 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def namespace() -> AsyncIterator[tuple[ServiceBusDouble, ServiceBus]]:
    """Yield a double with the entities of the archive, and one bus: to close a link takes a second."""
    async with ServiceBusDouble.started(entities()) as double:
        bus = ServiceBus(ServiceBusNamespace(connection_string=double.connection_string), utc_now, wait=0.1)
        yield double, bus
        await bus.close()
        # Else what the SDK left open would be found in the test of another module.
        gc.collect()


@pytest.fixture
def double(namespace: tuple[ServiceBusDouble, ServiceBus]) -> ServiceBusDouble:
    """Return the double, empty and without faults."""
    double, _ = namespace
    double.faults.clear()
    double.clear()
    double.log.clear()
    return double


@pytest.fixture
def bus(namespace: tuple[ServiceBusDouble, ServiceBus], double: ServiceBusDouble) -> ServiceBus:
    """Return the bus on it. Its links may be open."""
    return namespace[1]


@pytest_asyncio.fixture(loop_scope="module")
async def unused(double: ServiceBusDouble) -> AsyncIterator[ServiceBus]:
    """Yield another bus, whose links are not open yet."""
    bus = ServiceBus(ServiceBusNamespace(connection_string=double.connection_string), utc_now, wait=0.1)
    yield bus
    await bus.close()


async def test_the_links_stay_open(double: ServiceBusDouble, bus: ServiceBus) -> None:
    for n in range(4):
        await bus.send(a_message(str(n)))
        await bus.publish([a_message(str(n))])
        await bus.complete(await received_from(bus))
        if n == 0:
            double.log.clear()

    assert (double.log.count("Attach"), double.log.count("Send"), double.log.count("Complete")) == (0, 6, 3)


async def test_many_messages_go_out_in_as_few_batches_as_their_size_allows(
    double: ServiceBusDouble, bus: ServiceBus
) -> None:
    await bus.publish([a_message(str(n), b"x" * 60 * KIB) for n in range(10)])

    assert double.log.count("Send") == 3
    assert ids(await peeked(bus, subscription("all"))) == [str(n) for n in range(10)]


async def test_a_message_that_is_too_large_is_refused_and_those_before_it_are_sent(
    double: ServiceBusDouble, bus: ServiceBus
) -> None:
    large = a_message("large", b"x" * 300 * KIB)

    await bus.publish([a_message("zero")])
    double.log.clear()

    for messages in ([a_message("one"), large, a_message("two")], [large]):
        with pytest.raises(MessageTooLarge):
            await bus.publish(messages)
    await bus.publish([a_message("three")])

    assert double.log.count("Attach", NOTICE_EVENTS) == 0
    assert ids(await peeked(bus, subscription("all"))) == ["zero", "one", "three"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("Send", condition="com.microsoft:server-busy"),
        Fault("Send", drop="before"),
        Fault("Send", drop="after"),
    ],
    ids=["busy", "cut before", "cut after"],
)
async def test_a_link_that_fails_once_after_it_was_open_is_opened_again_at_once(
    double: ServiceBusDouble, bus: ServiceBus, fault: Fault
) -> None:
    await bus.send(a_message("one"))
    double.inject(fault)

    await bus.send(a_message("two"))

    assert ids(await peeked(bus, INBOUND_EVENTS)) == ["one", "two"]


async def test_a_service_that_stays_busy_is_an_unavailable_bus(double: ServiceBusDouble, bus: ServiceBus) -> None:
    double.inject(Fault("Send", condition="com.microsoft:server-busy", times=None))

    with pytest.raises(BusUnavailable):
        await bus.publish([a_message("one")])
    double.faults.clear()
    await bus.publish([a_message("one")])

    assert ids(await peeked(bus, subscription("all"))) == ["one"]


async def test_a_batch_that_fails_half_way_is_sent_again_and_nothing_is_doubled(
    double: ServiceBusDouble, bus: ServiceBus
) -> None:
    messages = [a_message(str(n), b"x" * 60 * KIB) for n in range(10)]
    double.inject(Fault("Send", skip=1, times=None, drop="after"))
    with pytest.raises(BusUnavailable):
        await bus.publish(messages)
    double.faults.clear()

    await bus.publish(messages)

    assert ids(await peeked(bus, subscription("all"))) == [str(n) for n in range(10)]


async def refused_at(work: Callable[[], Awaitable[object]]) -> float:
    """Return after how many seconds the work fails because the bus is not available."""
    started = asyncio.get_running_loop().time()
    with pytest.raises(BusUnavailable):
        await work()
    return asyncio.get_running_loop().time() - started


async def test_while_connections_are_refused_each_use_fails_at_once(double: ServiceBusDouble, bus: ServiceBus) -> None:
    await bus.send(a_message("one"))
    held = await received_from(bus)
    double.refuse_connections(MINUTE)

    for work in (
        lambda: bus.send(a_message("two")),
        lambda: bus.publish([a_message("two")]),
        lambda: bus.reject(a_message("two"), "malformed", ""),
        lambda: bus.receive(INBOUND_EVENTS, 1),
        lambda: peeked(bus, INBOUND_EVENTS),
        lambda: anext(bus.take(f"{INBOUND_EVENTS}{DEAD_LETTERS}", [1])),
    ):
        assert await refused_at(work) < 5
    with pytest.raises((BusUnavailable, LockLost)):
        await bus.complete(held)
    double.refuse_connections(0)
    double.advance(MINUTE + 1)

    again = await received_from(bus)
    assert (again.queued.message.id, again.queued.delivery_count) == ("one", 2)


async def test_a_service_that_is_silent_is_given_up_after_ten_seconds(
    double: ServiceBusDouble, bus: ServiceBus
) -> None:
    double.inject(Fault("Attach", hang="before", times=None))
    double.cut()

    assert 9 < await refused_at(lambda: bus.send(a_message("one"))) < 15
    double.faults.clear()
    await bus.send(a_message("one"))

    assert ids(await peeked(bus, INBOUND_EVENTS)) == ["one"]


@pytest.mark.parametrize("settle", [ServiceBus.complete, ServiceBus.abandon, ServiceBus.renew])
async def test_a_lock_that_ended_is_lost(
    double: ServiceBusDouble, bus: ServiceBus, settle: Callable[..., Awaitable[None]]
) -> None:
    await bus.send(a_message("one"))
    delivery = await received_from(bus)
    double.advance(MINUTE + 1)

    with pytest.raises(LockLost):
        await settle(bus, delivery)


async def test_a_lock_that_is_renewed_is_kept(double: ServiceBusDouble, bus: ServiceBus) -> None:
    await bus.send(a_message("one"))
    delivery = await received_from(bus)
    for _ in range(3):
        double.advance(MINUTE * 0.7)
        await bus.renew(delivery)

    await bus.complete(delivery)

    assert await peeked(bus, INBOUND_EVENTS) == []


async def test_a_receiver_whose_connection_was_cut_is_replaced_at_once(
    double: ServiceBusDouble, bus: ServiceBus
) -> None:
    await bus.send(a_message("one"))
    await bus.complete(await received_from(bus))
    await bus.send(a_message("two"))
    double.cut()

    assert (await received_from(bus)).queued.message.id == "two"


async def test_a_receiver_whose_settlement_failed_receives_nothing_more(
    double: ServiceBusDouble, unused: ServiceBus
) -> None:
    await unused.send(a_message("one"))
    delivery = await received_from(unused)
    await unused.send(a_message("two"))
    double.inject(Fault("Complete", condition="com.microsoft:server-busy"))
    double.log.clear()

    with pytest.raises(BusUnavailable):
        await unused.complete(delivery)
    await received_from(unused)

    assert double.log.count("Attach", INBOUND_EVENTS) == 1


async def test_a_receiver_with_a_message_in_work_receives_no_other(
    double: ServiceBusDouble, unused: ServiceBus
) -> None:
    for name in ("one", "two", "three"):
        await unused.send(a_message(name))
    one = await received_from(unused)
    double.log.clear()

    await unused.complete(await received_from(unused))
    await unused.complete(one)
    await unused.complete(await received_from(unused))

    assert double.log.count("Attach", INBOUND_EVENTS) == 1


async def test_a_take_that_is_cut_keeps_what_was_not_removed(double: ServiceBusDouble, bus: ServiceBus) -> None:
    for n in range(3):
        await bury(bus, str(n))
    dead = f"{INBOUND_EVENTS}{DEAD_LETTERS}"
    positions = [each.position for each in await peeked(bus, dead)]
    taken: list[str] = []

    async def take() -> None:
        async for each in bus.take(dead, positions):
            taken.append(each.message.id)
            if len(taken) == 2:
                double.cut()

    with pytest.raises((BusUnavailable, LockLost)):
        await take()

    assert ids(await peeked(bus, dead)) == ["1", "2"]
    double.advance(MINUTE + 1)
    assert [each.message.id async for each in bus.take(dead, positions)] == ["1", "2"]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda given: given.replace("SAS_KEY_VALUE", "another"),
        lambda given: given.replace("SharedAccessKeyName=Root", "SharedAccessKeyName=No"),
    ],
    ids=["key", "name of the key"],
)
async def test_a_key_that_is_wrong_is_an_unavailable_bus(double: ServiceBusDouble, wrong: Callable[[str], str]) -> None:
    bus = ServiceBus(ServiceBusNamespace(connection_string=wrong(double.connection_string)), utc_now)

    await refused_at(lambda: bus.send(a_message("one")))

    await bus.close()


async def test_a_bus_that_was_never_used_is_closed_without_a_word(double: ServiceBusDouble) -> None:
    await ServiceBus(ServiceBusNamespace(connection_string=double.connection_string), utc_now).close()

    assert double.log.count() == 0


async def test_whoever_waits_for_the_sdk_and_gives_up_harms_no_other(double: ServiceBusDouble) -> None:
    bus = ServiceBus(ServiceBusNamespace(connection_string=double.connection_string), utc_now, wait=0.1)
    impatient = asyncio.create_task(bus.send(a_message("one")))
    patient = asyncio.create_task(bus.send(a_message("two")))
    await asyncio.sleep(0)
    impatient.cancel()

    await patient

    assert "two" in ids(await peeked(bus, INBOUND_EVENTS))
    await bus.close()


async def test_a_message_with_any_properties_is_rejected_with_all_of_them(bus: ServiceBus) -> None:
    odd: dict[str, Any] = {"yes": True, "n": -1, "large": 2**40, "half": 0.5, "none": None, "many": [1, {"a": b"b"}]}

    await bus.reject(
        Message("ä€", "città".encode(), {"città": "è", **odd}, None, "text/plain"), "malformed", "It is odd"
    )

    [rejected] = await peeked(bus, INBOUND_REJECTED)
    assert rejected.message == Message(
        "ä€",
        "città".encode(),
        {
            "città": "è",
            "yes": True,
            "n": -1,
            "large": "1099511627776",
            "half": "0.5",
            "none": "None",
            "many": "[1, {'a': b'b'}]",
            "reason": "malformed",
            "description": "It is odd",
        },
        None,
        "text/plain",
    )


async def test_a_message_of_any_kind_is_shown_and_received(double: ServiceBusDouble, bus: ServiceBus) -> None:
    """Another client may send what the archive never sends. It must not hide the messages beside it."""
    named = UUID("607b049b-4439-4b36-b83f-e983459f8c6b")
    odd = [
        AmqpAnnotatedMessage(value_body=5, properties=AmqpMessageProperties(message_id=named)),
        AmqpAnnotatedMessage(value_body=None, properties=AmqpMessageProperties(message_id=0)),  # type: ignore[arg-type]
        AmqpAnnotatedMessage(value_body={"a": 1}, properties=AmqpMessageProperties(message_id=b"bytes")),
        AmqpAnnotatedMessage(value_body="citt\u00e0"),
        AmqpAnnotatedMessage(sequence_body=[[1, 2], [3]]),
        AmqpAnnotatedMessage(data_body=[b"one", b"two"]),
    ]
    async with (
        ServiceBusClient.from_connection_string(double.connection_string) as client,
        client.get_queue_sender(INBOUND_EVENTS) as sender,
    ):
        for message in odd:
            await sender.send_messages(message)

    found = [(each.message.id, each.message.body) for each in await peeked(bus, INBOUND_EVENTS)]

    assert found[:3] == [(str(named), b"5"), ("0", b"None"), ("bytes", b"{b'a': 1}")]
    assert [body for _, body in found[3:]] == ["citt\u00e0".encode(), b"[[1, 2], [3]]", b"onetwo"]
    received = [(await received_from(bus)).queued.message for _ in odd]
    assert [(message.id, message.body) for message in received] == found


async def test_a_message_does_not_wait_for_those_in_work(double: ServiceBusDouble, bus: ServiceBus) -> None:
    in_work: list[Delivery] = []
    for n in range(5):
        assert await bus.receive(INBOUND_EVENTS, 16) == []
        await bus.send(a_message(str(n)))
        started = asyncio.get_running_loop().time()
        in_work.append(await received_from(bus))
        assert asyncio.get_running_loop().time() - started < 2.5
        if n == 2:
            await bus.complete(in_work.pop(0))

    assert double.log.count("Release") == 0
    for delivery in in_work:
        await bus.complete(delivery)


async def test_a_bus_that_is_closed_opens_nothing_again(double: ServiceBusDouble) -> None:
    bus = ServiceBus(ServiceBusNamespace(connection_string=double.connection_string), utc_now)
    await bus.send(a_message("one"))
    await bus.close()
    double.log.clear()

    for work in (lambda: bus.send(a_message("two")), lambda: bus.receive(INBOUND_EVENTS, 1)):
        await refused_at(work)
    assert double.log.count() == 0


async def test_a_connection_string_that_the_sdk_refuses_is_an_unavailable_bus() -> None:
    bus = ServiceBus(ServiceBusNamespace(connection_string="Endpoint=sb://a.example/;no"), utc_now)

    await refused_at(lambda: bus.send(a_message("one")))
    await bus.close()
