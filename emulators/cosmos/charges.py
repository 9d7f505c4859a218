"""Calculate the charge of an operation in request units: a model by Microsoft's published figures, never a bill.

Source: learn.microsoft.com/azure/cosmos-db, "Understand request unit consumption" (April 2026), for one region. It has
no figures for queries, refused writes and batches. Those here are assumptions, and docs/testing.md marks them.
"""

from bisect import bisect_left

READ = ((1, 1.0), (2, 1.04), (4, 1.14), (8, 1.33), (16, 1.67), (32, 2.19), (64, 4.76), (128, 9.95), (256, 20.28))
"""The charge of a point read, by KiB of the item."""

WRITE = ((1, 4.95), (2, 6.29), (4, 6.67), (8, 7.04), (16, 9.52), (32, 11.23), (64, 22.67), (128, 48.19), (256, 98.29))
"""The charge of a creation or a deletion without its indexes, by KiB. A replacement is one of each."""

TERM = 0.2
"""For each value that enters or leaves an index."""
PATCH_STEP = 0.4
"""For each step of a patch, in addition to the replacement."""
REFUSED = 1.24
"""For a write that is refused with 404, 409 or 412. An assumption."""
QUERY = 2.3
"""For a query that finds nothing. An assumption."""
LOOKED_AT = 0.05
"""For each item that a query examines. An assumption."""
RETURNED = 0.5
"""For each item that a query returns, in addition. An assumption."""
STRICT_READ = 2
"""The factor of a read under strong consistency or bounded staleness: it asks two replicas."""


def read(size: int) -> float:
    """Return the charge of an item of so many bytes, in a point read or in the change feed."""
    return round(_interpolated(READ, size), 2)


def write(before: int | None, after: int | None, terms: int, steps: int = 0) -> float:
    """Return the charge of a write from one size in bytes to another. None stands for no item."""
    sizes = [size for size in (before, after) if size is not None]
    return round(sum(_interpolated(WRITE, size) for size in sizes) + TERM * terms + PATCH_STEP * steps, 2)


def query(examined: int, returned: int) -> float:
    """Return the charge of a page of a query."""
    return round(QUERY + LOOKED_AT * examined + RETURNED * returned, 2)


def _interpolated(table: tuple[tuple[int, float], ...], size: int) -> float:
    """Return the charge of a size between two rows. After the last row, the charge is proportional."""
    kib = max(size / 1024, 1)
    above = bisect_left(table, kib, key=lambda row: row[0])
    if above == 0:
        return table[0][1]
    if above == len(table):
        return table[-1][1] * kib / table[-1][0]
    (low, cheap), (high, dear) = table[above - 1], table[above]
    return cheap + (dear - cheap) * (kib - low) / (high - low)
