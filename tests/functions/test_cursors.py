"""A cursor is bound to the filters that it was made for, whatever filters there will be."""

import base64
from dataclasses import fields, replace
from typing import Any

import orjson

from shared.archive import Page
from shared.ports import Search
from shared.wire.queries import cursor_after
from tests.support import INSTITUTION, NOW, a_notice

SEARCH = Search(INSTITUTION, NOW)
NO_FILTERS = {"now", "segregation_codes", "limit", "after"}
"""What may differ from page to page: the caller's grants are checked anew, and a page may be longer."""


def fingerprint(search: Search) -> str:
    """The part of a cursor that stands for the filters."""
    cursor = cursor_after(search, Page([a_notice()], has_more=True))
    assert cursor is not None
    made_for: str = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))[0]
    return made_for


def test_every_filter_of_a_search_binds_its_cursors() -> None:
    another: Any = "another"
    others = {field.name: replace(SEARCH, **{field.name: another}) for field in fields(Search)}

    binding = {name for name, other in others.items() if fingerprint(other) != fingerprint(SEARCH)}

    assert binding == {field.name for field in fields(Search)} - NO_FILTERS
