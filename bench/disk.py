"""The yardstick: how often a second the disk takes a small record for good."""

import os
from pathlib import Path
from time import monotonic

RECORD = bytes(1024)


def flushes_per_second(folder: Path, seconds: float) -> float:
    """Return how many records of 1 KB a second are appended to a file of the folder, each with fdatasync."""
    path = folder / "yardstick"
    count, start = 0, monotonic()
    with path.open("ab", buffering=0) as file:
        while monotonic() - start < seconds:
            file.write(RECORD)
            os.fdatasync(file.fileno())
            count += 1
    elapsed = monotonic() - start
    path.unlink()
    return count / elapsed
