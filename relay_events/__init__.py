"""Send the events of the archive to the topic `notice-events`."""

from datetime import timedelta

import azure.functions as func

from shared import bootstrap
from shared.feed_reader import run_turn

TIME_BOX = timedelta(seconds=50)
"""A turn ends then, so that the platform can stop the process between two turns."""

bp = func.Blueprint()


@bp.function_name("relay_events")
@bp.timer_trigger(arg_name="timer", schedule="*/2 * * * * *", run_on_startup=False, use_monitor=False)
async def relay_events(timer: func.TimerRequest) -> None:
    """Every two seconds, send the events that are not sent yet. What fails is sent in a later turn."""
    await run_turn("relay", lambda: bootstrap.application().relay, TIME_BOX)
