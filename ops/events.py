"""Commands for the events of the archive: tail, resend, gaps."""

import asyncio
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from typing import Annotated, NoReturn

import orjson
import typer

from ops.cli import Command, JsonOption, YesOption, confirm, require_terminal_or_yes, warn
from ops.opening import open_application, open_bus
from ops.operator import current_operator
from ops.output import Json, Row, printable, show_json, show_list, show_table
from ops.parsing import UsageErrors, parse_subscription, parse_valid_from, parse_valid_until
from ops.views import format_in_rome
from shared.bootstrap import utc_now
from shared.domain.dates import format_instant
from shared.domain.identifiers import InstitutionCode
from shared.domain.registry_changes import Action, Entry, Kind
from shared.feed_reader import waiting_since
from shared.messages import NOTICE_EVENTS, QueuedMessage, subscription as queue_of
from shared.ports import Bus, Gap
from shared.relay import NAME as RELAY
from shared.resend import Resend, resend as send_again

app = typer.Typer(no_args_is_help=True, help="The events that the archive sends.")

HEADS = ("position", "sent", "type", "notice", "sequence", "status", "anomaly")
LAST_POSITION = 2**63 - 1
"""The greatest position that a queue can have."""
SUBSCRIPTION_HELP = "The subscription: all, stand-in or customer-care."
WHEN_HELP = "A day in Rome, or a date-time: without an offset, in Rome."


@app.command(cls=Command)
async def tail(
    context: typer.Context,
    limit: Annotated[int, typer.Option("-n", "--limit", metavar="N", min=1, max=10_000, help="How many.")] = 20,
    subscription: Annotated[str, typer.Option(metavar="NAME", help=SUBSCRIPTION_HELP)] = "all",
    after: Annotated[
        int, typer.Option(metavar="POSITION", min=0, max=LAST_POSITION, help="Only events after this position.")
    ] = 0,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until Ctrl-C.")] = False,
    json: JsonOption = False,
) -> None:
    """Show the last events that a subscription holds. It removes none of them."""
    with UsageErrors() as errors:
        name = errors.parse("--subscription", parse_subscription, subscription)
    async with open_bus(context) as (_, bus):
        last: deque[QueuedMessage] = deque(maxlen=limit)
        async for queued in bus.peek(queue_of(name), after):
            last.append(queued)
        if not follow:
            show_list(HEADS, map(_row, last), map(_item, last), json=json, unwrapped=HEADS)
            return
        with suppress(asyncio.CancelledError):  # Ctrl-C is how it ends.
            await _follow(bus, name, last, after, json=json)


@app.command("resend", cls=Command)
async def resend(
    context: typer.Context,
    since: Annotated[str, typer.Option("--from", metavar="WHEN", help=f"Recorded then or later. {WHEN_HELP}")],
    until: Annotated[
        str, typer.Option("--to", metavar="WHEN", help=f"Recorded before. {WHEN_HELP} A day is included.")
    ],
    subscription: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only to this subscription. Without it, to all.")
    ] = None,
    institution: Annotated[str | None, typer.Option(metavar="CODE", help="Only events of this institution.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them.")] = False,
    yes: YesOption = False,
) -> None:
    """Send events again. Each has its old CloudEvents id, so that a subscriber drops those that it has seen."""
    with UsageErrors() as errors:
        first = errors.parse("--from", parse_valid_from, since)
        last = errors.parse("--to", parse_valid_until, until)
        name = errors.parse_optional("--subscription", parse_subscription, subscription, None)
        code = errors.parse_optional("--institution", InstitutionCode.parse, institution, None)
        errors.check(first is None or last is None or first < last, "--from must be before --to.")
        errors.check("none" not in (since, until), "--from and --to must be a day or a date-time.")
    if name is None and not dry_run:
        require_terminal_or_yes(yes)
        confirm("Send these events to every subscription again?", yes)
    now = utc_now()
    # The bus drops a message id that it has seen, so no two runs may have the same serial.
    serial = round(now.timestamp() * 1000)
    # The relay sends the events that are recorded from now on.
    async with open_bus(context) as (application, bus):
        # A subscriber drops an event that comes behind a later one. So none may overtake the relay.
        waiting = await waiting_since(RELAY, application.feed)
        end = min(_instant(last), now, waiting or now)
        if waiting is not None and waiting < min(_instant(last), now):
            warn(
                f"The relay has not sent the events since {format_in_rome(waiting)} yet. Only earlier ones are resent."
            )
        wanted = Resend(_instant(first), end, serial, now, name, code)
        if not dry_run:
            ends = {"from": format_instant(wanted.since), "to": format_instant(wanted.until)}
            chosen = {"subscription": name, "institution": code}
            fields = ends | {option: value for option, value in chosen.items() if value is not None}
            entry = Entry(Kind.MESSAGE, NOTICE_EVENTS)
            await application.registry.record(Action.RESENT, entry, current_operator(context.obj), fields)
        sent = shown = 0
        async for sent, read in send_again(application.feed, None if dry_run else bus, wanted):
            if read >= shown + 10_000:
                shown = read
                warn(f"{read:,} events read, {sent:,} of them {'found' if dry_run else 'sent'}.")
    typer.echo(f"Would resend {sent:,}." if dry_run else f"Resent {sent:,}.")


