"""What the tests of the operators' command line begin with."""

from pathlib import Path

import pytest

from tests.ops.command_line import Operator


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Return an operator of an archive that is not there yet."""
    return Operator(tmp_path / "data")
