"""The bill of a month: from the figures of docs/scale.md, the sizes of infra/ and the unit prices.

A quantity is a calculation with named figures, as on docs/scale.md. The page shows it, and this program executes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from docs.prices import PRICES
from docs.scale import Figure, calculated


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment under a load, with the sizes that its parameter file chooses."""

    name: str
    notices: float
    """Notices that are published in a second, on the mean of the month."""
    is_private: bool
    """With a network, a gateway and Premium, as uat and prod are."""
    sizes: Mapping[str, float]


DEV = {
    "memory": 2,
    "ready_http": 0,
    "ready_readers": 0,
    "ready_due": 0,
    "ru_chosen": 0,
    "long_backup": 0,
    "call_records": 0,
    "log_alerts": 9,
    "time_series": 10,
    "web_tests": 4,
    "endpoints": 0,
    "gateways": 0,
    "machines": 0,
}
UAT = {
    "memory": 2,
    "ready_http": 0,
    "ready_readers": 0,
    "ready_due": 0,
    "ru_chosen": 7_000,
    "long_backup": 0,
    "call_records": 1,
    "log_alerts": 9,
    "time_series": 14,
    "web_tests": 4,
    "endpoints": 5,
    "gateways": 1,
    "machines": 1,
}
PROD = {
    "memory": 2,
    "ready_http": 2,
    "ready_readers": 4,
    "ready_due": 2,
    "ru_chosen": 16_000,
    "long_backup": 1,
    "call_records": 1,
    "log_alerts": 9,
    "time_series": 14,
    "web_tests": 4,
    "endpoints": 5,
    "gateways": 1,
    "machines": 1,
}
"""The sizes that infra/ chooses."""
ENVIRONMENTS = (
    Environment("dev", 0.01, False, DEV),
    Environment("uat", 0.01, True, UAT),
    Environment("prod, 1/s", 1, True, PROD),
    Environment("prod, 14/s", 14, True, PROD),
    Environment("prod, 140/s", 140, True, PROD),
)

ASSUMPTIONS = (
    Figure("month", "2,628,000", "seconds of a month", "730 hours, as Azure counts it"),
    Figure("month_hours", "730", "hours of a month", "the same"),
    Figure("burst", "2", "the highest second of an hour, times its mean", "autoscale bills the highest second"),
    Figure("least", "1", "second that is billed for an execution at least", "Microsoft, Flex Consumption plan"),
    Figure("page_seconds", "0.03", "seconds that a reader needs for a page", "a guess: a round trip to each side"),
    Figure("copies", "3", "subscriptions that get an event", "infra/messaging.json, as if each admitted all events"),
    Figure("records", "5", "records of an execution: its request, two of the host, their copies", "host.json, infra"),
    Figure("record_bytes", "800", "bytes of a record, as it is billed", "a guess"),
    Figure("call_bytes", "700", "bytes of the record of a call, as it is billed", "a guess"),
    Figure("gateway_bytes", "1,200", "bytes of the record of a request in the gateway, as it is billed", "a guess"),
    Figure("included", "50", "million requests that a unit of the gateway includes", "from memory"),
    Figure("call_kb", "2", "KB of a call, both ways", "a guess"),
    Figure("leases", "1.5", "million writes of the host for its locks", "a guess: four locks, renewed every 7 seconds"),
)
"""Besides those of docs/scale.md. The last value says where each comes from."""

DERIVED = (
    ("http", "mean_publish * (1 + changes + gets)", "HTTP requests a second"),
    ("messages", "mean_publish * facts / notices_per_payment", "messages a second from the queue"),
    ("events", "mean_publish * versions", "events a second"),
    ("executions", "http + messages + readers * turns + 1 / 60", "executions a second, with the timers"),
    (
        "http_cores",
        "mean_publish * (cpu_publish + cpu_save + gets * (cpu_get + cpu_read) + changes * cpu_write) / 1000",
        "cores for the requests",
    ),
    ("http_work", "max(min(1, http * least), http_cores / cores / busy)", "instances at work for requests"),
    (
        "queue_work",
        "max(min(1, messages * least), messages * cpu_write / 1000 / cores / busy)",
        "instances at work for the queue",
    ),
    ("reader_work", "min(1, max(turns * least, events * page_seconds))", "instances at work for a reader"),
    ("ready", "ready_http + ready_readers + ready_due", "instances that are always ready"),
    (
        "ready_work",
        "min(ready_http, http_work) + min(ready_readers, readers * reader_work) + min(ready_due, least / 60)",
        "instances at work that are always ready",
    ),
    (
        "other_work",
        "http_work + queue_work + readers * reader_work + least / 60 - ready_work",
        "instances at work on demand",
    ),
    ("ru", "mean_ru + ru_reading", "RU a second"),
    (
        "ru_maximum",
        "max(ru_chosen, ceil((mean_ru * peak + ru_reading) / 1000) * 1000)",
        "RU a second that autoscale needs, at most",
    ),
    ("ru_billed", "max(ru * burst, ru_maximum / 10, gb_year * ru_per_gb)", "RU a second that autoscale bills"),
    ("units", "ceil(events * bytes_event * (1 + copies) / unit_bytes)", "messaging units"),
    (
        "calls_notice",
        "3 + gets + 5 * (versions - 1)",
        "calls of Cosmos DB for a notice: 1 to publish, 2 for each later version, and 2, then 3, for its list",
    ),
    (
        "calls",
        "mean_publish * calls_notice + readers * turns * (2 + partitions * (1 + 2 * min(pages, turn_events)))",
        "calls of Cosmos DB a second",
    ),
)
"""What the quantities are calculated from, in this order."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the bill. `quantity` is a calculation, in units of the price."""

    name: str
    price: str
    quantity: str
    knob: str = "–"
    dev: bool = True
    private: bool = True


