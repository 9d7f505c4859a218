"""The double on the wire: what a client may do, what ends a connection, and what no SDK of ours says."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from emulators.servicebus import Counts, Fault, Limits, ServiceBusDouble
from emulators.servicebus.amqp.encoder import encode
from emulators.servicebus.amqp.frames import AMQP_HEADER, EMPTY_FRAME, SASL_HEADER, Frame, write_frame, write_sasl
from emulators.servicebus.amqp.message import APPLICATION_PROPERTIES, DATA, HEADER, PROPERTIES, encode_section, sections
from emulators.servicebus.amqp.performatives import (
    COORDINATOR,
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Source,
    Transfer,
)
from emulators.servicebus.amqp.states import Accepted, Modified, Rejected, Released
from emulators.servicebus.amqp.values import Array, Described, Symbol, UByte, UInt, ULong
from emulators.servicebus.content import BATCH
from tests.emulators.amqp_client import RawClient, a_token, condition_of, connected

ENTITIES = {"queues": {"q": {}, "other": {}}, "topics": {"t": {"subscriptions": {"s": {}}}}}
MESSAGE = encode_section(PROPERTIES, ["id-1"]) + encode_section(DATA, b"body")
NOT_IMPLEMENTED = "amqp:not-implemented"


@pytest.fixture(autouse=True)
def no_errors_of_its_own(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Look that nothing surprised the double: the loop logs what a connection does not catch."""
    yield
    assert [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []


@pytest.fixture
async def double() -> AsyncIterator[ServiceBusDouble]:
    """Yield a double with two queues and a topic."""
    async with ServiceBusDouble.started(ENTITIES) as double:
        yield double


@pytest.fixture
async def client(double: ServiceBusDouble) -> AsyncIterator[RawClient]:
    """Yield a client with a session and a token for everything."""
    async with connected(double) as client:
        await client.open()
        for path in ("q", "t"):
            assert (await client.put_token(path))["status-code"] == 202
            for handle in (100, 101):
                client.send(Detach(handle=handle, closed=True))
                await client.expect(Detach)
        yield client


async def sent(client: RawClient, payload: bytes = MESSAGE, **options: Any) -> Described:
    """Send a message on the handle 0, and return the outcome."""
    client.transfer(0, payload, **options)
    disposition = await client.expect(Disposition)
    assert disposition.settled
    assert disposition.state
    return disposition.state


async def received(client: RawClient, credit: int = 1) -> tuple[Transfer, bytes]:
    """Give credit on the handle 1, and return the next message."""
    client.send(_credit(credit))
    while not isinstance((found := await client.next_with_payload())[0], Transfer):
        assert found[0] is not None
    return found[0], found[1]


def _credit(credit: int, delivery_count: int = 0, **options: Any) -> Flow:
    return Flow(
        next_incoming_id=1,
        incoming_window=1000,
        next_outgoing_id=1,
        outgoing_window=1000,
        handle=1,
        delivery_count=delivery_count,
        link_credit=credit,
        **options,
    )


async def test_a_message_is_sent_and_received_and_settled(client: RawClient, double: ServiceBusDouble) -> None:
    await client.attach(0, "amqps://127.0.0.1:5671/q", receives=False)
    assert (await sent(client)).descriptor == Accepted.CODE
    await client.attach(1, "/q", receives=True)
    transfer, payload = await received(client)

    assert transfer.delivery_tag
    assert payload.endswith(MESSAGE)
    client.send(Disposition(role=True, first=transfer.delivery_id or 0, state=Accepted().described()))
    settled = await client.expect(Disposition)

    assert (settled.settled, settled.state) == (True, Accepted().described())
    assert double.counts("q") == Counts(active=0, locked=0)


async def test_the_header_counts_deliveries_even_the_first(client: RawClient) -> None:
    await client.attach(0, "q", receives=False)
    await sent(client, encode_section(HEADER, [True, None, UInt(5000)]) + MESSAGE)
    await client.attach(1, "q", receives=True)

    _, payload = await received(client)

    header = next(section.fields() for section in sections(payload) if section.code == HEADER)
    assert header == [True, None, 5000, None, 0]


@pytest.mark.parametrize("by", ["link", "management"])
async def test_properties_given_with_an_abandon_are_on_the_message_when_it_comes_again(
    client: RawClient, by: str
) -> None:
    await client.attach(0, "q", receives=False)
    await client.attach(1, "q", receives=True)
    await sent(client, encode_section(APPLICATION_PROPERTIES, {"kept": 1, "tries": 0}) + encode_section(DATA, b"body"))
    transfer, _ = await received(client)
    changes: dict[object, object] = {Symbol("tries"): 1}

    if by == "link":
        state = Modified(delivery_failed=True, message_annotations=changes)
        client.send(Disposition(role=True, first=transfer.delivery_id or 0, state=state.described()))
        assert (await client.expect(Disposition)).state == state.described()
    else:
        await _abandon_by_management(client, transfer, changes)
    _, payload = await received(client, credit=2)

    found = {section.code: section.value for section in sections(payload)}
    assert found[APPLICATION_PROPERTIES] == {"kept": 1, "tries": 1}
    assert found[HEADER] == [None, None, None, None, 1]


async def _abandon_by_management(client: RawClient, transfer: Transfer, changes: dict[object, object]) -> None:
    await client.attach(2, "q/$management", receives=True)
    await client.attach(3, "q/$management", receives=False)
    token = UUID(bytes_le=transfer.delivery_tag)
    body = {"disposition-status": "abandoned", "lock-tokens": Array(0x98, [token]), "properties-to-modify": changes}
    answer = await client.ask(3, {"operation": "com.microsoft:update-disposition"}, body)
    assert answer["statusCode"] == 200


async def test_a_batch_is_stored_whole_or_not_at_all(client: RawClient, double: ServiceBusDouble) -> None:
    await client.attach(0, "q", receives=False)
    good, bad = encode_section(DATA, MESSAGE), encode_section(DATA, b"\x00\x53\x75no message")

    refused = Rejected.parse(await sent(client, good + bad, message_format=BATCH))

    assert condition_of(refused.error) == "amqp:invalid-field"
    assert double.counts("q") == Counts(active=0, locked=0)
    assert (await sent(client, good + good, message_format=BATCH)).descriptor == Accepted.CODE
    assert double.counts("q") == Counts(active=2, locked=0)


@pytest.mark.parametrize("payload", [b"", encode_section(PROPERTIES, ["id"])])
async def test_a_batch_without_messages_is_refused(client: RawClient, payload: bytes) -> None:
    await client.attach(0, "q", receives=False)

    refused = Rejected.parse(await sent(client, payload, message_format=BATCH))

    assert condition_of(refused.error) == "amqp:invalid-field"


async def test_a_refusal_has_three_fields(client: RawClient) -> None:
    """The SDK for Python fails over fewer, and the sender waits for ever."""
    await client.attach(0, "q", receives=False)

    outcome = await sent(client, b"\xff")

    (error,) = outcome.value if isinstance(outcome.value, list) else [None]
    assert isinstance(error, Described)
    assert isinstance(error.value, list)
    assert len(error.value) == 3


async def test_a_message_in_several_transfers_is_one(client: RawClient, double: ServiceBusDouble) -> None:
    await client.attach(0, "q", receives=False)
    client.send(Transfer(handle=0, delivery_id=0, delivery_tag=b"t", more=True), MESSAGE[:5])
    client.send(Transfer(handle=0, more=True), MESSAGE[5:9])
    client.send(Transfer(handle=0), MESSAGE[9:])

    assert (await client.expect(Disposition)).state == Accepted().described()
    assert double.counts("q") == Counts(active=1, locked=0)


async def test_a_transfer_that_is_aborted_is_forgotten(client: RawClient, double: ServiceBusDouble) -> None:
    await client.attach(0, "q", receives=False)
    client.send(Transfer(handle=0, delivery_id=0, delivery_tag=b"t", more=True), MESSAGE[:5])
    client.send(Transfer(handle=0, more=True, aborted=True))

    client.next_id = 1
    assert (await sent(client)).descriptor == Accepted.CODE
    assert double.counts("q") == Counts(active=1, locked=0)


async def test_a_message_that_is_sent_settled_is_not_answered(client: RawClient, double: ServiceBusDouble) -> None:
    await client.attach(0, "q", receives=False)
    client.transfer(0, MESSAGE, settled=True)

    client.send(End())

    await client.expect(End)
    assert double.counts("q") == Counts(active=1, locked=0)


async def test_a_receiver_that_drains_gives_its_credit_back(client: RawClient) -> None:
    await client.attach(0, "q", receives=False)
    await sent(client)
    await client.attach(1, "q", receives=True)

    client.send(_credit(10, drain=True))

    await client.expect(Transfer)
    flow = await client.expect(Flow)
    assert (flow.handle, flow.delivery_count, flow.link_credit, flow.drain) == (1, 10, 0, True)


async def test_no_more_messages_come_than_there_is_credit(client: RawClient, double: ServiceBusDouble) -> None:
    await client.attach(0, "q", receives=False)
    for _ in range(3):
        await sent(client)
    await client.attach(1, "q", receives=True)

    client.send(_credit(2, echo=True))

    await client.expect(Transfer)
    await client.expect(Transfer)
    assert (await client.expect(Flow)).link_credit == 0
    assert double.counts("q") == Counts(active=1, locked=2)


async def test_transfers_wait_for_the_window_of_the_session(client: RawClient) -> None:
    await client.attach(0, "q", receives=False)
    for _ in range(3):
        await sent(client)
    await client.attach(1, "q", receives=True)
    narrow = _credit(3)
    narrow.incoming_window = 4  # The answers to the tokens took ids, too.
    client.send(narrow)
    await client.expect(Transfer)

    client.send(_credit(3))

    await client.expect(Transfer)
    await client.expect(Transfer)


async def test_deliveries_are_numbered_one_by_one_however_many_frames_they_need(double: ServiceBusDouble) -> None:
    """The SDK for JavaScript closes the connection if a number is missing."""
    large = MESSAGE + encode_section(DATA, b"x" * 2000)
    async with connected(double) as client:
        await client.open(max_frame_size=512)
        await client.put_token("q")
        await client.attach(0, "q", receives=False)
        await client.attach(1, "q", receives=True)
        for _ in range(3):
            await sent(client, large)
        client.send(_credit(3))

        transfers = [await client.expect(Transfer)]
        while len({transfer.delivery_id for transfer in transfers}) < 3 or transfers[-1].more:
            transfers.append(await client.expect(Transfer))

    numbers = [transfer.delivery_id or 0 for transfer in transfers]
    assert len(numbers) > 3 * 4
    assert sorted(set(numbers)) == [*range(numbers[0], numbers[0] + 3)]


async def test_a_client_whose_connection_is_cut_gets_no_more_messages(
    client: RawClient, double: ServiceBusDouble
) -> None:
    await client.attach(0, "q", receives=False)
    await sent(client)
    await client.attach(1, "q", receives=True)
    await received(client, credit=10)

    double.cut()
    double.advance(61)

    assert double.counts("q") == Counts(active=1, locked=0)


@pytest.mark.parametrize(
    ("state", "operation", "counts"),
    [
        (Released(), "Release", Counts(active=1, locked=0)),
        (Modified(), "Abandon", Counts(active=1, locked=0)),
        (Rejected(), "DeadLetter", Counts(active=0, locked=0)),
    ],
)
async def test_an_outcome_that_is_settled_is_not_answered(
    client: RawClient, double: ServiceBusDouble, state: Any, operation: str, counts: Counts
) -> None:
    await client.attach(0, "q", receives=False)
    await sent(client)
    await client.attach(1, "q", receives=True)
    transfer, _ = await received(client)

    client.send(Disposition(role=True, first=transfer.delivery_id or 0, settled=True, state=state.described()))
    client.send(End())

    await client.expect(End)
    assert double.counts("q") == counts
    assert double.log.count(operation, "q", "") == 1


async def test_an_outcome_for_all_deliveries_there_could_be_is_for_those_there_are(
    client: RawClient, double: ServiceBusDouble
) -> None:
    await client.attach(0, "q", receives=False)
    await sent(client)
    await client.attach(1, "q", receives=True)
    await received(client)

    client.send(Disposition(role=True, first=0, last=0xFFFFFFFF, state=Accepted().described()))

    await client.expect(Disposition)
    assert double.counts("q") == Counts(active=0, locked=0)


@pytest.mark.parametrize(
    ("state", "condition"),
    [
        (Modified(undeliverable_here=True).described(), NOT_IMPLEMENTED),
        (Described(ULong(0x34), [b"transaction", None]), NOT_IMPLEMENTED),
    ],
)
async def test_an_outcome_that_the_double_does_not_do_leaves_the_lock(
    client: RawClient, double: ServiceBusDouble, state: Described, condition: str
) -> None:
    await client.attach(0, "q", receives=False)
    await sent(client)
    await client.attach(1, "q", receives=True)
    transfer, _ = await received(client)

    client.send(Disposition(role=True, first=transfer.delivery_id or 0, state=state))

    refused = Rejected.parse((await client.expect(Disposition)).state)
    assert condition_of(refused.error) == condition
    assert double.counts("q") == Counts(active=0, locked=1)


@pytest.mark.parametrize(
    ("receives", "address", "options", "condition"),
    [
        (True, "q", {"snd_settle_mode": 1}, NOT_IMPLEMENTED),
        (
            True,
            "q",
            {"source": Source(address="q", filter={Symbol("com.microsoft:session-filter"): None}).described()},
            NOT_IMPLEMENTED,
        ),
        (False, "", {"target": Described(ULong(COORDINATOR), [None])}, NOT_IMPLEMENTED),
        (False, "", {}, "amqp:invalid-field"),
        (False, "", {"target": None}, "amqp:invalid-field"),
        (True, "q/absent", {}, "amqp:not-found"),
        (True, "t/Subscriptions/absent", {}, "amqp:not-found"),
        (True, "t", {}, "amqp:not-allowed"),
        (False, "t/Subscriptions/s", {}, "amqp:not-allowed"),
        (False, "q/$DeadLetterQueue", {}, "amqp:not-allowed"),
        (True, "t/$management", {}, "amqp:not-allowed"),
        (True, "other", {}, "amqp:unauthorized-access"),
        (False, "q2", {}, "amqp:unauthorized-access"),
    ],
)
async def test_a_link_that_is_refused_has_only_one_end_and_is_detached(
    client: RawClient, receives: bool, address: str, options: dict[str, Any], condition: str
) -> None:
    attached = await client.attach(0, address, receives, **options)
    detached = await client.expect(Detach)

    assert (attached.source if receives else attached.target) is None
    assert detached.closed
    assert condition_of(detached.error) == condition
    # The session and its other links live on.
    await client.attach(0, "q", receives=False)
    assert (await sent(client)).descriptor == Accepted.CODE


async def test_a_message_in_a_transaction_is_refused(client: RawClient) -> None:
    await client.attach(0, "q", receives=False)

    refused = Rejected.parse(await sent(client, state=Described(ULong(0x34), [b"transaction"])))

    assert condition_of(refused.error) == NOT_IMPLEMENTED


@pytest.mark.parametrize(
    ("operation", "body", "status"),
    [
        ("com.microsoft:renew-lock", {"lock-tokens": Array(0x98, [uuid4()])}, 410),
        ("com.microsoft:renew-lock", {"lock-tokens": []}, 400),
        ("com.microsoft:renew-lock", None, 400),
        ("com.microsoft:peek-message", {"from-sequence-number": 1, "message-count": 1}, 204),
        ("com.microsoft:peek-message", {"from-sequence-number": "one"}, 400),
        ("com.microsoft:update-disposition", {"disposition-status": "x", "lock-tokens": [uuid4()]}, 400),
        ("com.microsoft:update-disposition", {"disposition-status": "defered", "lock-tokens": [uuid4()]}, 501),
        ("com.microsoft:update-disposition", {"disposition-status": "completed", "lock-tokens": [uuid4()]}, 410),
        ("com.microsoft:schedule-message", {"messages": []}, 501),
        ("com.microsoft:receive-by-sequence-number", {"sequence-numbers": []}, 501),
        ("com.microsoft:add-rule", {}, 501),
        (None, {}, 501),
    ],
)
async def test_a_management_node_answers_with_a_status(
    client: RawClient, operation: str | None, body: object, status: int
) -> None:
    await client.attach(2, "q/$management", receives=True)
    await client.attach(3, "q/$management", receives=False)

    answer = await client.ask(3, {"operation": operation}, body)

    assert answer["statusCode"] == status
    assert ("errorCondition" in answer) == (status >= 400)


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (a_token("sb://127.0.0.1/q", key="other"), "InvalidSignature"),
        (a_token("sb://127.0.0.1/q", key_name="other"), "InvalidSignature"),
        (a_token("sb://127.0.0.1/q", ends=time.time() - 1), "ExpiredToken"),
        (a_token("sb://127.0.0.1/other"), "InvalidAudience"),
        ("eyJhbGciOiJub25lIn0", "MalformedToken"),
        ("SharedAccessSignature sr=q", "MalformedToken"),
        ("SharedAccessSignature sr=q&sig=%&se=x&skn=RootManageSharedAccessKey", "InvalidSignature"),
    ],
)
async def test_a_token_that_is_not_good_opens_nothing(double: ServiceBusDouble, token: str, said: str) -> None:
    async with connected(double) as client:
        await client.open()

        answer = await client.put_token("q", token)

        assert answer["status-code"] == 401
        assert said in str(answer["status-description"])
        await client.attach(0, "q", receives=False)
        assert condition_of((await client.expect(Detach)).error) == "amqp:unauthorized-access"


