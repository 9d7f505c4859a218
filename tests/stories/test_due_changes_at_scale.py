"""Thousands of notices fall due at once. Processes that write it down are killed, and each change is there once."""

from pathlib import Path

import pytest

from bench.due_soak.rounds import soak_due_changes


# Through the SDK of Cosmos DB a notice takes several times as long, so there are fewer.
@pytest.mark.parametrize(("azure", "notices", "kills"), [(False, 2000, 3), (True, 600, 2)], ids=["embedded", "azure"])
async def test_whenever_processes_are_killed_each_change_of_time_is_written_down_once(
    tmp_path: Path, azure: bool, notices: int, kills: int
) -> None:
    report = await soak_due_changes(tmp_path, notices, kills, azure=azure)

    assert report.faults == []
    assert report.kills == kills
    assert report.runs > kills
    assert report.events == notices * 5 // 4, "a quarter of the notices has two changes"
