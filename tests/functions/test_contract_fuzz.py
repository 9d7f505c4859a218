"""Whatever is sent, the archive answers as its contract promises; `make fuzz` asks for longer."""

from pathlib import Path

from tests.functions.fuzz import fuzz
from tests.openapi_check import operations


def test_the_examples_and_the_bounds_of_every_field_are_answered_as_promised(tmp_path: Path) -> None:
    faults, answers = fuzz(tmp_path, examples=6, seed=1, phases=("examples", "coverage"))

    assert faults == []
    assert {answer.split()[0] for answer in answers} == operations().keys() - {"get_contract"}
    assert answers["pa_create_position 200"]


def test_whatever_is_drawn_and_whichever_links_are_followed_the_answers_are_as_promised(tmp_path: Path) -> None:
    faults, answers = fuzz(tmp_path, examples=20, seed=1, phases=("fuzzing", "stateful"))

    assert faults == []
    # Otherwise little would have been tested. What is drawn depends on all that is imported, so no more is certain.
    did = {answer.split()[0] for answer in answers if answer.endswith((" 200", " 201"))}
    assert did >= {"publish_notice", "get_notice", "get_history", "list_notices", "get_payability", "list_open_notices"}
