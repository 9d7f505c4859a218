"""Fixtures that several tests of the functions use."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from azure.functions.timer import TimerRequest

from local.functions import load
from tests.conftest import ROOT
from tests.functions.client import Tick


@pytest.fixture
def file(http: httpx.AsyncClient, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection of another program to the file of the store."""
    with closing(sqlite3.connect(tmp_path / "archive.db", isolation_level=None)) as file:
        yield file


@pytest.fixture
def tick(http: httpx.AsyncClient) -> Tick:
    """Return what the platform does every minute: it calls the timer function of the due changes."""
    [function] = [function for function in load(ROOT) if function.name == "apply_due_changes"]
    assert function.trigger["type"] == "timerTrigger"
    return lambda: function.call(TimerRequest(past_due=False))
