"""The parameters of a debtor's list: header and query string → search.

The tax code comes in a header, because addresses are logged. From here on only its keyed hash is used.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from typing import Annotated

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from shared.debtor_hashes import DebtorHashes
from shared.debtor_lists import DebtorPage, DebtorSearch
from shared.domain.dates import parse_day
from shared.domain.identifiers import ANONYMOUS
from shared.errors import InvalidCursor, InvalidHeader
from shared.wire import forms, queries
from shared.wire.queries import parse_limit
from shared.wire.texts import Text

TAX_CODE_HEADER = "x-tax-code"
MAX_LIMIT = 100
DEFAULT_LIMIT = 50

_TAX_CODE = re.compile(r"[A-Za-z0-9]{2,16}")


class DebtorParameters(BaseModel):
    """The filter and the page of a debtor's list."""

    model_config = ConfigDict(alias_generator=to_camel)

    due_from: Annotated[date | None, Text(parse_day, forms.DAY)] = None
    """Only notices due on this day or later."""
    limit: Annotated[int, Text(parse_limit(MAX_LIMIT), queries.limit_form(MAX_LIMIT))] = DEFAULT_LIMIT
    """The size of a page, at most."""
    cursor: str | None = None
    """`nextCursor` of the page before, with the same tax code and the same filter."""


PARAMETERS = queries.names_of(DebtorParameters)
"""The names that the query of the address may have. It has no others."""


def parse_search(
    headers: Mapping[str, str], parameters: Mapping[str, str], now: datetime, hashes: DebtorHashes
) -> DebtorSearch:
    """Return the search that a debtor's list asks for. Raises InvalidHeader, InvalidParameter, InvalidCursor."""
    debtor = hashes.of(_tax_code(headers))
    read = queries.read(DebtorParameters, parameters)
    search = DebtorSearch(tuple(debtor), now, read.due_from, read.limit)
    return search if read.cursor is None else replace(search, after=_place(read.cursor, search))


def cursor_after(search: DebtorSearch, page: DebtorPage) -> str | None:
    """Return the cursor behind a page, None when the page was the last."""
    return None if page.after is None else queries.cursor([_fingerprints(search)[0], page.after])


def _tax_code(headers: Mapping[str, str]) -> str:
    code = headers.get(TAX_CODE_HEADER, "").strip()
    if not _TAX_CODE.fullmatch(code):
        raise InvalidHeader(f"Send the tax code of the debtor in {TAX_CODE_HEADER}: 2 to 16 letters and digits.")
    if code.upper() == ANONYMOUS:
        raise InvalidHeader(f"Send the tax code of one debtor in {TAX_CODE_HEADER}. {ANONYMOUS} stands for many.")
    return code


def _place(cursor: str, search: DebtorSearch) -> str:
    match queries.parts_of(cursor):
        case [str(fingerprint), str(place)]:
            if fingerprint not in _fingerprints(search):
                raise InvalidCursor(
                    "Send the tax code and the filter of the first page. If they are the same, begin again without a"
                    " cursor: it was made too long ago"
                )
            return place
        case _:
            raise InvalidCursor(queries.CHANGED_CURSOR)


def _fingerprints(search: DebtorSearch) -> list[str]:
    """Return the texts by which a cursor is bound to its list: one for each key, so that a new key ends no list.

    They follow from keyed hashes, so they say nothing about the tax code.
    """
    return [sha256(f"{debtor} {search.due_from}".encode()).hexdigest()[:16] for debtor in search.debtor]
