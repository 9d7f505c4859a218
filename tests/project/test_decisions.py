"""Every decision says how much of it is built, and the index says the same."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"
DECISIONS = sorted(FOLDER.glob("[0-9]*.md"))
LINK = r"\[\d+\]\(\d{4}-[a-z0-9-]+\.md\)"
STATUS = re.compile(rf"built(, amended by {LINK})?|decided, not built yet|partly built: \S.*\.|superseded by {LINK}")


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_how_much_of_it_is_built(decision: Path) -> None:
    assert STATUS.fullmatch(status(decision))


def test_the_index_names_every_decision_with_its_title_and_status() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")

    rows = re.findall(r"^\| \[(\d+)\]\((\S+)\) \| (.+?) \| (.+?) \| .+ \|$", index, re.MULTILINE)

    assert [(f"{int(number)}. {title}", name, short) for number, name, title, short in rows] == [
        (title(decision), decision.name, in_short(status(decision))) for decision in DECISIONS
    ]


@pytest.mark.parametrize(
    "text", ["accepted", "", "partly built", "partly built: ", "built yesterday", "superseded by 3"]
)
def test_another_status_is_seen(text: str) -> None:
    assert not STATUS.fullmatch(text)


def status(decision: Path) -> str:
    """Return the status that a decision states in its third line."""
    return decision.read_text(encoding="utf-8").splitlines()[2].split(" · ")[1].removeprefix("Status: ")


def in_short(status: str) -> str:
    """Return a status as the index shows it: without parts, amendments and links."""
    return re.sub(r"\[(\d+)\]\S+", r"\1", status.partition(":")[0].partition(", amended")[0])


def title(decision: Path) -> str:
    """Return the title of a decision, with its number."""
    return decision.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
