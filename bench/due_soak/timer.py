"""A process that calls the timer function of due changes once, as the platform does: `python -m bench.due_soak.timer`.

It opens the archive of its environment. It ends when nothing is due any more, or when the time of the function is over.
"""

import asyncio
from pathlib import Path

from azure.functions.timer import TimerRequest

from local.functions import load
from shared import bootstrap

ROOT = Path(__file__).parent.parent.parent


async def _run() -> None:
    [function] = [function for function in load(ROOT) if function.name == "apply_due_changes"]
    try:
        await function.call(TimerRequest(past_due=False))
    finally:
        await bootstrap.close()


if __name__ == "__main__":
    asyncio.run(_run())
