"""Measure how fast events go out and in through Service Bus: `python -m bench.events`, which is `make bench-events`.

The archive works on doubles of Cosmos DB and Service Bus, which are processes of their own on the other core. So this
is what the archive and the SDK cost, and what round trips cost: Azure would add its own time. The exit code is 0 if all
events went out and in, else 1.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack

from bench import runs
from bench.chart import Panel
from bench.contests import Contest
from bench.cores import apart
from bench.events import incoming, latency, outgoing
from bench.measurements import Of, Ratio
from shared.bootstrap import quieten_collector

EVENTS, QUICK_EVENTS = 2_000, 300
SECONDS, QUICK_SECONDS = 20, 5
ROUND_TRIP = 5.0
"""Milliseconds that are added to each round trip to Service Bus."""
PACKAGES = ("azure-servicebus", "azure-cosmos", "azure-functions", "aiohttp")

MEANINGS = {
    outgoing.RELAY: "the relay of the archive, from the feed of Cosmos DB to the topic, with its checkpoints",
    outgoing.ONE_BY_ONE: "the same messages, from memory, through one open sender of the SDK, each acknowledged before "
    "the next is sent",
    latency.SUBSCRIBER: "a receiver of the SDK on the subscription `all`, from the answer 201 to the event. The relay "
    "begins a turn every two seconds, which goes on while it finds new events",
    incoming.CONSUMER: "receipts for published notices, from the queue to the saved and completed event",
}


def _beside(milliseconds: float, at_least: float) -> Ratio:
    load = outgoing.load(milliseconds)
    sides = (Of(outgoing.RELAY, load), Of(outgoing.ONE_BY_ONE, load))
    return Ratio(f"{load}: relay / one by one", "rate", *sides, at_least)


RATIOS = (_beside(0, 3), _beside(ROUND_TRIP, 5))
PANELS = (
    Panel("Events per second", "rate", (outgoing.load(0), outgoing.load(ROUND_TRIP), incoming.LOAD)),
    Panel("CPU of the archive in µs per event", "cpu_us", (outgoing.load(0), incoming.LOAD)),
    Panel("Median latency in ms. The relay begins a turn every two seconds", "p50_ms", (latency.LOAD,)),
)


def main() -> None:
    """Measure, and report the results."""
    parser = runs.arguments("python -m bench.events", "Measure events out and in.", rounds=7, seconds=SECONDS)
    parser.add_argument("--events", type=int, default=EVENTS, help=f"events of each round ({EVENTS:,})")
    chosen = runs.parsed(parser)
    if chosen.quick:
        chosen.events, chosen.seconds = QUICK_EVENTS, QUICK_SECONDS
    of_doubles, ours = apart()
    if ours:
        os.sched_setaffinity(0, ours)
    quieten_collector()

    with ExitStack() as stack:
        loads = [
            stack.enter_context(outgoing.contest(added, chosen.events, chosen.rounds, of_doubles))
            for added in (0, ROUND_TRIP)
        ]

        def contests() -> Iterator[Contest]:
            yield from (one for one, _ in loads)
            yield latency.contest(chosen.seconds, max(chosen.rounds // 2, 1), of_doubles)
            yield incoming.contest(chosen.events, chosen.rounds, of_doubles)

        found = runs.measured(contests(), RATIOS, [pid for _, pid in loads])
    conditions = {"events": chosen.events}
    runs.finish(chosen, found, RATIOS, PANELS, MEANINGS, counted="events", packages=PACKAGES, conditions=conditions)


if __name__ == "__main__":
    main()
