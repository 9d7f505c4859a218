"""The fields of a notice: what each takes, and what it refuses with which code; one table for PUT and PATCH."""

from typing import Any

from tests.functions.client import A_STAMP, A_STAMP_TRANSFER, A_TRANSFER
from tests.support import IBAN, POSTAL_IBAN, a_body

EURO = "\N{EURO SIGN}"
ASTRAL = "\N{CLASSICAL BUILDING}"

TAKEN: dict[str, list[Any]] = {
    "amount": [1, 99_999_999_999],
    "description": ["T", "T" * 255, ASTRAL * 255, " . ", "e\u0301", "Università « è » d'Aosta", "a\u00a0b\u200b"],
    "dueDate": [
        "2026-11-23",
        "2000-01-01",
        "2999-12-31",
        "9999-12-31",
        "9999-12-31T23:59:59.999Z",
        "2028-02-29",
        "2026-12-16T09:00:00.000Z",
    ],
    "debtor.type": ["F", "G"],
    "debtor.fiscalCode": ["RSSMRA80A01H501U", "RSSMRA80A01H50MM", "12345678903", "ANONIMO"],
    "debtor.fullName": ["M", "M" * 255, ASTRAL * 255],
    "iban": [IBAN, POSTAL_IBAN],
    "postalIban": [POSTAL_IBAN],
    "validFrom": ["2000-01-01", "2026-11-23", "2026-12-16", "2026-12-15T23:00:00.000Z"],
    "switchToExpired": [True, False],
    "payStandIn": [True, False],
    "iupd": ["1", "i" * 50, EURO * 50, " "],
    "companyName": ["C", "C" * 140, EURO * 140],
    "officeName": ["O", "O" * 140, EURO * 140],
    "metadata": [{"k": "v"}, {"k" * 140: "v" * 140}, {f"key-{n}": "v" for n in range(10)}],
    "transfers[0].id": [1, 5],
    "transfers[0].creditorInstitution": ["15376371009", "77777777777", "00000000000"],
    "transfers[0].iban": [IBAN, POSTAL_IBAN],
    "transfers[0].postalIban": [POSTAL_IBAN],
    "transfers[0].remittanceInformation": ["r", "r" * 140],
    "transfers[0].category": ["c", "c" * 140],
    "transfers[0].metadata": [{}, {"k": "v"}, {f"key-{n}": "v" for n in range(10)}],
    "transfers[0].stamp.hashDocument": ["h", "h" * 72],
    "transfers[0].stamp.stampType": ["01", "99"],
    "transfers[0].stamp.provincialResidence": ["RM", "AO"],
}
"""Values that are shown as they were given."""

NOT_A_STRING: list[Any] = [7, 1.5, True, [], {}]
NOT_A_FLAG: list[Any] = ["true", 0, 1, 1.0, [], {}]
NOT_A_COUNT: list[Any] = ["1", 1.5, True, [], {}]
NOT_AN_OBJECT: list[Any] = ["x", 7, True, [], [{}]]
NOT_A_LIST: list[Any] = ["x", 7, True, {}, A_TRANSFER]
NO_DATE = [
    "", "x", "16/12/2026", "2026-12-1", "2026-1-16", "20261216", "2026-13-01", "2026-02-30", "2027-02-29",
    "2026-12-16T", "2026-12-16T24:00:00Z", "2026-12-16T10:60:00Z", "2026-12-16T23:59:60Z", "2026-12-16T10:00Z",
    "2026-12-16T10:00:00+24:00", "2026-W51-3", "2026-350", " 2026-12-16", "2026-12-16 ", "2026-12-16\n",
    "٢٠٢٦-١٢-١٦", "2026-12-16\0", "now",
]  # fmt: skip
TOO_EARLY = ["1999-12-31", "0000-01-01", "1999-12-31T22:59:59Z"]
NO_IBAN = [
    "", "x", "IT60X0542811101000000123457", "IT61X0542811101000000123456", "IT60Y0542811101000000123456",
    "it60x0542811101000000123456", "IT60 X054 2811 1010 0000 0123 456", "IT60X054281110100000012345",
    "IT60X05428111010000001234567", "DE89370400440532013000", "IT0000000000000000000000000", f" {IBAN}", f"{IBAN}\n",
    "IT60X054281110100000012345６",
]  # fmt: skip
NO_DEBTOR = [
    "", "x", "RSSMRA80A01H501X", "rssmra80a01h501u", " RSSMRA80A01H501U", "RSSMRA80A01H501U\n",
    "RSSMRA80A01H501", "RSSMRA80A41H501U", "12345678910", "1234567890", "１２３４５６７８９０３", "anonimo", "ANONIMO ",
    "RSSMRA80A01H501\0", "00000000000",
]  # fmt: skip


