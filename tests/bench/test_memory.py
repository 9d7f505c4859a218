"""The memory of a process: what it keeps counts, pages of files do not."""

import argparse
import mmap
import os
from pathlib import Path

import pytest

from bench.memory import anonymous_mib, numbers

MIB = 1024 * 1024


def test_what_a_process_keeps_counts() -> None:
    before = anonymous_mib(os.getpid())

    kept = bytearray(os.urandom(32 * MIB))

    assert anonymous_mib(os.getpid()) - before > 30
    assert kept


def test_the_pages_of_a_file_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "pages"
    file.write_bytes(bytes(32 * MIB))
    before = anonymous_mib(os.getpid())

    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as pages:
        assert sum(pages[place] for place in range(0, len(pages), mmap.PAGESIZE)) == 0
        assert anonymous_mib(os.getpid()) - before < 2


@pytest.mark.parametrize("text", ["", "1000", "0,5", "many,5"])
def test_at_least_twonumbers_are_needed(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        numbers(text)
