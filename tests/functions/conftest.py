"""Fixtures that several tests of the functions use."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest


@pytest.fixture
def file(http: httpx.AsyncClient, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection of another program to the file of the store."""
    with closing(sqlite3.connect(tmp_path / "archive.db", isolation_level=None)) as file:
        yield file
