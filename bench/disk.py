"""Measure the disk, to compare the rate of publications with it."""

import os
from pathlib import Path
from time import monotonic

RECORD = bytes(1024)


def flushes_per_second(folder: Path, seconds: float) -> float:
    """Return the records of 1 KB per second that the disk appends to a file in the folder, each with fdatasync."""
    path = folder / "flushes"
    count, start = 0, monotonic()
    with path.open("ab", buffering=0) as file:
        while monotonic() - start < seconds:
            file.write(RECORD)
            os.fdatasync(file.fileno())
            count += 1
    elapsed = monotonic() - start
    path.unlink()
    return count / elapsed
