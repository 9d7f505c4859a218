"""What an operation costs, in request units: a model after Microsoft's published figures, never a bill.

Source: learn.microsoft.com/azure/cosmos-db, "Understand request unit consumption" (April 2026), for one region. Where
it is silent (queries, refused writes, batches) the figure is an assumption and is marked as one in docs/testing.md.
"""

from bisect import bisect_left

READ = ((1, 1.0), (2, 1.04), (4, 1.14), (8, 1.33), (16, 1.67), (32, 2.19), (64, 4.76), (128, 9.95), (256, 20.28))
"""A point read, by KiB of the item."""

WRITE = ((1, 4.95), (2, 6.29), (4, 6.67), (8, 7.04), (16, 9.52), (32, 11.23), (64, 22.67), (128, 48.19), (256, 98.29))
"""Creating or deleting an item, by KiB, before its indexed values; replacing is one of each."""

TERM = 0.2
"""Each value that enters or leaves an index."""
PATCH_STEP = 0.4
"""Each step of a patch, on top of the replacement that it is."""
REFUSED = 1.24
"""A write that is refused (409, 412, 404); an assumption."""
QUERY = 2.3
"""A query that finds nothing; an assumption."""
LOOKED_AT = 0.05
"""Each item a query has to look at; an assumption."""
RETURNED = 0.5
"""Each item a query returns, on top; an assumption."""
STRICT_READ = 2
"""What a read under strong or bounded staleness costs, as a multiple: it asks two replicas."""


def read(size: int) -> float:
    """Return the charge of reading an item of so many bytes, or what the change feed takes for it."""
    return round(_interpolated(READ, size), 2)


def write(before: int | None, after: int | None, terms: int, steps: int = 0) -> float:
    """Return the charge of a write from one size in bytes to another; None where there is no item."""
    sizes = [size for size in (before, after) if size is not None]
    return round(sum(_interpolated(WRITE, size) for size in sizes) + TERM * terms + PATCH_STEP * steps, 2)


def query(looked_at: int, returned: int) -> float:
    """Return the charge of a page of a query."""
    return round(QUERY + LOOKED_AT * looked_at + RETURNED * returned, 2)


def _interpolated(table: tuple[tuple[int, float], ...], size: int) -> float:
    """Return the charge for a size between two rows, or beyond the last in proportion to it."""
    kib = max(size / 1024, 1)
    above = bisect_left(table, kib, key=lambda row: row[0])
    if above == 0:
        return table[0][1]
    if above == len(table):
        return table[-1][1] * kib / table[-1][0]
    (low, cheap), (high, dear) = table[above - 1], table[above]
    return cheap + (dear - cheap) * (kib - low) / (high - low)
