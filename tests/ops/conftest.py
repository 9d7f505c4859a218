"""What the tests of the operators' command line begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.command_line import Operator
from tests.ops.embedded import Archive
from tests.ops.smoking import Smoke
from tests.server import running


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Return an operator of an archive that is not there yet."""
    return Operator(tmp_path / "data")


@pytest.fixture
def archive(operator: Operator) -> Archive:
    """Return the archive of the operator, with one institution."""
    operator.add_institution()
    return Archive(operator.data)


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Smoke]:
    """Return the command `smoke` for an archive that runs. The tests of a module share it."""
    data = tmp_path_factory.mktemp("archive")
    with running(data) as server:
        yield Smoke(Operator(data), server)
