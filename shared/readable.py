"""Leaves out what is damaged in a store, so that one document does not hide the others."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from shared.telemetry import log_bug

Stored = TypeVar("Stored")
Decoded = TypeVar("Decoded")


def readable(
    stored: Iterable[Stored],
    decode: Callable[[Stored], Decoded],
    address: Callable[[Stored], tuple[object, object]],
) -> Iterator[Decoded]:
    """Yield what is decoded. Log what is damaged, with the institution and the number that `address` finds there."""
    for each in stored:
        try:
            yield decode(each)
        except Exception as error:  # noqa: BLE001  however a document is damaged, it must not hide the others
            institution, number = address(each)
            log_bug("document_unreadable", error, institution=institution, number=number)