async def test_a_token_for_the_namespace_opens_every_entity(double: ServiceBusDouble) -> None:
    async with connected(double) as client:
        await client.open()
        assert (await client.put_token("q", a_token("sb://127.0.0.1/")))["status-code"] == 202


async def test_a_token_for_a_management_node_opens_that_node_alone(double: ServiceBusDouble) -> None:
    """The SDK for JavaScript puts one before it attaches there, and may have no other on a new connection."""
    async with connected(double) as client:
        await client.open()
        assert (await client.put_token("q/$management"))["status-code"] == 202

        assert (await client.attach(0, "q/$management", receives=False)).target is not None
        assert (await client.attach(1, "q", receives=False)).target is None


async def test_a_client_without_a_token_gets_nothing(double: ServiceBusDouble) -> None:
    async with connected(double) as client:
        await client.open()
        for handle, address in enumerate(("q", "q/$management", "t", "absent")):
            await client.attach(handle, address, receives=False)
            assert condition_of((await client.expect(Detach)).error) == "amqp:unauthorized-access"


async def test_frames_on_a_session_that_has_ended_are_ignored(client: RawClient) -> None:
    """The SDK for Python detaches its links after it has ended their session."""
    await client.attach(0, "q", receives=False)
    client.send(End())
    await client.expect(End)

    client.send(Detach(handle=0, closed=True))
    client.send(Begin(next_outgoing_id=0, incoming_window=1, outgoing_window=1), channel=1)

    assert (await client.expect(Begin)).remote_channel == 1