@app.command(cls=Command)
async def gaps(context: typer.Context, json: JsonOption = False) -> None:
    """List the events that cannot be read, and that were not sent. Their documents are still in the store."""
    async with open_application(context) as application:
        found = await application.feed.gaps()
    heads = ("institution", "number", "sequence", "found", "error")
    show_list(heads, map(_gap_row, found), map(_gap_item, found), json=json, unwrapped=heads[:-1])


async def _follow(bus: Bus, name: str, last: Collection[QueuedMessage], after: int, *, json: bool) -> NoReturn:
    """Print the last events, and then each new one, on a line of its own."""
    widths = [max(map(len, column)) for column in zip(HEADS, *map(_row, last), strict=True)]
    if not json:
        show_table(HEADS, list(map(_row, last)), unwrapped=HEADS)
    for queued in last:
        after = queued.position
        if json:
            show_json(_item(queued), in_one_line=True)
    while True:
        await asyncio.sleep(1)
        async for queued in bus.peek(queue_of(name), after):
            after = queued.position
            if json:
                show_json(_item(queued), in_one_line=True)
            else:
                row = zip(map(printable, _row(queued)), widths, strict=True)
                typer.echo("  ".join(text.ljust(width) for text, width in row).rstrip())


def _event(queued: QueuedMessage) -> Json | None:
    """Return the CloudEvent of a message. None if another program sent something else."""
    try:
        event = orjson.loads(queued.message.body)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None


def _item(queued: QueuedMessage) -> Json:
    return {
        "position": queued.position,
        "messageId": queued.message.id,
        "enqueuedAt": format_instant(queued.enqueued_at),
        "properties": dict(queued.message.properties),
        "event": _event(queued),
    }


def _row(queued: QueuedMessage) -> Row:
    event, properties = _event(queued) or {}, queued.message.properties
    return (
        str(queued.position),
        format_in_rome(queued.enqueued_at),
        *(str(event.get(name, "")) for name in ("type", "subject", "sequence")),
        str(properties.get("status", "")),
        str(properties.get("anomaly", "")),
    )


def _gap_row(gap: Gap) -> Row:
    return gap.creditor_institution, gap.number, str(gap.version), format_in_rome(gap.found_at), gap.error


def _gap_item(gap: Gap) -> Json:
    return {
        "id": gap.id,
        "institution": gap.creditor_institution,
        "noticeNumber": gap.number,
        "sequence": gap.version,
        "foundAt": format_instant(gap.found_at),
        "error": gap.error,
    }


def _instant(at: datetime | None) -> datetime:
    assert at is not None, "both ends are given"
    return at
