"""Keep the lists of the debtors up to date, from the events of all notices."""

from datetime import timedelta

import azure.functions as func

from shared import bootstrap
from shared.feed_reader import run_turn

TIME_BOX = timedelta(seconds=50)
"""A turn ends then, so that the platform can stop the process between two turns."""

bp = func.Blueprint()


@bp.function_name("project_debtors")
@bp.timer_trigger(arg_name="timer", schedule="*/2 * * * * *", run_on_startup=False, use_monitor=False)
async def project_debtors(timer: func.TimerRequest) -> None:
    """Every two seconds, write the entries of the notices that have changed. What fails is written in a later turn."""
    await run_turn("debtors", lambda: bootstrap.application().debtors, TIME_BOX)
