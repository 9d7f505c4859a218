"""The change feed of Cosmos DB. Each range of partition keys is read by itself, under a checkpoint of its own.

A checkpoint keeps the token of the SDK, which follows the splits of its range. So after a split the parts are read
under the checkpoint of the whole. The feed gives the documents of one transaction in any order. So here the events are
put in the order of their versions.
"""

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.cosmos.aio import ContainerProxy

from shared.adapters.cosmos import CHECKPOINTS
from shared.adapters.cosmos_calls import Cosmos, Hook
from shared.adapters.cosmos_lists import NOTICES
from shared.adapters.cosmos_registry_documents import NOTHING, Documents
from shared.codecs import Document
from shared.documents import EVENT, decode_event
from shared.errors import StoreUnavailable
from shared.feed_documents import GAP, checkpoint_document, decode_gap, gap_document
from shared.ports import AnotherReader, FeedEvent, FeedPage, FeedPlace, Gap
from shared.telemetry import log_bug

LOWEST, HIGHEST = "", "FF"
"""The ends of all hashes of partition keys."""


class CosmosFeed:
    """ChangeFeed on Cosmos DB."""

    def __init__(self, cosmos: Cosmos) -> None:
        self._cosmos = cosmos
        self._checkpoints = Documents(cosmos, container=CHECKPOINTS)

    async def places(self, reader: str) -> list[FeedPlace]:
        """Return the stored places, and the beginning of each part of the keys that no checkpoint covers."""
        stored = await self._checkpoints.read_all(f"{reader}:")
        try:
            every = [FeedPlace(reader, each["range"], each["token"], each["_etag"]) for each in stored]
        except KeyError as error:
            raise StoreUnavailable from error  # an operator must look at the checkpoint
        # Two first runs with a split between them leave a range and its parts.
        places = [place for place in every if not any(_is_inside(place, other) for other in every)]
        if not [*_uncovered(places, LOWEST, HIGHEST)]:
            return places
        return places + [
            FeedPlace(reader, f"{low}-{high}")
            for first, end in await self._ranges()
            for low, high in _uncovered(places, first, end)
        ]

    async def beginning(self, reader: str) -> list[FeedPlace]:
        """Return the beginning of each range."""
        return [FeedPlace(reader, f"{low}-{high}") for low, high in await self._ranges()]

    async def read(self, place: FeedPlace, limit: int = 100) -> FeedPage:
        """Return the next events after a place. A transaction is never cut, so there may be more than `limit`."""
        # With a token, the SDK ignores where else a feed should start.
        start = {"continuation": place.token} if place.token else _from("Beginning", place)
        documents, token = await self._read(start, limit)
        return FeedPage(list(_events(documents)), replace(place, token=token), is_empty=not documents)

    async def end(self, place: FeedPlace) -> FeedPlace:
        """Return the place behind the last event of the range of a place."""
        _, token = await self._read(_from("Now", place), 1)
        return replace(place, token=token)

    async def _read(self, start: Mapping[str, Any], limit: int) -> tuple[list[Document], str]:
        """Return the next documents after a start, and the token of the place after them."""

        async def read(container: ContainerProxy, hook: Hook) -> tuple[list[Document], str]:
            answers: list[Mapping[str, Any]] = []

            def keep(headers: Mapping[str, Any], body: Any) -> None:
                hook(headers, body)
                answers.append(headers)

            feed: Any = container.query_items_change_feed(max_item_count=limit, response_hook=keep, **start)
            pages = feed.by_page()
            async for page in pages:
                return [document async for document in page], pages.continuation_token
            # An empty answer gives no page. The SDK puts its token into the headers after the iteration.
            return [], answers[-1]["etag"]

        try:
            return await self._cosmos.call("read_feed", NOTICES, read)
        except (RecursionError, ValueError) as error:
            # A range that stays gone, or a token that the SDK cannot read. Neither is an error of Azure.
            raise StoreUnavailable from error
        except HttpResponseError as error:
            raise StoreUnavailable from error

    async def keep(self, place: FeedPlace) -> FeedPlace:
        """Store the place. Raises AnotherReader if another was stored since, StoreUnavailable."""
        if place.token is None or None in _parts(place.token):
            # The range was split before its first read. The SDK could not go on from here.
            raise StoreUnavailable from ValueError("the token of the feed has no place for a part of its range")
        try:
            written = await self._checkpoints.write(checkpoint_document(place), place.stored or NOTHING)
        except HttpResponseError as error:
            return await self._check_kept(place, error)
        return replace(place, stored=written["_etag"])

    async def _check_kept(self, place: FeedPlace, refusal: HttpResponseError) -> FeedPlace:
        """Return the place if it was stored after all, by a request whose answer was lost. Raises AnotherReader."""
        found = await self._checkpoints.read(checkpoint_document(place)["id"])
        if found is None or found["token"] != place.token:
            raise AnotherReader from refusal
        return replace(place, stored=found["_etag"])

    async def forget(self, reader: str) -> None:
        """Remove the checkpoints of the reader. One that is written meanwhile stays."""
        for checkpoint in await self._checkpoints.read_all(f"{reader}:"):
            await self._checkpoints.delete(checkpoint)

    async def keep_gap(self, gap: Gap) -> None:
        """Store a gap."""
        await self._checkpoints.write(gap_document(gap), None)

    async def gaps(self) -> list[Gap]:
        """Return the gaps, by their ids."""
        return [decode_gap(document) for document in await self._checkpoints.read_all(GAP)]

    async def _ranges(self) -> list[tuple[str, str]]:
        """Return the ranges of the physical partitions as they are now."""

        async def read(container: ContainerProxy, _: Hook) -> list[Document]:
            return [part async for part in container.read_feed_ranges(force_refresh=True)]

        found = [part["Range"] for part in await self._cosmos.call("ranges", NOTICES, read)]
        return sorted((part["min"], part["max"]) for part in found)