def _words(most: int) -> dict[str, list[Any]]:
    return {
        "wrong_type": NOT_A_STRING,
        "too_short": [""],
        "too_long": ["x" * (most + 1), ASTRAL * (most + 1)],
        "control_character": [
            "\0",
            "a\0b",
            "a\tb",
            "a\n",
            "\ra",
            "\x1f",
            "\x7f",
            "\x85",
            "\x9f",
            "\u2028",
            "\u2029",
            "\ufffe",
            "\uffff",
        ],
    }


def _visible_words(most: int) -> dict[str, list[Any]]:
    return {
        **_words(most),
        "nothing_visible": [" ", "\u200b", "\u00a0 \u3000", "\u0301", "\u00ad\ufeff", "\u3164\u2800"],
    }


_DATES = {"wrong_type": NOT_A_STRING, "date_time": NO_DATE, "date_out_of_range": TOO_EARLY}
_METADATA: dict[str, list[Any]] = {
    "wrong_type": [*NOT_AN_OBJECT, {"k": 7}, {"k": {"deep": "v"}}, {"k": ["v"]}, {"k": True}],
    "too_many": [{f"key-{n}": "v" for n in range(21)}],
    "too_short": [{"": "v"}, {"k": ""}],
    "too_long": [{"k" * 141: "v"}, {"k": "v" * 141}],
    "control_character": [{"k\0": "v"}, {"k": "v\0"}, {"k": "v\n"}, {"k\t": "v"}, {"k": "\u2028"}],
}

