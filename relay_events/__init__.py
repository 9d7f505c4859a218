"""Send the events of the archive to the topic `notice-events`."""

from datetime import timedelta

import azure.functions as func

from shared import bootstrap
from shared.errors import Unavailable
from shared.ports import BusUnavailable
from shared.telemetry import log_bug, log_event, log_failure

TIME_BOX = timedelta(seconds=50)
"""A turn ends then, so that the platform can stop the process between two turns."""

bp = func.Blueprint()


@bp.function_name("relay_events")
@bp.timer_trigger(arg_name="timer", schedule="*/2 * * * * *", run_on_startup=False, use_monitor=False)
async def relay_events(timer: func.TimerRequest) -> None:
    """Every two seconds, send the events that are not sent yet. What fails is sent in a later turn."""
    try:
        await _relay()
    except Unavailable as error:
        log_failure("relay_failed", error)
    # The platform would log the text of an error that escapes, and the text may be personal.
    except Exception as error:  # noqa: BLE001
        log_bug("relay_failed", error)


async def _relay() -> None:
    application = bootstrap.application()
    if application.relay is None:
        return
    now = application.archive.clock()
    turn = await application.relay.reader.run(now + TIME_BOX)
    waiting = None if turn.waiting_since is None else application.archive.clock() - turn.waiting_since
    # The clock of the machine that recorded the event may be ahead.
    seconds = 0.0 if waiting is None else max(0.0, waiting.total_seconds())
    if turn.failure is None:
        log_event("relay_turn", sent=turn.events, oldest_unsent_seconds=seconds)
    else:
        # What no other side can cause is a bug.
        log = log_failure if isinstance(turn.failure, Unavailable | BusUnavailable) else log_bug
        log("relay_turn", turn.failure, sent=turn.events, oldest_unsent_seconds=seconds)