def _uncovered(places: Iterable[FeedPlace], first: str, end: str) -> Iterator[tuple[str, str]]:
    """Yield the parts from `first` to `end` that no place covers."""
    for low, high in sorted(_bounds(place.range) for place in places):
        if first < low:
            yield first, min(low, end)
        first = max(first, high)
        if first >= end:
            return
    yield first, end


def _is_inside(place: FeedPlace, other: FeedPlace) -> bool:
    """Return whether the range of a place is a part of another."""
    (low, high), (other_low, other_high) = _bounds(place.range), _bounds(other.range)
    return place.range != other.range and other_low <= low and high <= other_high


def _bounds(name: str) -> tuple[str, str]:
    low, _, high = name.partition("-")
    return low, high


def _from(time: str, place: FeedPlace) -> Document:
    """Return the options of the SDK to read the range of a place from a time on."""
    return {"start_time": time, "feed_range": _feed_range(place.range)}


def _feed_range(name: str) -> Document:
    low, high = _bounds(name)
    return {"Range": {"min": low, "max": high, "isMinInclusive": True, "isMaxInclusive": False}}


def _parts(token: str) -> list[str | None]:
    """Return the places that a token of the SDK has for the physical partitions of its range."""
    state = json.loads(b64decode(token))["continuation"]
    entries = state if isinstance(state, list) else state["continuation"]
    return [entry["token"] for entry in entries]


def _events(documents: Iterable[Document]) -> Iterator[FeedEvent]:
    """Yield the events, those of one notice in the order of their versions. A page has the whole of a transaction."""
    found = [event for each in documents if each["id"].startswith(EVENT) for event in _identified(each)]
    yield from sorted(found, key=lambda event: (event.creditor_institution, event.number, event.version))


def _identified(document: Document) -> Iterator[FeedEvent]:
    """Yield the event of a document. Log one whose identity is damaged: it has no place among the others."""
    institution, number, version = (
        document.get("creditorInstitution"),
        document.get("noticeNumber"),
        document["id"].removeprefix(EVENT),
    )
    if isinstance(institution, str) and isinstance(number, str) and version.isascii() and version.isdigit():
        yield FeedEvent(institution, number, int(version), partial(decode_event, document))
    else:
        log_bug("event_without_identity", ValueError(), institution=institution, number=number)
