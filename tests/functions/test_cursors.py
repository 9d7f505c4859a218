"""A cursor is bound to the filters that it was made for, whatever filters there will be."""

import base64
from dataclasses import fields, replace
from typing import Any

import orjson
import pytest

from shared.archive import History, Page
from shared.domain.declarations import publish
from shared.domain.identifiers import NoticeNumber
from shared.domain.notice import Address
from shared.errors import InvalidCursor
from shared.ports import Cursor, Search
from shared.wire.queries import LIST_PARAMETERS, cursor_after, cursor_of_history, parse_history
from tests.support import ADDRESS, INSTITUTION, NOW, NUMBER, a_number, a_publication, an_act

SEARCH = Search(INSTITUTION, NOW)
NO_FILTERS = {"now", "segregation_codes", "limit", "after"}
"""What may differ from page to page: the caller's grants are checked anew, and a page may be longer."""


def fingerprint(search: Search) -> str:
    """The part of a cursor that stands for the filters."""
    cursor = cursor_after(search, Page([], Cursor("", NUMBER)))
    assert cursor is not None
    made_for: str = parts(cursor)[0]
    return made_for


def parts(cursor: str) -> list[Any]:
    """What a cursor holds."""
    held: list[Any] = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return held


def test_every_filter_of_a_search_binds_its_cursors() -> None:
    another: Any = "another"
    others = {field.name: replace(SEARCH, **{field.name: another}) for field in fields(Search)}

    binding = {name for name, other in others.items() if fingerprint(other) != fingerprint(SEARCH)}

    assert binding == {field.name for field in fields(Search)} - NO_FILTERS


def test_the_longest_list_address_that_the_archive_makes_is_far_from_the_platforms_limit() -> None:
    address = Address(INSTITUTION, NoticeNumber("Z" * 35))
    search = replace(SEARCH, updated_from=NOW, updated_to=NOW)
    cursor = cursor_after(search, Page([], Cursor("", address.number)))
    assert cursor is not None

    # No value of a filter is longer than a date-time with an offset, every character of it encoded.
    longest = {name: "%3A" * len("2026-11-23T12:00:00.000+01:00") for name in LIST_PARAMETERS} | {"cursor": cursor}

    # The platform takes 8,192 bytes of a request line.
    assert len("&".join(f"{name}={value}" for name, value in longest.items())) < 6 * 1024


def a_cursor(version: object = ...) -> str:
    """The cursor of a history behind its first event, or with another version in its place."""
    events = [*publish(None, a_publication(), an_act()).events]
    cursor = cursor_of_history(ADDRESS, History(events, has_more=True))
    assert cursor is not None
    if version is ...:
        return cursor
    return base64.urlsafe_b64encode(orjson.dumps([parts(cursor)[0], version])).decode().rstrip("=")


def test_a_cursor_of_a_history_is_good_for_its_notice_only() -> None:
    assert parse_history({"cursor": a_cursor()}, ADDRESS) == (1, 100)
    with pytest.raises(InvalidCursor) as refusal:
        parse_history({"cursor": a_cursor()}, Address(INSTITUTION, a_number(2)))
    assert refusal.value.detail == "Send the cursor with the address that it came from: it is of another history"


@pytest.mark.parametrize("version", [0, -1, 2**31, 2**63, 1.5, "1", None, [1]])
def test_a_cursor_of_a_history_with_a_version_that_is_none_is_refused(version: object) -> None:
    with pytest.raises(InvalidCursor):
        parse_history({"cursor": a_cursor(version)}, ADDRESS)
