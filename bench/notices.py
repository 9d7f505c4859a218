"""The notices of the bench: their numbers, and bodies of several shapes. The same for every side and in every run.

A serial number decides the notice number and the body, so that a load can send the same notice again.
"""

from collections.abc import Mapping
from itertools import product
from random import Random
from typing import Any

import orjson

from bench.peer.check_digits import check_letter
from tests.support import IBAN, INSTITUTION, POSTAL_IBAN, a_number

STRICT = f"/api/v1/creditor-institutions/{INSTITUTION}/notices"
"""The address of the notices of the strict institution."""
LENIENT = "/api/v1/creditor-institutions/77777777777/notices"
KEY = {"Ocp-Apim-Subscription-Key": "local-ec"}
JSON = {**KEY, "Content-Type": "application/json"}

A_TRANSFER: Mapping[str, Any] = {
    "id": 1,
    "amount": 12000,
    "creditorInstitution": INSTITUTION,
    "iban": IBAN,
    "remittanceInformation": "TARI 2026 prima rata",
    "category": "9/0101100IM/",
    "metadata": {"ufficio": "tributi", "anno": "2026"},
}
A_STAMP: Mapping[str, Any] = {
    "hashDocument": "wHpFSLCGZjIvNSXxqtGbxg7275t446DRTk5ZrsdUQ6E=",
    "stampType": "01",
    "provincialResidence": "RM",
}
TWO_TRANSFERS = [
    A_TRANSFER,
    {**A_TRANSFER, "id": 2, "amount": 50, "creditorInstitution": "77777777777", "category": "9/0201102IM/"},
]
A_STAMP_TRANSFER = {name: value for name, value in A_TRANSFER.items() if name != "iban"} | {
    "id": 2,
    "amount": 1600,
    "stamp": A_STAMP,
}


def body(**changes: Any) -> dict[str, Any]:
    """Return a plain notice. A change to `...` leaves the field out."""
    plain = {
        "amount": 12050,
        "description": "TARI 2026 prima rata",
        "dueDate": "2099-12-16",
        "debtor": {"type": "F", "fiscalCode": "RSSMRA80A01H501U", "fullName": "Mario Rossi"},
        **changes,
    }
    return {name: value for name, value in plain.items() if value is not ...}


def dumps(value: object) -> bytes:
    """Return the value as JSON."""
    return orjson.dumps(value)


_NAMES = {"companyName": "Comune di Esempio", "iupd": "EC-2026-000123"}
SHAPES: tuple[dict[str, Any], ...] = (
    _NAMES,
    {"iban": IBAN, "companyName": "Comune di Esempio"},
    {**_NAMES, "officeName": "Ufficio tributi"},
    {**_NAMES, "transfers": TWO_TRANSFERS},
    {"switchToExpired": True, "validFrom": "2020-01-01", "iupd": "EC-2026-000123"},
    {**_NAMES, "iban": POSTAL_IBAN, "postalIban": POSTAL_IBAN},
    {"metadata": {"pratica": "2026/4711", "canale": "sportello"}, "payStandIn": False},
    {"amount": 13600, "transfers": [A_TRANSFER, A_STAMP_TRANSFER]},
)
"""The changes to a plain notice, from one serial number to the next. A quarter has transfers."""


def number_of(serial: int, segregation_code: str = "47") -> str:
    """Return the notice number with this serial."""
    return a_number(serial, segregation_code)


def body_of(serial: int) -> bytes:
    """Return the body of the notice with this serial."""
    return BODIES[serial % len(BODIES)]


def varied_bodies(count: int) -> list[bytes]:
    """Return bodies as many debtors receive them: each has another debtor, some have another account or day."""
    random = Random(1)
    names = [*product(("Mario", "Lucia", "Noè", "Zoë"), ("Rossi", "D'Amico", "Ferrè", "Esposito"))]
    return [
        dumps(
            body(
                **SHAPES[number % len(SHAPES)],
                description=f"TARI 2026, rata {number % 4 + 1}",
                dueDate=f"2099-{random.randint(1, 12):02}-{random.randint(1, 28):02}",
                debtor={"type": "F", "fiscalCode": _fiscal_code(random), "fullName": " ".join(random.choice(names))},
            )
        )
        for number in range(count)
    ]


def _fiscal_code(random: Random) -> str:
    letters = "".join(random.choices("BCDFGLMNPRSTVZ", k=6))
    start = f"{letters}{random.randint(40, 99)}{random.choice('ABCDEHLMPRST')}{random.randint(1, 28):02}H501"
    return start + check_letter(start)


BODIES = tuple(dumps(body(**shape)) for shape in SHAPES)
