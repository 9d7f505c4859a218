"""The form of the contract's texts, in JSON Schema.

A pattern accepts a text that is right in some institution: first the strict form, then the lenient one. The parsers of
the domain check digits and the calendar.
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.identifiers import ANONYMOUS

Form = Mapping[str, Any]

INSTITUTION: Final[Form] = {
    "type": "string",
    "pattern": "^[0-9]{11}$",
    "minLength": 11,
    "maxLength": 11,
    "description": "Fiscal code of a creditor institution (codice fiscale dell'ente creditore), 11 digits.",
    "examples": ["77777777777"],
}
NUMBER: Final[Form] = {
    "type": "string",
    "pattern": "^([0-3][0-9]{17}|[A-Za-z0-9]{1,35})$",
    "minLength": 1,
    "maxLength": 35,
    "description": "Notice number (codice avviso): 18 digits, of which the first, the auxiliary digit, is 0 to 3, and"
    " the last two are the first sixteen modulo 93, except after auxiliary digit 1. In lenient institutions 1 to 35"
    " letters and digits.",
    "examples": ["347000000000000124"],
}
IUV: Final[Form] = {
    "type": "string",
    "pattern": "^[A-Za-z0-9]{1,35}$",
    "minLength": 1,
    "maxLength": 35,
    "description": "Payment identifier (IUV), 1 to 35 letters and digits. It follows from the notice number, unless the"
    " institution is lenient.",
    "examples": ["47000000000000124"],
}
DEBTOR: Final[Form] = {
    "type": "string",
    "pattern": "^([A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]|[0-9]{11}"
    f"|{ANONYMOUS}|[A-Z0-9]{{2,16}})$",
    "minLength": 2,
    "maxLength": 16,
    "description": "Fiscal code of the debtor (codice fiscale o partita IVA del debitore): 16 characters, or 11 digits,"
    f" with the right check character; or {ANONYMOUS}. In lenient institutions 2 to 16 upper-case letters and digits."
    " Never 11 zeros.",
    "examples": ["RSSMRA80A01H501U", "12345678903", ANONYMOUS],
}
IBAN: Final[Form] = {
    "type": "string",
    "pattern": "^((IT|SM)[0-9]{2}[A-Z][0-9]{10}[0-9A-Z]{12}|[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30})$",
    "minLength": 15,
    "maxLength": 34,
    "description": "IBAN of Italy or San Marino: 27 characters in upper case without blanks, with right check digits"
    " and CIN. In lenient institutions 15 to 34 characters of any country, check digits not looked at.",
    "examples": ["IT60X0542811101000000123456"],
}
POSTAL_IBAN: Final[Form] = {
    "type": "string",
    "pattern": "^((IT|SM)[0-9]{2}[A-Z]07601[0-9]{5}[0-9A-Z]{12}|[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30})$",
    "minLength": 15,
    "maxLength": 34,
    "description": "IBAN of Poste Italiane (ABI 07601), with right check digits and CIN. In lenient institutions that"
    " of any bank.",
    "examples": ["IT96H0760112100001036880332"],
}

# No control character, line or paragraph separator, nor what XML cannot carry; JSON cannot carry lone surrogates.
_NOT_IN_TEXTS = r"\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff"
TEXT: Final = f"^[^{_NOT_IN_TEXTS}]*$"
VISIBLE_TEXT: Final = rf"^[^{_NOT_IN_TEXTS}]*[^\s{_NOT_IN_TEXTS}][^{_NOT_IN_TEXTS}]*$"

_DAY = "[2-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
# The first hour of 2000 in Rome is the last of 1999 in UTC.
_DAY_OF_TIME = f"(?:{_DAY}|1999-12-31)"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?"
_OFFSET = "([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"

DAY: Final[Form] = {
    "type": "string",
    "pattern": f"^{_DAY}$",
    "description": "A day in Italy, 2000-01-01 to 9999-12-31.",
    "examples": ["2026-12-16", "9999-12-31"],
}
DATE_TIME: Final[Form] = {
    "type": "string",
    "pattern": f"^{_DAY_OF_TIME}[Tt]{_TIME}{_OFFSET}?$",
    "description": "A date-time of RFC 3339; without offset it is the time in Italy. Digits after the milliseconds"
    " are dropped.",
    "examples": ["2026-11-24T15:42:49+01:00", "2026-11-24T14:42:49.123Z"],
}
DATE_TIME_WITH_OFFSET: Final[Form] = {
    "type": "string",
    "pattern": f"^{_DAY_OF_TIME}[Tt]{_TIME}{_OFFSET}$",
    "description": "A date-time of RFC 3339 with its offset. Digits after the milliseconds are dropped.",
    "examples": ["2026-11-23T11:15:29+01:00", "2026-11-23T10:15:30.120Z"],
}
DATE_TIME_OF_POSITION: Final[Form] = {
    "type": "string",
    "pattern": f"^{_DAY_OF_TIME}[Tt]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{{1,9}})?)?"
    "([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$",
    "description": "A date-time with its offset; seconds, and the colon in the offset, may be missing.",
    "examples": ["2026-12-16T23:59:59+01:00"],
}
DAY_OR_DATE_TIME: Final[Form] = {
    "type": "string",
    "pattern": f"^(?:{_DAY}|{_DAY_OF_TIME}[Tt]{_TIME}{_OFFSET}?)$",
    "description": "A day in Italy, or a date-time of RFC 3339; without offset that is the time in Italy. 9999-12-31"
    " stands for no due date.",
    "examples": ["2026-12-16", "2026-12-16T12:00:00+01:00", "9999-12-31"],
}


def one_of(*values: str) -> Form:
    """Return the form of a text that is one of these."""
    return {"type": "string", "enum": list(values)}
