"""The archive of an operator's folder between two commands: it applies, sends, fails and ages what the commands see."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Awaitable, Callable, Collection
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from local.queues import service_bus_message
from shared import bootstrap
from shared.adapters.sqlite_bus import SqliteBus
from shared.bootstrap import Application, utc_now
from shared.domain.dates import format_instant
from shared.inbound import NotApplied, consume
from shared.messages import CLOUD_EVENT, INBOUND_EVENTS, Message, subscription
from shared.settings import EmbeddedStore, Settings
from tests.ops.command_line import CODE
from tests.support import a_body, a_number

Result = TypeVar("Result")
ATTEMPTS = 10
"""How often a message is delivered before it is a dead letter, as infra/messaging.json says."""
UNREGISTERED = "99999999990"
"""The code of an institution that nobody registered."""


class Archive:
    """The archive in the file of a folder. It is opened for one step, under a clock that is behind by `age`."""

    def __init__(self, data: Path) -> None:
        self.file = data / "archive.db"

    def run(self, step: Callable[[Application], Awaitable[Result]], age: timedelta = timedelta(0)) -> Result:
        """Return the result of a step."""

        async def opened() -> Result:
            application = bootstrap.open_application(Settings(EmbeddedStore(self.file)), lambda: utc_now() - age)
            try:
                return await step(application)
            finally:
                await bootstrap.close()

        return asyncio.run(opened())

    def send(self, *bodies: object, age: timedelta = timedelta(0)) -> None:
        """Put events into the inbound queue, as services of pagoPA do. Bytes are sent as they are, others as JSON."""

        names = (body["id"] if isinstance(body, dict) else f"no-event-{n}" for n, body in enumerate(bodies))
        contents = (body if isinstance(body, bytes) else _json(body) for body in bodies)
        self.put(*map(Message, names, contents), age=age)

    def put(self, *messages: Message, age: timedelta = timedelta(0)) -> None:
        """Put messages into the inbound queue."""

        async def put(application: Application) -> None:
            for message in messages:
                await _bus(application).send(message)

        self.run(put, age)

    def reject(self, *bodies: object, age: timedelta = timedelta(0)) -> None:
        """Send events that can never be applied, and let the archive reject them."""
        self.send(*bodies, age=age)
        assert set(self.consume(age)) == {"rejected"}

    def consume(self, age: timedelta = timedelta(0)) -> list[str]:
        """Deliver each inbound event once, and return how each ended."""

        async def work(application: Application) -> list[str]:
            ends: list[str] = []
            bus = _bus(application)
            for delivery in await bus.receive(INBOUND_EVENTS, 1000):
                try:
                    ends.append(await consume(service_bus_message(delivery.queued), _at_once))
                except NotApplied as error:
                    ends.append(type(error).__name__)
                    await bus.abandon(delivery)
                else:
                    await bus.complete(delivery)
            return ends

        return self.run(work, age)

    def fail_to_apply(self) -> list[list[str]]:
        """Deliver the inbound events at every attempt while the store fails, and return how each attempt ended."""
        with closing(sqlite3.connect(self.file)) as file, file:
            file.execute("ALTER TABLE notices RENAME TO gone")
        ends = [self.consume() for _ in range(ATTEMPTS)]
        with closing(sqlite3.connect(self.file)) as file, file:
            file.execute("ALTER TABLE gone RENAME TO notices")
        return ends

    def relay(self, age: timedelta = timedelta(0)) -> int:
        """Send the events that are not sent yet to the topic, and return how many there were."""

        async def work(application: Application) -> int:
            assert application.relay is not None
            turn = await application.relay.reader.run(application.archive.clock() + timedelta(minutes=1))
            assert turn.failure is None
            return turn.events

        return self.run(work, age)

    def publish(self, *serials: int, age: timedelta = timedelta(0), code: str = CODE) -> None:
        """Publish notices, and send their events to the topic."""
        self.send(*(publication(serial, code, utc_now() - age) for serial in serials), age=age)
        assert set(self.consume(age)) == {"applied"}
        self.relay(age)

    def emit(self, *messages: Message) -> None:
        """Put messages into the topic, as no relay would."""
        self.run(lambda application: _bus(application).publish(messages))

    def drain(self, queue: str) -> list[Message]:
        """Take every message of a queue or a subscription, and return them."""

        async def take(application: Application) -> list[Message]:
            bus = _bus(application)
            deliveries = await bus.receive(queue, 1000)
            for delivery in deliveries:
                await bus.complete(delivery)
            return [delivery.queued.message for delivery in deliveries]

        return self.run(take)

    def fail(self, queue: str) -> None:
        """Deliver what a queue holds until each message is a dead letter."""

        async def fail(application: Application) -> None:
            bus = _bus(application)
            for _ in range(ATTEMPTS):
                for delivery in await bus.receive(queue, 1000):
                    await bus.abandon(delivery)

        self.run(fail)

    def held(self, name: str) -> list[str]:
        """Return the message ids that a subscription holds, `:r` without its number."""
        return self.ids(subscription(name))

    def ids(self, queue: str) -> list[str]:
        """Return the message ids that a queue holds, `:r` without its number. It takes none of them."""

        async def peek(application: Application) -> list[str]:
            return [without_number(queued.message.id) async for queued in _bus(application).peek(queue)]

        return self.run(peek)

    def execute(self, statement: str, *values: object) -> None:
        """Change the file behind the back of the archive."""
        with closing(sqlite3.connect(self.file)) as db, db:
            db.execute(statement, values)

    def rows(self, statement: str) -> Collection[Any]:
        """Return rows of the file."""
        with closing(sqlite3.connect(self.file)) as db:
            return db.execute(statement).fetchall()

    def damage(self, serial: int, document: bytes = b"{") -> None:
        """Replace the documents of the events of a notice."""
        self.execute("UPDATE events SET document = ? WHERE number = ?", document, a_number(serial))


def without_number(message_id: str) -> str:
    """Return the id of a message without the number of its repetition, which follows from where it was."""
    return re.sub(r"(?<=:[or])[0-9]+$", "", message_id)


def publication(serial: int, code: str = CODE, at: datetime | None = None, **changes: Any) -> dict[str, Any]:
    """Return an event of GPD: a notice is published."""
    return event("publish", serial, code, at, notice=a_body(**changes))


def receipt(serial: int, code: str = CODE, at: datetime | None = None, **changes: Any) -> dict[str, Any]:
    """Return an event of the payments node: a notice was paid."""
    paid_at = format_instant(at or utc_now())
    fields = {"receiptId": f"receipt-{serial}", "amount": 12050, "paidAt": paid_at, "pspId": "ABI03069"}
    return event("paid", serial, code, at, **fields | changes)


def line(serial: int, code: str = CODE, at: datetime | None = None, **changes: Any) -> dict[str, Any]:
    """Return an event of the settlement: a line of a flow."""
    day = (at or utc_now()).date().isoformat()
    fields = {"flowId": f"flow-{serial}", "amount": 12050, "outcomeCode": 0, "paymentDate": day}
    return event("reported", serial, code, at, **fields | changes)


def event(name: str, serial: int, code: str = CODE, at: datetime | None = None, **data: Any) -> dict[str, Any]:
    """Return an inbound event about the notice with this serial."""
    number = a_number(serial)
    return {
        "specversion": "1.0",
        "id": f"{name}-{code}-{serial}",
        "source": "/gpd",
        "type": f"it.pagopa.notice.{name}.v1",
        "subject": f"{code}/{number}",
        "time": format_instant(at or utc_now()),
        "data": {"creditorInstitution": code, "noticeNumber": number, **data},
    }


def a_message(message_id: str, body: bytes, **properties: str) -> Message:
    """Return a message of the topic that the archive did not make."""
    return Message(message_id, body, properties, None, CLOUD_EVENT)


def _bus(application: Application) -> SqliteBus:
    assert isinstance(application.bus, SqliteBus)
    return application.bus


def _json(body: object) -> bytes:
    return json.dumps(body).encode()


async def _at_once(_: float) -> None:
    """Do not wait for the notice that an early event is about."""
