"""A client that says any AMQP it likes: what no SDK says, and what is none."""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import quote_plus

from emulators.servicebus import KEY, KEY_NAME, ServiceBusDouble
from emulators.servicebus.amqp.composite import Composite
from emulators.servicebus.amqp.frames import AMQP_HEADER, SASL_HEADER, Frame, FrameBuffer, write_frame, write_sasl
from emulators.servicebus.amqp.message import APPLICATION_PROPERTIES, PROPERTIES, VALUE, encode_section, sections
from emulators.servicebus.amqp.performatives import (
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Open,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Source,
    Target,
    Transfer,
)
from emulators.servicebus.amqp.states import Error
from emulators.servicebus.amqp.values import Described

PATIENCE = 5.0

_Kind = TypeVar("_Kind", bound=Composite)
_KINDS: dict[object, type[Composite]] = {
    kind.CODE: kind
    for kind in (
        *(Open, Begin, Attach, Flow, Transfer, Disposition, Detach, End, Close),
        *(SaslMechanisms, SaslOutcome),
    )
}


class RawClient:
    """A connection with one session on channel 0."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = FrameBuffer()
        self._parts: list[Frame | bytes] = []
        self.next_id = 0

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)

    def send(self, performative: Composite, payload: bytes = b"", channel: int = 0) -> None:
        """Send a performative."""
        self.write(write_frame(channel, performative.encode(), payload))

    async def part(self) -> Frame | bytes | None:
        """Return the next frame, empty or not, or protocol header. None: the double has closed the connection."""
        async with asyncio.timeout(PATIENCE):
            while not self._parts:
                try:
                    data = await self._reader.read(65536)
                except ConnectionError:
                    return None
                if not data:
                    return None
                self._buffer.add(data)
                self._parts += [*self._buffer]
        return self._parts.pop(0)

    async def next(self) -> Composite | None:
        """Return the next performative."""
        return (await self.next_with_payload())[0]

    async def next_with_payload(self) -> tuple[Composite | None, bytes]:
        """Return the next performative, with the bytes behind it. None: the double has closed the connection."""
        while (part := await self.part()) is not None:
            if isinstance(part, Frame) and part.performative:
                return _KINDS[part.performative.descriptor].parse(part.performative), part.payload
        return None, b""

    async def expect(self, kind: type[_Kind]) -> _Kind:
        """Return the next performative of a kind, and skip flows before it."""
        while isinstance(found := await self.next(), Flow) and kind is not Flow:
            pass
        assert isinstance(found, kind), found
        return found

    def expect_header(self) -> None:
        """Say that the double's next bytes are a protocol header."""
        self._buffer.expect_header()

    async def open(self, **options: Any) -> Open:
        """Shake hands, open the connection, begin a session, and return what the double says of itself."""
        self.write(SASL_HEADER + write_sasl(SaslInit(mechanism="ANONYMOUS")))
        assert await self.part() == SASL_HEADER
        await self.expect(SaslMechanisms)
        assert (await self.expect(SaslOutcome)).code == 0
        self._buffer.expect_header()
        self.write(AMQP_HEADER)
        self.send(Open(container_id="raw", **options))
        self.send(Begin(next_outgoing_id=0, incoming_window=1000, outgoing_window=1000))
        assert await self.part() == AMQP_HEADER
        opened = await self.expect(Open)
        await self.expect(Begin)
        return opened

    async def attach(self, handle: int, address: str, receives: bool, **options: Any) -> Attach:
        """Attach a link, and return the answer."""
        source = Source(address=address if receives else "here").described()
        target = Target(address="here" if receives else address).described()
        given = {"source": source, "target": target, "initial_delivery_count": None if receives else 0, **options}
        self.send(Attach(name=f"link-{handle}", handle=handle, role=receives, **given))
        return await self.expect(Attach)

    async def ask(self, handle: int, arguments: dict[str, Any], body: object) -> dict[object, object]:
        """Send a request on a link, and return the application properties and the body of the answer."""
        parts = ((PROPERTIES, ["id-1"]), (APPLICATION_PROPERTIES, arguments), (VALUE, body))
        self.transfer(handle, b"".join(encode_section(code, value) for code, value in parts))
        answer: dict[object, object] = {}
        async with asyncio.timeout(PATIENCE):
            while True:
                performative, payload = await self.next_with_payload()
                assert performative is not None
                if isinstance(performative, Transfer):
                    break
        for section in sections(payload):
            if section.code == APPLICATION_PROPERTIES:
                answer.update(section.pairs())
            elif section.code == VALUE:
                answer["body"] = section.value
        return answer

    def transfer(self, handle: int, payload: bytes, **options: Any) -> int:
        """Send a message in one frame, and return its delivery id."""
        delivery_id, self.next_id = self.next_id, self.next_id + 1
        self.send(Transfer(handle=handle, delivery_id=delivery_id, delivery_tag=b"t", **options), payload)
        return delivery_id

    async def put_token(self, path: str, token: str | None = None) -> dict[object, object]:
        """Put a token for an entity, and return the answer. It needs the handles 100 and 101."""
        await self.attach(100, "$cbs", receives=True)
        await self.attach(101, "$cbs", receives=False)
        name = f"sb://127.0.0.1/{path}"
        arguments = {"operation": "put-token", "type": "jwt", "name": name}
        answer = await self.ask(101, arguments, a_token(name) if token is None else token)
        await self.expect(Disposition)
        return answer

    async def close(self) -> None:
        """Leave without a word."""
        self._writer.transport.abort()
        await asyncio.sleep(0)


def a_token(name: str, key: str = KEY, key_name: str = KEY_NAME, ends: float | None = None) -> str:
    """Return a shared access signature for an address."""
    resource, until = quote_plus(name), str(int(time.time() + 3600 if ends is None else ends))
    digest = hmac.digest(key.encode(), f"{resource}\n{until}".encode(), hashlib.sha256)
    signature = quote_plus(base64.b64encode(digest))
    return f"SharedAccessSignature sr={resource}&sig={signature}&se={until}&skn={key_name}"


def condition_of(error: Described | None) -> str:
    """Return the condition of an error."""
    return Error.parse(error).condition


@asynccontextmanager
async def connected(double: ServiceBusDouble) -> AsyncIterator[RawClient]:
    """Yield a client of a double that has said nothing yet."""
    async with connected_to(double.port) as client:
        yield client


@asynccontextmanager
async def connected_to(port: int) -> AsyncIterator[RawClient]:
    """Yield a client of a port that has said nothing yet."""
    client = RawClient(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield client
    finally:
        await client.close()
