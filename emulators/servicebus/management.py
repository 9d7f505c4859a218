"""Answer requests to the $management node of an entity: renew locks, peek, settle."""

from typing import TYPE_CHECKING
from uuid import UUID

from emulators.servicebus.addresses import entity_of
from emulators.servicebus.amqp.states import Accepted, Modified
from emulators.servicebus.amqp.values import Array, Int, Symbol, Timestamp
from emulators.servicebus.queue import Queue
from emulators.servicebus.refusals import INVALID_FIELD, Refusal, not_implemented
from emulators.servicebus.requests import Request
from emulators.servicebus.settlement import Settlement, dead_lettering, deferral, settlement

if TYPE_CHECKING:
    from emulators.servicebus.connection import Connection

LARGEST_ANSWER = 1_048_576
"""Bytes of the messages in an answer, if there are two or more."""

_TIMESTAMP = 0x83
_Body = dict[object, object]


def manage(connection: "Connection", address: str, message: bytes) -> tuple[Request, bytes]:
    """Return the request in a message to a management node, and its answer."""
    request = Request.parse(message)
    path = entity_of(address)
    body: _Body | None = None
    arguments: dict[str, object]
    try:
        queue = connection.service.broker.queue(path)
        body = _answer(connection, queue, path, request)
        arguments = {"statusCode": Int(200 if body is not None else 204), "statusDescription": "OK"}
    except Refusal as refusal:
        arguments = {
            "statusCode": Int(refusal.status),
            "statusDescription": refusal.description,
            "errorCondition": Symbol(refusal.condition),
        }
    return request, request.answer(arguments, body or {})


def _answer(connection: "Connection", queue: Queue, path: str, request: Request) -> _Body | None:
    given = request.body if isinstance(request.body, dict) else {}
    broker, perform = connection.service.broker, connection.service.perform
    match request.arguments.get("operation"):
        case "com.microsoft:renew-lock":
            tokens = _tokens(given)
            until = perform(connection, "Renew", path, lambda: [queue.renew(token) for token in tokens], len(tokens))
            return {"expirations": Array(_TIMESTAMP, [Timestamp(time) for time in until])}
        case "com.microsoft:peek-message":
            first, most = (_number(given, name) for name in ("from-sequence-number", "message-count"))
            found = perform(connection, "Peek", path, lambda: _peek(queue, first, most, broker.now))
            return {"messages": [{"message": one} for one in found]} if found else None
        case "com.microsoft:update-disposition":
            tokens, settled = _tokens(given), _settlement(given)
            perform(connection, settled.operation, path, lambda: _settle(queue, tokens, settled), len(tokens))
            return {}
        case operation:
            raise not_implemented(f"the operation {operation}")


def _peek(queue: Queue, first: int, most: int, now: int) -> list[bytes]:
    found: list[bytes] = []
    size = 0
    for message in queue.peek(first, max(most, 0)):
        encoded = message.encode(now)
        size += len(encoded)
        if found and size > LARGEST_ANSWER:
            break
        found.append(encoded)
    return found


def _settle(queue: Queue, tokens: list[UUID], settled: Settlement) -> None:
    for token in tokens:
        settled.apply(queue, token)


def _settlement(given: _Body) -> Settlement:
    changes = given.get("properties-to-modify")
    properties = changes if isinstance(changes, dict) else {}
    match given.get("disposition-status"):
        case "completed":
            found = settlement(Accepted().described())
        case "abandoned":
            found = settlement(Modified(delivery_failed=True, message_annotations=properties).described())
        case "suspended":
            reason, description = (given.get(f"deadletter-{name}") for name in ("reason", "description"))
            found = dead_lettering(_text(reason), _text(description), properties)
        case "defered":
            raise deferral()
        case status:
            raise Refusal(INVALID_FIELD, f"{status!r} is no disposition-status.")
    assert found
    return found


def _tokens(given: _Body) -> list[UUID]:
    tokens = given.get("lock-tokens")
    items = tokens.items if isinstance(tokens, Array) else tokens
    found = [token for token in items if isinstance(token, UUID)] if isinstance(items, (list, tuple)) else []
    if not found:
        raise Refusal(INVALID_FIELD, "lock-tokens are the tokens of locks.")
    return found


def _number(given: _Body, name: str) -> int:
    value = given.get(name)
    if not isinstance(value, int):
        raise Refusal(INVALID_FIELD, f"{name} is a number.")
    return value


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
