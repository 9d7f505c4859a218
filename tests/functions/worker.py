"""Where the Python is that has Microsoft's worker library."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def worker_python() -> Path:
    """The Python of the worker's virtual environment; a test that asks for it fails where it was not made."""
    python = ROOT / os.environ.get("WORKER_PYTHON", ".venv-worker/bin/python")
    if not python.exists():
        pytest.fail(f"{python} is missing: `make .venv-worker` makes it.", pytrace=False)
    return python