async def test_a_connection_that_is_closed_is_closed(client: RawClient) -> None:
    client.send(Close())

    await client.expect(Close)
    assert await client.next() is None


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x00\x04\x02\x00\x00\x00",
        b"\xff\xff\xff\xff\x02\x00\x00\x00",
        write_frame(0, b"\x40"),
        write_frame(0, b"\x00\x53\x99\x45"),
        write_frame(0, b"\x00\x45\x45"),
        write_frame(0, Begin(next_outgoing_id=0, incoming_window=1, outgoing_window=1).encode()),
        write_frame(0, b"\x00\x53\x12\x45"),
        write_frame(0, b"\x00\x53\x14\xc0\x00\x00"),
        write_frame(0, b"\x00\x53\x12\xc0\x09\x03\xa1\x01x\x70\x00\x00\x01\x00\x41"),
    ],
)
async def test_what_is_no_amqp_ends_the_connection_with_a_reason(client: RawClient, data: bytes) -> None:
    client.write(data)

    closed = await client.expect(Close)

    assert condition_of(closed.error) == "amqp:connection:framing-error"
    assert await client.next() is None


async def test_a_handle_is_used_once_at_a_time(client: RawClient) -> None:
    await client.attach(0, "q", receives=False)
    client.send(Attach(name="again", handle=0, role=False))

    assert condition_of((await client.expect(Close)).error) == "amqp:connection:framing-error"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=40), max_size=4), st.booleans())