REFUSED: dict[str, dict[str, list[Any]]] = {
    "amount": {"wrong_type": NOT_A_COUNT, "out_of_range": [0, -1, 100_000_000_000, 2**63, 2**64, -(2**64), 10**30]},
    "description": _visible_words(255),
    "dueDate": {**_DATES, "missing_hour": ["2027-03-28T02:30:00"]},
    "debtor": {"wrong_type": NOT_AN_OBJECT},
    "debtor.type": {"not_allowed": ["", "f", "X", "FG", 1, True, [], {}]},
    "debtor.fiscalCode": {"wrong_type": NOT_A_STRING, "debtor_code": NO_DEBTOR},
    "debtor.fullName": _visible_words(255),
    "debtor.age": {"unknown_field": [44, None]},
    "iban": {"wrong_type": NOT_A_STRING, "iban": NO_IBAN},
    "postalIban": {"wrong_type": NOT_A_STRING, "iban": NO_IBAN, "postal_iban": [IBAN]},
    "validFrom": {**_DATES, "missing_hour": ["2026-03-29T02:00:00"]},
    "switchToExpired": {"wrong_type": NOT_A_FLAG},
    "payStandIn": {"wrong_type": NOT_A_FLAG},
    "iupd": _words(50),
    "companyName": _visible_words(140),
    "officeName": _visible_words(140),
    "metadata": _METADATA,
    "iuv": {"wrong_type": NOT_A_STRING, "iuv": ["", "x" * 36, "4700-00000000124", "47000000000000124\n", "é"]},
    "occurredAt": {
        "wrong_type": NOT_A_STRING,
        "date_time": [*NO_DATE, "2026-11-23"],
        "date_out_of_range": ["1999-12-31T10:00:00Z"],
    },
    "amuont": {"unknown_field": [12050, None]},
    "transfers": {
        "wrong_type": NOT_A_LIST,
        "too_many": [[{**A_TRANSFER, "id": n, "amount": 2410} for n in (1, 2, 3, 4, 5, 5)]],
    },
    "transfers[0]": {"wrong_type": ["x", 7, True, []]},
    "transfers[0].id": {"wrong_type": NOT_A_COUNT, "out_of_range": [0, 6, -1, 2**64]},
    "transfers[0].amount": {"wrong_type": NOT_A_COUNT, "out_of_range": [0, -12050, 100_000_000_000]},
    "transfers[0].creditorInstitution": {
        "wrong_type": NOT_A_STRING,
        "institution_code": ["", "1537637100", "153763710090", "1537637100X", "１５３７６３７１００９"],
    },
    "transfers[0].iban": {"wrong_type": NOT_A_STRING, "iban": NO_IBAN},
    "transfers[0].postalIban": {"wrong_type": NOT_A_STRING, "iban": NO_IBAN, "postal_iban": [IBAN]},
    "transfers[0].remittanceInformation": _visible_words(140),
    "transfers[0].category": _words(140),
    "transfers[0].metadata": {
        **_METADATA,
        "too_many": [{f"key-{n}": "v" for n in range(11)}],
    },
    "transfers[0].note": {"unknown_field": ["x", None]},
    "transfers[0].stamp.hashDocument": _words(72),
    "transfers[0].stamp.stampType": {"wrong_type": NOT_A_STRING, "wrong_form": ["", "1", "001", "0é", "01\n", "\0\0"]},
    "transfers[0].stamp.provincialResidence": {"wrong_type": NOT_A_STRING, "wrong_form": ["", "R", "ROM", "rm", "R\0"]},
    "transfers[0].stamp.colour": {"unknown_field": ["red"]},
}
"""Values of one field in an otherwise valid notice, by the code of the rule that they break."""

RULES = [(where, code) for where, rules in REFUSED.items() for code in rules]

REQUIRED = ("amount", "description", "dueDate", "debtor", "debtor.type", "debtor.fiscalCode", "debtor.fullName")
REQUIRED_OF_A_TRANSFER = (
    "transfers[0].id", "transfers[0].amount", "transfers[0].creditorInstitution", "transfers[0].remittanceInformation",
    "transfers[0].category", "transfers[0].stamp.hashDocument", "transfers[0].stamp.stampType",
    "transfers[0].stamp.provincialResidence",
)  # fmt: skip


def naming(where: str, value: Any) -> dict[str, Any]:
    """Return a patch that names one field; `...` leaves the field out of the part that it belongs to."""
    match where.split("."):
        case ["debtor", name]:
            return {"debtor": _with({}, name, value)}
        case ["transfers[0]"]:
            return {"transfers": [value]}
        case ["transfers[0]", name]:
            return {"transfers": [_with(A_TRANSFER, name, value)]}
        case ["transfers[0]", "stamp", name]:
            return {"transfers": [_with(A_STAMP_TRANSFER, "stamp", _with(A_STAMP, name, value))]}
        case _:
            return {where: value}


def whole(where: str, value: Any) -> dict[str, Any]:
    """Return a whole notice with one field changed; `...` leaves it out."""
    named = naming(where, value)
    if where.startswith("debtor."):
        named = {"debtor": _with(a_body()["debtor"], where.removeprefix("debtor."), value)}
    return a_body(**named)


def found(notice: dict[str, Any], where: str) -> Any:
    """Return what a notice shows at a path."""
    value: Any = notice
    for step in where.replace("[0]", ".0").split("."):
        value = value[int(step)] if step.isdigit() else value[step]
    return value


def _with(part: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    return {key: given for key, given in {**part, name: value}.items() if given is not ...}
