"""What the tests of the operators' command line begin with."""

from pathlib import Path

import pytest

from tests.ops.command_line import Operator
from tests.ops.embedded import Archive


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Return an operator of an archive that is not there yet."""
    return Operator(tmp_path / "data")


@pytest.fixture
def archive(operator: Operator) -> Archive:
    """Return the archive of the operator, with one institution."""
    operator.add_institution()
    return Archive(operator.data)
