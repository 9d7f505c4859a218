"""The command `send`: put events into the inbound queue, as services of pagoPA do."""

import secrets
import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from ops.cli import CommandError, ExitCode, warn
from ops.opening import open_bus
from ops.operator import current_operator
from ops.output import printable
from shared.domain.registry_changes import Action, Entry, Kind
from shared.messages import INBOUND_EVENTS, Message, id_of_repetition
from shared.wire.inbound import Rejected, parse_event


async def send(
    context: typer.Context,
    file: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="A file with one CloudEvent in JSON. `-` is standard input.")
    ],
) -> None:
    """Send events to the archive, as a service of pagoPA would. They are sent as they are, also if they are wrong."""
    bodies = [_read(path) for path in file]
    async with open_bus(context) as (application, bus):
        for body in bodies:
            event_id = _id_of(body)
            # An event that was corrected has its old id, which the bus would drop.
            message = Message(id_of_repetition(event_id, "o", body), body)
            fields = {"queue": INBOUND_EVENTS}
            await application.registry.record(
                Action.SENT, Entry(Kind.MESSAGE, event_id), current_operator(context.obj), fields
            )
            await bus.send(message)
            typer.echo(f"Sent {event_id}.")
            try:
                parse_event(body).check_form()
            except Rejected as rejected:
                warn(f"The archive will reject {event_id}. {rejected.reason}: {printable(rejected.description)}")


def _read(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.", code=ExitCode.USAGE) from error


def _id_of(body: bytes) -> str:
    """Return the id of the event, which becomes that of the message. An event without one gets an id of its own."""
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        event = None
    given = event.get("id") if isinstance(event, dict) else None
    is_id = isinstance(given, str) and 1 <= len(given) <= 120 and given.isprintable()
    return str(given) if is_id else f"unnamed-{secrets.token_hex(8)}"