async def test_whatever_bytes_come_other_clients_are_served(
    double: ServiceBusDouble, parts: list[bytes], is_framed: bool
) -> None:
    async with connected(double) as wild:
        await wild.open()
        for part in parts:
            wild.write(write_frame(0, part) if is_framed else part)
        await asyncio.sleep(0)

    async with connected(double) as client:
        await client.open()


FIELDS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 3).map(UInt),
    st.integers(0, 3).map(UByte),
    st.just("q"),
    st.binary(max_size=3),
    st.just(Source(address="q").described()),
    st.just(Accepted().described()),
    st.just(Modified(message_annotations={None: {1: 2}}).described()),
    st.just({}),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0x10, 0x18), st.lists(FIELDS, max_size=12), st.binary(max_size=9)), max_size=6))
async def test_whatever_performatives_come_other_clients_are_served(
    double: ServiceBusDouble, said: list[tuple[int, list[object], bytes]]
) -> None:
    async with connected(double) as wild:
        await wild.open()
        await wild.put_token("q")
        await wild.attach(0, "q", receives=False)
        await wild.attach(1, "q", receives=True)
        wild.transfer(0, MESSAGE)
        wild.send(_credit(1))
        await wild.expect(Disposition)
        for code, fields, payload in said:
            wild.write(write_frame(0, encode(Described(ULong(code), fields)), payload))
        await asyncio.sleep(0.001)

    async with connected(double) as client:
        await client.open()


