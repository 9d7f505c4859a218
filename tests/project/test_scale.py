"""docs/scale.md: each result follows from the inputs, and the inputs of the model are those of the double."""

import re
from collections.abc import Iterable
from pathlib import Path

import orjson
import pytest
from azure.cosmos.aio import CosmosClient

from docs.scale import calculated, figures
from emulators.cosmos import CosmosDouble
from emulators.cosmos.request_log import Request
from project_debtors import TIME_BOX
from shared.bootstrap import Application
from shared.documents import event_id
from shared.domain.lifecycle import EventType
from shared.settings import CosmosStore
from tests.stores import account_of
from tests.support import ADDRESS, HOUR, NOW, a_line, a_payment, a_publication, an_act, an_institution

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "scale.md").read_text(encoding="utf-8")

KEY = (ADDRESS.creditor_institution, ADDRESS.number)
STATUSES = {"429", "503"}
"""Of HTTP. They are no figures."""
FIGURES = figures(PAGE)
INPUTS = {figure.name: figure for figure in FIGURES if not figure.calculation}
RESULTS = [figure for figure in FIGURES if figure.calculation]


def test_each_result_is_what_its_calculation_gives() -> None:
    values = calculated(FIGURES)

    assert len(RESULTS) > 30
    assert {figure.name: figure.text for figure in RESULTS} == {
        figure.name: figure.shown(values[figure.name]) for figure in RESULTS
    }


def test_each_row_of_the_tables_is_a_figure_and_each_name_is_used_once() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]

    assert len(rows) == len(FIGURES) == len({figure.name for figure in FIGURES})


def test_each_input_says_where_it_comes_from() -> None:
    kinds = {figure.origin.partition(":")[0] for figure in INPUTS.values()}

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


@pytest.fixture
async def reading(application: Application, cosmos: CosmosDouble) -> dict[str, list[Request]]:
    """Return what `project_debtors` asks in an idle turn, after a publication and after its receipt."""
    assert application.debtors is not None
    archive, reader = application.archive, application.debtors.reader
    calls = {
        "begun": None,
        "idle": None,
        "published": archive.publish(a_publication(), an_institution(), an_act()),
        "paid": archive.record_payment(ADDRESS, a_payment(), an_act(NOW + HOUR)),
    }
    found = {}
    for name, call in calls.items():
        if call is not None:
            await call
        cosmos.log.clear()
        turn = await reader.run(reader.clock() + TIME_BOX)
        assert turn.is_drained
        found[name] = list(cosmos.log)
    return found


def _write_id(number: int) -> str:
    """Return a write id as long as the archive's own."""
    return f"{number:024}"


async def test_charges_are_those_of_the_double(charges: dict[str, float]) -> None:
    assert charges == {name: INPUTS[name].value for name in charges}


def _charged(asked: Iterable[Request], *places: tuple[str, str]) -> float:
    """Return what the requests cost that have one of these operations and containers."""
    return round(sum(each.charge for each in asked if (each.operation, each.container) in places), 2)


def test_charges_of_the_lists_of_debtors_are_those_of_the_double(reading: dict[str, list[Request]]) -> None:
    load = ("Read", "notices")
    lists = [(operation, "notices-by-debtor") for operation in ("Read", "Create", "Replace")]

    assert _charged(reading["published"], load, *lists) == INPUTS["ru_list_new"].value
    assert _charged(reading["paid"], load, *lists) == INPUTS["ru_list_change"].value


def test_charges_of_an_idle_reader_are_those_of_the_double(reading: dict[str, list[Request]]) -> None:
    # Both containers have two physical partitions here. On Azure, that of the checkpoints has one.
    each = INPUTS["ru_places"].value + INPUTS["ru_place"].value + INPUTS["ru_empty"].value

    assert _charged(reading["idle"], ("Query", "checkpoints"), ("ChangeFeed", "notices")) == round(2 * each, 2)
    assert _charged(reading["paid"], ("Replace", "checkpoints")) == INPUTS["ru_checkpoint"].value


def test_turns_are_those_of_the_schedule() -> None:
    schedules = {
        re.findall(r'schedule="(.*?)"', (DOCS.parent / reader / "__init__.py").read_text(encoding="utf-8"))[0]
        for reader in ("relay_events", "project_debtors")
    }

    assert schedules == {f"*/{1 / INPUTS['turns'].value:.0f} * * * * *"}


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
