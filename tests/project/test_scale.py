"""docs/scale.md: each result follows from the inputs, and the inputs of the model are those of the double."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from azure.cosmos.aio import CosmosClient

from emulators.cosmos import CosmosDouble
from shared.bootstrap import Application
from shared.documents import event_id
from shared.domain.lifecycle import EventType
from shared.settings import CosmosStore
from tests.stores import account_of
from tests.support import ADDRESS, HOUR, NOW, a_line, a_payment, a_publication, an_act, an_institution

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "scale.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<value>[\d,.]+) \| (?P<unit>[^|]+) \| (?P<origin>[^|]+) \|$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of a table. `calculation` is empty for an input."""

    name: str
    text: str
    origin: str

    @property
    def value(self) -> float:
        """Return the value that is shown."""
        return float(self.text.replace(",", ""))

    @property
    def calculation(self) -> str:
        """Return how the value follows from others."""
        found = re.fullmatch("`(.+)`", self.origin.strip())
        return found[1] if found else ""

    def shown(self, value: float) -> str:
        """Return a value with as many digits as this one is shown with."""
        return f"{value:,.{len(self.text.partition('.')[2])}f}"


KEY = (ADDRESS.creditor_institution, ADDRESS.number)
STATUSES = {"429", "503"}
"""Of HTTP. They are no figures."""
FIGURES = [Figure(row["name"], row["value"], row["origin"]) for row in ROW.finditer(PAGE)]
INPUTS = {figure.name: figure for figure in FIGURES if not figure.calculation}
RESULTS = [figure for figure in FIGURES if figure.calculation]


def calculated() -> dict[str, float]:
    """Return all values. Results are calculated from exact values, not from shown ones."""
    values = {name: figure.value for name, figure in INPUTS.items()}
    for figure in RESULTS:
        values[figure.name] = eval(figure.calculation, {"__builtins__": {}, "ceil": math.ceil}, values)
    return values


def test_each_result_is_what_its_calculation_gives() -> None:
    values = calculated()

    assert len(RESULTS) > 30
    assert {figure.name: figure.text for figure in RESULTS} == {
        figure.name: figure.shown(values[figure.name]) for figure in RESULTS
    }


def test_each_row_of_the_tables_is_a_figure_and_each_name_is_used_once() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]

    assert len(rows) == len(FIGURES) == len({figure.name for figure in FIGURES})


def test_each_input_says_where_it_comes_from() -> None:
    kinds = {figure.origin.strip().partition(":")[0] for figure in INPUTS.values()}

    assert kinds == {"source", "model", "measured", "assumption", "–"}


def test_prose_names_figures_and_repeats_none() -> None:
    prose = [line for line in PAGE.splitlines() if not line.startswith("|")]
    named = set(re.findall(r"`(\w+)`", "\n".join(prose)))
    numbers = re.findall(r"(?<![\w-])\d[\d,.]*\d(?!\w)", re.sub(r"\(.*?\)|ADR \d+|`.*?`", "", "\n".join(prose)))

    assert named <= {figure.name for figure in FIGURES}
    assert set(numbers) <= STATUSES


@pytest.mark.parametrize(("name", "call"), [("cpu_save", "save"), ("cpu_read", "point read")])
def test_figures_of_the_client_are_those_of_the_page_on_performance(name: str, call: str) -> None:
    performance = (DOCS / "performance.md").read_text(encoding="utf-8")

    (microseconds,) = re.findall(rf"^\| {call} \| 32 \| ([\d,]+) µs \|", performance, re.MULTILINE)

    assert INPUTS[name].text == INPUTS[name].shown(float(microseconds.replace(",", "")) / 1000)


@pytest.fixture
def kept_in(cosmos: CosmosDouble) -> CosmosStore:
    """Return the account whose charges are compared."""
    return account_of(cosmos)


@pytest.fixture
async def charges(application: Application, cosmos: CosmosDouble) -> dict[str, float]:
    """Return what the changes of a notice cost in the double, from its publication to its settlement."""
    archive, institution = application.archive, an_institution()
    calls = {
        "ru_publish": archive.publish(a_publication(), institution, an_act(write_id=_write_id(1))),
        "ru_get": archive.get(ADDRESS),
        "ru_change": archive.declare(ADDRESS, EventType.CANCELLED, an_act(NOW + HOUR, write_id=_write_id(2))),
        "": archive.declare(ADDRESS, EventType.RESTORED, an_act(NOW + 2 * HOUR, write_id=_write_id(3))),
        "ru_payment": archive.record_payment(ADDRESS, a_payment(), an_act(NOW + 3 * HOUR, write_id=_write_id(4))),
        "ru_settlement": archive.record_settlement(ADDRESS, a_line(), an_act(NOW + 4 * HOUR, write_id=_write_id(5))),
    }
    found = {}
    for name, call in calls.items():
        cosmos.log.clear()
        await call
        found[name] = round(cosmos.log.charge(), 2)
    del found[""]
    return found


def _write_id(number: int) -> str:
    """Return a write id as long as the archive's own."""
    return f"{number:024}"


async def test_charges_are_those_of_the_double(charges: dict[str, float]) -> None:
    assert charges == {name: INPUTS[name].value for name in charges}


@pytest.mark.usefixtures("charges")
async def test_sizes_are_those_of_the_double(cosmos: CosmosDouble) -> None:
    documents = {
        "bytes_notice": "notice",
        "bytes_published": event_id(1),
        "bytes_changed": event_id(2),
        "bytes_paid": event_id(4),
        "bytes_reported": event_id(5),
    }
    async with CosmosClient(cosmos.endpoint, cosmos.key) as client:
        notices = client.get_database_client("archive").get_container_client("notices")
        found = {name: len(orjson.dumps(dict(await notices.read_item(id_, [*KEY])))) for name, id_ in documents.items()}

    assert found == {name: INPUTS[name].value for name in documents}