LINES = (
    Line("Functions: executions", "executions", "executions * month / 1000000", "longer pauses between the turns"),
    Line(
        "Functions: always ready",
        "ready",
        "ready * memory * month / 1000000",
        "fewer instances that are always ready, less memory",
        dev=False,
    ),
    Line(
        "Functions: work, always ready",
        "ready_work",
        "ready_work * memory * month / 1000000",
        "less memory of an instance",
        dev=False,
    ),
    Line(
        "Functions: work, on demand",
        "work",
        "other_work * memory * month / 1000000",
        "less memory of an instance, longer pauses between the turns",
    ),
    Line(
        "Cosmos DB: RU",
        "serverless",
        "ru * month / 1000000",
        "longer pauses between the turns",
        private=False,
    ),
    Line(
        "Cosmos DB: RU",
        "autoscale",
        "ru_billed / 100 * month_hours",
        "longer pauses between the turns, fewer indexes, reserved capacity",
        dev=False,
    ),
    Line("Cosmos DB: data", "data", "gb_year", "move old notices to a cheaper store"),
    Line(
        "Cosmos DB: backup of 30 days",
        "backup",
        "gb_year * long_backup",
        "the backup of 7 days, which is free",
        dev=False,
    ),
    Line("Service Bus Standard", "standard", "1", private=False),
    Line("Service Bus Premium", "premium", "units * month_hours", "none: private endpoints need Premium", dev=False),
    Line(
        "Logs: executions",
        "logs",
        "executions * month * records * record_bytes / 1000000000",
        "`FunctionAppLogs` in a table with the basic plan, sampling of the requests",
    ),
    Line(
        "Logs: calls of Cosmos DB",
        "logs",
        "calls * month * call_records * call_bytes / 1000000000",
        "send `DataPlaneRequests` to a storage account, or to a table with the basic plan",
    ),
    Line(
        "Logs: requests of the gateway",
        "logs",
        "min(1, gateways) * http * month * gateway_bytes / 1000000000",
        "a smaller share in `sampling` of the gateway: errors are always logged",
        dev=False,
    ),
    Line("Log alerts", "log_alert", "log_alerts"),
    Line("Metric alerts", "metric_alert", "time_series"),
    Line("Web tests", "web_test", "web_tests * month / 300"),
    Line("Key Vault", "vault", "1"),
    Line("Private endpoints", "endpoint", "endpoints * month_hours", dev=False),
    Line("Private endpoints: data", "endpoint_data", "calls * month * call_kb / 1000000", dev=False),
    Line("Private DNS zones", "zone", "endpoints", dev=False),
    Line("NAT gateway", "nat", "month_hours", dev=False),
    Line("NAT gateway: data", "nat_data", "executions * month * records * record_bytes / 1000000000", dev=False),
    Line(
        "API Management",
        "gateway",
        "gateways * month_hours",
        "no gateway: callers then come through another one",
        dev=False,
    ),
    Line(
        "API Management: requests",
        "gateway_requests",
        "max(0, http * month / 1000000 - gateways * included)",
        dev=False,
    ),
    Line("Bastion", "bastion", "machines * month_hours", "another way into the network", dev=False),
    Line("Machine of the operators", "machine", "machines * month_hours", dev=False),
    Line("Public addresses", "address", "(machines + 1) * month_hours", dev=False),
    Line("Storage account: packages", "blobs", "1"),
    Line("Storage account: locks", "blob_writes", "leases * 100"),
)

OPTIONS = (
    (
        "a second region of Cosmos DB",
        tuple(line for line in LINES if line.private and line.name.startswith("Cosmos DB")),
    ),
    (
        "manual throughput at the peak, in place of autoscale, with zones",
        (Line("", "manual", "ru_maximum * 1.25 / 100 * month_hours"),),
    ),
    ("a restore of Cosmos DB, once", (Line("", "restore", "gb_year"),)),
    (
        "calls of Cosmos DB as basic logs",
        (Line("", "basic_logs", "calls * month * call_records * call_bytes / 1000000000"),),
    ),
)
"""What may come on top, or in place of a line."""


class Bill:
    """The lines of an environment, in euro, from the figures of docs/scale.md."""

    def __init__(self, environment: Environment, scale: Sequence[Figure]) -> None:
        known = {each.name: each.value for each in scale}
        load = {"payments": environment.notices * known["year"] / known["notices_per_payment"]}
        derived = [Figure(name, "0", "", f"`{calculation}`") for name, calculation, _ in DERIVED]
        inputs = {each.name: each.value for each in ASSUMPTIONS} | dict(environment.sizes) | load
        self._figures = [*scale, *derived]
        self.values = calculated(self._figures, **inputs)
        self._inputs = inputs
        self.environment = environment
        self.lines = [line for line in LINES if (line.private if environment.is_private else line.dev)]
        self.total = sum(map(self.euro, self.lines))

    def quantity(self, line: Line) -> float:
        """Return how many units a line has."""
        wanted = Figure("wanted", "0", "", f"`{line.quantity}`")
        return calculated([*self._figures, wanted], **self._inputs)["wanted"]

    def euro(self, line: Line) -> float:
        """Return what a line costs."""
        return self.quantity(line) * PRICES[line.price].euro