@pytest.mark.parametrize(
    "hello", [b"GET / HTTP/1.1\r\n\r\n", b"AMQP\x00\x00\x09\x01", b"\x16\x03\x01\x00\xa5\x01\x00\x00"]
)
async def test_another_protocol_is_answered_with_the_header_of_this_one(double: ServiceBusDouble, hello: bytes) -> None:
    async with connected(double) as client:
        client.write(hello)

        assert await client.part() == AMQP_HEADER
        assert await client.part() is None


async def test_a_client_that_presents_itself_otherwise_is_refused(double: ServiceBusDouble) -> None:
    async with connected(double) as client:
        client.write(SASL_HEADER + write_sasl(SaslInit(mechanism="PLAIN")))
        assert await client.part() == SASL_HEADER
        offered = await client.expect(SaslMechanisms)

        assert isinstance(offered.mechanisms, Array)
        assert "ANONYMOUS" in offered.mechanisms.items
        assert (await client.expect(SaslOutcome)).code == 1
        assert await client.part() is None


async def test_a_client_that_wants_to_hear_something_gets_empty_frames(double: ServiceBusDouble) -> None:
    async with connected(double) as client:
        opened = await client.open(idle_time_out=100)
        assert opened.idle_time_out == 240_000

        part = await client.part()

        assert isinstance(part, Frame)
        assert part.performative is None


