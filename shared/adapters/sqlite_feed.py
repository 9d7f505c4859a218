"""The change feed of the embedded store: its events in the order of their commits, in one range."""

import sqlite3
from contextlib import closing
from functools import partial

from shared.adapters.sqlite_reads import Reads, Row
from shared.adapters.sqlite_writes import Write, Writes
from shared.codecs import Document
from shared.documents import decode_event, dumps, loads
from shared.domain.events import NoticeEvent
from shared.errors import StoreUnavailable
from shared.feed_documents import GAP, checkpoint_document, checkpoint_id, decode_gap, gap_document
from shared.ports import AnotherReader, FeedEvent, FeedPage, FeedPlace, Gap

PAGE_SIZE = 1024 * 1024
"""Bytes of events after which a page ends."""
_EVENTS = (
    "SELECT position, creditor_institution, number, version, document FROM events WHERE position > ?"
    " ORDER BY position LIMIT ?"
)


class SqliteFeed:
    """ChangeFeed in the file of a SqliteNoticeStore, whose writes and reads it shares."""

    def __init__(self, writes: Writes, reads: Reads) -> None:
        self._writes = writes
        self._reads = reads

    async def places(self, reader: str) -> list[FeedPlace]:
        """Return the place that the reader has stored, or the beginning."""
        [place] = await self.beginning(reader)
        rows = self._reads.select("SELECT document FROM checkpoints WHERE id = ?", (checkpoint_id(place),))
        try:
            token = loads(rows[0][0])["token"] if rows else None
        except (KeyError, TypeError, ValueError) as error:
            raise StoreUnavailable from error  # an operator must look at the checkpoint
        return [FeedPlace(reader, place.range, token, stored=token)]

    async def beginning(self, reader: str) -> list[FeedPlace]:
        """Return the beginning."""
        return [FeedPlace(reader, "all")]

    async def read(self, place: FeedPlace, limit: int = 100) -> FeedPage:
        """Return the next events after a place."""
        rows, is_empty = self._rows(int(place.token or 0), limit)
        events = [
            FeedEvent(institution, number, version, partial(_decode, document))
            for _, institution, number, version, document in rows
        ]
        token = str(rows[-1][0]) if rows else place.token
        return FeedPage(events, FeedPlace(place.reader, place.range, token, place.stored), is_empty)

    async def end(self, place: FeedPlace) -> FeedPlace:
        """Return the place behind the last event."""
        [(last,)] = self._reads.select("SELECT max(position) FROM events", ())
        return FeedPlace(place.reader, place.range, str(last or 0), place.stored)

    def _rows(self, after: int, limit: int) -> tuple[list[Row], bool]:
        """Return the next rows, and whether there are no more. A large page ends, because it is read on the loop."""
        found: list[Row] = []
        size = 0
        with self._reads.rows(_EVENTS, (after, limit)) as rows, closing(rows):
            for row in rows:
                found.append(row)
                size += len(row[-1])
                if size >= PAGE_SIZE:
                    return found, False
        return found, len(found) < limit

    async def keep(self, place: FeedPlace) -> FeedPlace:
        """Store the place. Raises AnotherReader if another place was stored since."""
        await self._writes.add(_SaveCheckpoint(place))
        return FeedPlace(place.reader, place.range, place.token, stored=place.token)

    async def forget(self, reader: str) -> None:
        """Remove the checkpoint of the reader."""
        [place] = await self.beginning(reader)
        await self._writes.add(_RemoveCheckpoint(place))

    async def keep_gap(self, gap: Gap) -> None:
        """Store a gap."""
        await self._writes.add(_SaveGap(gap_document(gap)))

    async def gaps(self) -> list[Gap]:
        """Return the gaps, by their ids."""
        # A semicolon is what follows a colon: the range of the ids that begin so.
        ends = (GAP, f"{GAP[:-1]};")
        rows = self._reads.select("SELECT document FROM checkpoints WHERE id >= ? AND id < ? ORDER BY id", ends)
        return [decode_gap(loads(document)) for (document,) in rows]


class _SaveCheckpoint(Write):
    def __init__(self, place: FeedPlace) -> None:
        self._place = place

    def run(self, db: sqlite3.Connection) -> Exception | None:
        checkpoint = checkpoint_document(self._place)
        row = db.execute("SELECT document FROM checkpoints WHERE id = ?", (checkpoint["id"],)).fetchone()
        if (loads(row[0])["token"] if row else None) != self._place.stored:
            return AnotherReader()
        db.execute("INSERT OR REPLACE INTO checkpoints VALUES (?,?)", (checkpoint["id"], dumps(checkpoint)))
        return None


class _RemoveCheckpoint(Write):
    def __init__(self, place: FeedPlace) -> None:
        self._id = checkpoint_id(place)

    def run(self, db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM checkpoints WHERE id = ?", (self._id,))


class _SaveGap(Write):
    def __init__(self, gap: Document) -> None:
        self._gap = gap

    def run(self, db: sqlite3.Connection) -> None:
        db.execute("INSERT OR REPLACE INTO checkpoints VALUES (?,?)", (self._gap["id"], dumps(self._gap)))


def _decode(document: bytes) -> NoticeEvent:
    return decode_event(loads(document))
