"""Whatever is sent, the archive answers as its contract promises; `make fuzz` asks for longer."""

from pathlib import Path

from tests.documented import operations
from tests.functions.fuzz import fuzz


def test_whatever_is_sent_is_answered_as_promised(tmp_path: Path) -> None:
    faults, answers = fuzz(tmp_path, examples=6, seed=1)

    assert faults == []
    # Otherwise little would have been tested: every operation did what it is for; the contract was asked for before.
    did = {answer.split()[0] for answer in answers if answer.endswith(" 200")}
    assert did == operations().keys() - {"get_contract"}
