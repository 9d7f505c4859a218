"""Stored JSON ⇄ checkpoints and gaps of the change feed, the same in every store."""

from shared.codecs import Document, PartCodec
from shared.ports import FeedPlace, Gap

SCHEMA = 1
GAP = "gap:"
"""The beginning of the ids of gaps."""

_GAP = PartCodec(Gap)


def checkpoint_id(place: FeedPlace) -> str:
    """Return the id of the checkpoint of a place."""
    return f"{place.reader}:{place.range}"


def checkpoint_document(place: FeedPlace) -> Document:
    """Return the checkpoint of a place."""
    return {"id": checkpoint_id(place), "schema": SCHEMA, "range": place.range, "token": place.token}


def gap_document(gap: Gap) -> Document:
    """Return the document of a gap."""
    return {"id": f"{GAP}{gap.id}", "schema": SCHEMA, **_GAP.encode(gap)}


def decode_gap(document: Document) -> Gap:
    """Return the gap of a document."""
    return _GAP.decode(document)
