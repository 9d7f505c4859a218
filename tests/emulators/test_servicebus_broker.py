"""The broker without a network, under a clock that stands still: locks, counts, ends, and the journal."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from emulators.servicebus.amqp.message import DATA, HEADER, MESSAGE_ANNOTATIONS, PROPERTIES, encode_section
from emulators.servicebus.amqp.values import Symbol, Timestamp, UInt
from emulators.servicebus.broker import Broker
from emulators.servicebus.content import Content
from emulators.servicebus.entities import Entities
from emulators.servicebus.journal import SqliteJournal
from emulators.servicebus.messages import Message
from emulators.servicebus.queue import Counts, Queue
from emulators.servicebus.refusals import LOCK_LOST, NOT_ALLOWED, NOT_FOUND, NOT_IMPLEMENTED, Refusal

BURIED = {"defaultMessageTimeToLive": "PT5S", "deadLetteringOnMessageExpiration": True}
ENTITIES = {
    "queues": {
        "q": {"maxDeliveryCount": 3},
        "lasting": {"maxDeliveryCount": 1000},
        "once": {"requiresDuplicateDetection": True, "duplicateDetectionHistoryTimeWindow": "PT1M"},
    },
    "topics": {
        "t": {"subscriptions": {"one": {}, "none": {"filter": "absent = 1"}}},
        "brief": {
            "defaultMessageTimeToLive": "PT10S",
            "subscriptions": {"longer": {"defaultMessageTimeToLive": "PT1M"}, "buried": BURIED},
        },
    },
}
DEAD = "q/$DeadLetterQueue"


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(eq=False)
class Receiver:
    """A receiver with credit, and what it was given."""

    credit: int = 0
    given: list[tuple[str, int, UUID]] = field(default_factory=list)
    """The id, the count and the token of each message."""

    def deliver(self, message: Message) -> None:
        assert message.lock
        self.credit -= 1
        self.given.append((message.content.message_id, message.delivery_count, message.lock.token))


@dataclass
class Bench:
    """A broker with a receiver for each queue that a test takes from."""

    broker: Broker
    clock: Clock
    receivers: dict[str, Receiver] = field(default_factory=dict)

    def send(self, path: str, *names: str) -> None:
        self.broker.publish(path, [a_content(name) for name in names])

    def take(self, path: str) -> tuple[str, int, UUID] | None:
        """Give one credit, and return what it brings."""
        if path not in self.receivers:
            self.receivers[path] = Receiver()
            self.broker.queue(path).subscribe(self.receivers[path])
        receiver = self.receivers[path]
        before = len(receiver.given)
        receiver.credit = 1
        self.broker.pass_time()
        self.broker.wake(self.broker.queue(path))
        self.broker.deliver()
        receiver.credit = 0
        return receiver.given[-1] if len(receiver.given) > before else None

    def advance(self, seconds: float) -> None:
        self.clock.now += seconds
        self.broker.pass_time()


def a_content(name: str) -> Content:
    """Return a message with an id."""
    return Content.parse(encode_section(PROPERTIES, [name]) + encode_section(DATA, b"body"))


@pytest.fixture
def bench() -> Bench:
    """Return a broker in memory."""
    clock = Clock()
    return Bench(Broker(Entities.parse(ENTITIES), None, clock), clock)


@pytest.fixture
def restarted(tmp_path: Path) -> Iterator[Callable[[], Bench]]:
    """Yield what starts a broker on the same journal, again and again, as after a kill."""
    clock, opened = Clock(), list[SqliteJournal]()

    def restart() -> Bench:
        for journal in opened:
            journal.close()
        opened.append(SqliteJournal(tmp_path / "journal.db"))
        return Bench(Broker(Entities.parse(ENTITIES), opened[-1], clock), clock)

    yield restart
    for journal in opened:
        journal.close()


def test_a_lock_ends_to_the_millisecond(bench: Bench) -> None:
    bench.send("q", "a")
    assert bench.take("q")

    bench.advance(59.999)
    assert bench.take("q") is None
    bench.advance(0.001)
    again = bench.take("q")

    assert again is not None
    assert again[:2] == ("a", 1)


def test_a_renewed_lock_ends_only_once(bench: Bench) -> None:
    bench.send("q", "a")
    _, _, token = bench.take("q") or pytest.fail("nothing came")
    bench.advance(30)
    bench.broker.queue("q").renew(token)
    bench.advance(59)
    assert bench.take("q") is None
    bench.advance(1)

    assert (bench.take("q") or ("",))[:2] == ("a", 1)
    assert bench.take("q") is None


def test_a_released_message_keeps_its_count(bench: Bench) -> None:
    bench.send("q", "a")
    _, _, token = bench.take("q") or pytest.fail("nothing came")

    bench.broker.queue("q").release(token)

    assert (bench.take("q") or ("",))[:2] == ("a", 0)


def test_a_token_counts_once(bench: Bench) -> None:
    bench.send("q", "a")
    _, _, token = bench.take("q") or pytest.fail("nothing came")
    queue = bench.broker.queue("q")
    queue.complete(token)

    for settle in (queue.complete, queue.release, queue.renew):
        with pytest.raises(Refusal) as refused:
            settle(token)
        assert refused.value.condition == LOCK_LOST


def test_receivers_are_served_in_turn(bench: Bench) -> None:
    receivers = [Receiver(credit=5), Receiver(credit=1), Receiver(credit=5)]
    for receiver in receivers:
        bench.broker.queue("q").subscribe(receiver)

    bench.send("q", "a", "b", "c", "d", "e")
    bench.broker.deliver()

    assert [[name for name, *_ in receiver.given] for receiver in receivers] == [["a", "d"], ["b"], ["c", "e"]]


def test_a_receiver_that_has_left_gets_nothing(bench: Bench) -> None:
    receiver = Receiver(credit=5)
    bench.broker.queue("q").subscribe(receiver)
    bench.broker.queue("q").unsubscribe(receiver)

    bench.send("q", "a")
    bench.broker.deliver()

    assert receiver.given == []


def test_a_dead_letter_cannot_be_dead_lettered(bench: Bench) -> None:
    bench.send("q", "a")
    _, _, token = bench.take("q") or pytest.fail("nothing came")
    bench.broker.queue("q").dead_letter(token, None, None, {})
    _, _, dead = bench.take(DEAD) or pytest.fail("nothing came")

    with pytest.raises(Refusal) as refused:
        bench.broker.queue(DEAD).dead_letter(dead, None, None, {})

    assert refused.value.condition == NOT_ALLOWED
    assert bench.broker.queue(DEAD).counts() == Counts(active=0, locked=1)


@pytest.mark.parametrize(
    ("path", "condition"),
    [
        ("t/Subscriptions/one", NOT_ALLOWED),
        (DEAD, NOT_ALLOWED),
        ("absent", NOT_FOUND),
        ("t/Subscriptions/absent", NOT_FOUND),
        ("", NOT_FOUND),
    ],
)
def test_messages_are_sent_only_to_queues_and_topics(bench: Bench, path: str, condition: str) -> None:
    with pytest.raises(Refusal) as refused:
        bench.send(path, "a")

    assert refused.value.condition == condition


@pytest.mark.parametrize("path", ["q", "/Q/", "t/subscriptions/ONE", "t/Subscriptions/one/$deadLETTERqueue"])
def test_a_path_is_read_without_case_and_outer_slashes(bench: Bench, path: str) -> None:
    assert bench.broker.queue(path).counts() == Counts(active=0, locked=0)


def test_a_message_without_an_id_gets_one(bench: Bench) -> None:
    bench.broker.publish("q", [Content.parse(encode_section(DATA, b"body"))])

    name, _, _ = bench.take("q") or pytest.fail("nothing came")

    assert name


@pytest.mark.parametrize("message_id", ["", "x" * 129])
def test_an_id_has_1_to_128_characters(message_id: str) -> None:
    with pytest.raises(Refusal) as refused:
        a_content(message_id)

    assert refused.value.condition == NOT_ALLOWED


def test_a_message_lives_as_long_as_its_topic_and_its_subscription_allow(bench: Bench) -> None:
    bench.send("brief", "a")
    longer, buried = (bench.broker.queue(f"brief/Subscriptions/{name}") for name in ("longer", "buried"))

    bench.advance(5)
    assert (longer.counts().active, buried.counts().active) == (1, 0)
    bench.advance(5)

    assert longer.counts().active == 0
    assert bench.broker.queue("brief/Subscriptions/longer/$DeadLetterQueue").counts().active == 0
    assert bench.broker.queue("brief/Subscriptions/buried/$DeadLetterQueue").counts().active == 1


def test_messages_that_are_gone_leave_nothing_behind(bench: Bench) -> None:
    for n in range(3000):
        bench.send("brief", f"{n}")
        for name in ("longer", "buried"):
            _, _, token = bench.take(f"brief/Subscriptions/{name}") or pytest.fail("nothing came")
            bench.broker.queue(f"brief/Subscriptions/{name}").complete(token)

    assert len(bench.broker._due) <= 1000
    assert bench.broker.queue("brief/Subscriptions/longer").peek(1, 1) == []


def test_a_message_that_is_scheduled_on_a_topic_is_refused(bench: Bench) -> None:
    scheduled = {Symbol("x-opt-scheduled-enqueue-time"): Timestamp(1)}
    content = Content.parse(encode_section(MESSAGE_ANNOTATIONS, scheduled) + encode_section(DATA, b"body"))

    with pytest.raises(Refusal) as refused:
        bench.broker.publish("brief", [content])

    assert refused.value.condition == NOT_IMPLEMENTED


def test_everything_outlives_the_process(restarted: Callable[[], Bench]) -> None:
    bench = restarted()
    bench.send("q", "a", "b", "dead")
    bench.send("t", "copy")
    for _ in range(2):
        _, _, token = bench.take("q") or pytest.fail("nothing came")
        bench.broker.queue("q").abandon(token, {"tries": 1})
    bench.take("q")
    _, _, token = bench.take("q") or pytest.fail("nothing came")
    _, _, last = bench.take("q") or pytest.fail("nothing came")
    bench.broker.queue("q").dead_letter(last, "r", "d", {})
    bench.broker.queue("q").complete(token)
    bench.broker.commit()

    bench = restarted()

    # "a" was locked for the third time when the process ended, and "b" was completed.
    assert bench.take("q") is None
    names = [(bench.take(DEAD) or ("",))[0] for _ in range(3)]
    assert names == ["a", "dead", ""]
    assert (bench.take("t/Subscriptions/one") or ("",))[0] == "copy"
    assert bench.broker.queue("t/Subscriptions/none").counts() == Counts(active=0, locked=0)


def test_a_lock_that_a_kill_ended_counts_as_a_delivery(restarted: Callable[[], Bench]) -> None:
    bench = restarted()
    bench.send("q", "a")
    bench.broker.commit()

    counts = []
    for _ in range(2):
        counts.append((bench.take("q") or pytest.fail("nothing came"))[1])
        bench.broker.commit()
        bench = restarted()

    assert counts == [0, 1]
    assert (bench.take("q") or ("",))[:2] == ("a", 2)


def test_a_sequence_number_is_never_given_twice(restarted: Callable[[], Bench]) -> None:
    bench = restarted()
    bench.send("q", "a")
    (first,) = bench.broker.queue("q").peek(1, 10)
    _, _, token = bench.take("q") or pytest.fail("nothing came")
    bench.broker.queue("q").complete(token)
    bench.broker.commit()

    bench = restarted()
    bench.send("q", "b")

    (second,) = bench.broker.queue("q").peek(1, 10)
    assert second.number > first.number


def test_message_ids_are_remembered_over_a_restart_and_forgotten_after_the_window(
    restarted: Callable[[], Bench],
) -> None:
    bench = restarted()
    bench.send("once", "a")
    bench.broker.commit()

    bench = restarted()
    bench.send("once", "a")
    assert bench.broker.queue("once").counts() == Counts(active=1, locked=0)

    bench.clock.now += 61
    bench = restarted()
    bench.send("once", "a")
    assert bench.broker.queue("once").counts() == Counts(active=2, locked=0)


def test_a_lock_is_lost_when_its_queue_is_cleared(bench: Bench) -> None:
    bench.send("q", "a")
    given = bench.take("q")
    assert given

    bench.broker.clear()

    assert bench.broker.queue("q").counts() == Counts(active=0, locked=0)
    with pytest.raises(Refusal) as refusal:
        bench.broker.queue("q").complete(given[2])
    assert refusal.value.condition == LOCK_LOST


def test_a_copy_has_the_number_that_its_topic_gave(bench: Bench) -> None:
    bench.send("t", "a")

    (copy,) = bench.broker.queue("t/subscriptions/one").peek(1, 10)
    assert copy.enqueued_number < copy.number


def test_a_message_that_was_scheduled_and_is_abandoned_comes_again_once(bench: Bench) -> None:
    when = {Symbol("x-opt-scheduled-enqueue-time"): Timestamp(int(bench.clock.now * 1000) + 1000)}
    content = encode_section(MESSAGE_ANNOTATIONS, when) + encode_section(PROPERTIES, ["a"])
    bench.broker.publish("q", [Content.parse(content + encode_section(DATA, b"body"))])
    bench.advance(2)
    given = bench.take("q")
    assert given
    bench.broker.queue("q").abandon(given[2], {})

    bench.advance(61)

    assert bench.take("q") is not None
    assert bench.take("q") is None


def test_an_id_whose_time_is_over_is_forgotten_and_younger_ones_are_not(bench: Bench) -> None:
    bench.send("once", "old")
    bench.advance(40)
    bench.send("once", "young")
    bench.advance(21)

    bench.send("once", "another", "young", "old")

    ids = [message.content.message_id for message in bench.broker.queue("once").peek(1, 10)]
    assert ids == ["old", "young", "another", "old"]


def test_a_message_expires_while_the_process_is_down(restarted: Callable[[], Bench]) -> None:
    bench = restarted()
    header = encode_section(HEADER, [None, None, UInt(5000)])
    bench.broker.publish("q", [Content.parse(header + encode_section(DATA, b"body"))])
    bench.broker.commit()

    bench.clock.now += 5
    bench = restarted()

    assert bench.broker.queue("q").counts() == Counts(active=0, locked=0)


def test_a_journal_of_other_entities_is_refused(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    broker = Broker(Entities.parse({"queues": {"gone": {}}}), journal, Clock())
    broker.publish("gone", [a_content("a")])
    broker.commit()
    journal.close()

    journal = SqliteJournal(tmp_path / "journal.db")
    with pytest.raises(ValueError, match="gone, which is not described"):
        Broker(Entities.parse(ENTITIES), journal, Clock())
    journal.close()


class AnyOrder(RuleBasedStateMachine):
    """Whatever is done in any order, with kills between: a message is in one place, and what is done is done."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory()
        self.clock = Clock()
        self.there: dict[str, int] = {}
        """The messages that are not completed, with their counts."""
        self.held: dict[str, UUID] = {}
        self.dead: set[str] = set()
        self._open()

    @rule()
    def kill(self) -> None:
        self.journal.close()
        self._open()
        self._lose_locks()

    @rule(number=st.integers(1, 3))
    def send(self, number: int) -> None:
        names = [uuid4().hex for _ in range(number)]
        self.bench.send("lasting", *names)
        self.there |= dict.fromkeys(names, 0)
        self.bench.broker.commit()

    @rule()
    def receive(self) -> None:
        free = [name for name in self.there if name not in self.held and name not in self.dead]
        given = self.bench.take("lasting")
        self.bench.broker.commit()
        assert (given is not None) == bool(free)
        if given:
            name, count, token = given
            # The oldest one comes first.
            assert (name, count) == (free[0], self.there[name])
            self.held[name] = token

    @precondition(lambda self: self.held)
    @rule(data=st.data(), how=st.sampled_from(["complete", "abandon", "release", "dead_letter", "renew"]))
    def settle(self, data: st.DataObject, how: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.held)))
        queue, token = self._queue(), self.held[name]
        if how == "renew":
            queue.renew(token)
            return
        del self.held[name]
        if how == "complete":
            queue.complete(token)
            del self.there[name]
        elif how == "abandon":
            queue.abandon(token, {})
            self.there[name] += 1
        elif how == "release":
            queue.release(token)
        else:
            queue.dead_letter(token, "r", None, {})
            self.dead.add(name)
        self.bench.broker.commit()

    @rule()
    def let_locks_end(self) -> None:
        self.bench.advance(61)
        self.bench.broker.commit()
        self._lose_locks()

    @invariant()
    def every_message_is_in_one_place(self) -> None:
        active = len(self.there) - len(self.held) - len(self.dead)
        assert self._queue().counts() == Counts(active, len(self.held))
        dead = self.bench.broker.queue("lasting/$DeadLetterQueue").peek(1, 1000)
        assert {message.content.message_id for message in dead} == self.dead

    def teardown(self) -> None:
        self.journal.close()
        self.directory.cleanup()

    def _open(self) -> None:
        self.journal = SqliteJournal(Path(self.directory.name) / "journal.db")
        self.bench = Bench(Broker(Entities.parse(ENTITIES), self.journal, self.clock), self.clock)

    def _queue(self) -> Queue:
        return self.bench.broker.queue("lasting")

    def _lose_locks(self) -> None:
        for name in self.held:
            self.there[name] += 1
        self.held.clear()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
