"""Write down the changes that time made: notices activated, expired, or paid and not communicated in time."""

import secrets
from datetime import timedelta

import azure.functions as func

from shared import bootstrap
from shared.domain.events import ARCHIVE, WriteContext
from shared.errors import Unavailable
from shared.telemetry import log_bug, log_event, log_failure

TIME_BOX = timedelta(seconds=50)
"""Less than the minute after which the timer comes again."""

bp = func.Blueprint()


@bp.function_name("apply_due_changes")
@bp.timer_trigger(arg_name="timer", schedule="0 * * * * *", run_on_startup=False, use_monitor=False)
async def apply_due_changes(timer: func.TimerRequest) -> None:
    """Every minute, apply the due changes. The rest is due a minute later."""
    try:
        await _apply()
    except Unavailable as error:
        log_failure("due_changes_failed", error)
    # The platform would log the text of an error that escapes, and the text may be personal.
    except Exception as error:  # noqa: BLE001
        log_bug("due_changes_failed", error)


async def _apply() -> None:
    archive = bootstrap.application().archive
    now = archive.clock()
    changed = await archive.apply_due_changes(WriteContext(now, ARCHIVE, secrets.token_hex(12)), now + TIME_BOX)
    if changed:
        log_event("due_changes_applied", notices=changed)