async def test_a_connection_that_is_silent_is_closed() -> None:
    async with (
        ServiceBusDouble.started(ENTITIES, limits=Limits(connection_idle=0.2)) as double,
        connected(double) as client,
    ):
        await client.open()
        for _ in range(3):
            await asyncio.sleep(0.1)
            client.write(EMPTY_FRAME)

        closed = await client.expect(Close)

        assert condition_of(closed.error) == "amqp:connection:forced"
        assert await client.next() is None


async def test_a_link_that_is_not_used_is_detached() -> None:
    async with (
        ServiceBusDouble.started(ENTITIES, limits=Limits(link_idle=0.2)) as double,
        connected(double) as client,
    ):
        await client.open()
        await client.put_token("q")
        await client.attach(0, "q", receives=False)

        ended = [await client.expect(Detach) for _ in range(3)]

        assert {detach.handle for detach in ended} == {0, 100, 101}
        assert {condition_of(detach.error) for detach in ended} == {"amqp:link:detach-forced"}


async def test_an_answer_that_a_fault_keeps_back_never_comes(client: RawClient, double: ServiceBusDouble) -> None:
    await client.attach(0, "q", receives=False)
    double.inject(Fault("Send", hang="before"), Fault("Send", hang="after"))
    for _ in range(2):
        client.transfer(0, MESSAGE)

    assert (await sent(client)).descriptor == Accepted.CODE
    assert double.counts("q") == Counts(active=2, locked=0)
    assert [one.condition for one in double.log if one.name == "Send"] == ["unanswered", "unanswered", ""]
