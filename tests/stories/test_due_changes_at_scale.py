"""Thousands of notices fall due at once. Processes that write it down are killed, and each change is there once."""

from pathlib import Path

import pytest

from bench.due_soak.rounds import soak_due_changes

NOTICES, KILLS = 2000, 3


@pytest.mark.parametrize("azure", [False, True], ids=["embedded", "azure"])
async def test_whenever_processes_are_killed_each_change_of_time_is_written_down_once(
    tmp_path: Path, azure: bool
) -> None:
    report = await soak_due_changes(tmp_path, NOTICES, KILLS, azure=azure)

    assert report.faults == []
    assert report.kills == KILLS
    assert report.runs > KILLS
    assert report.events == NOTICES * 5 // 4, "a quarter of the notices has two changes"
