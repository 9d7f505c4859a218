"""Bodies that break one rule each."""

from collections.abc import Iterator
from typing import Any

from bench.corpus.case import Case, get, path_of, put
from bench.notices import A_STAMP_TRANSFER, A_TRANSFER, body
from tests.support import IBAN, POSTAL_IBAN


def broken_bodies() -> Iterator[Case]:
    """Yield bodies that break one rule each."""
    plain, transfer, stamp = body(), dict(A_TRANSFER), dict(A_STAMP_TRANSFER)
    debtor = plain["debtor"]
    whole, no_province = {**transfer, "amount": 12050}, {**stamp["stamp"], "provincialResidence": "rm"}
    broken: dict[str, Any] = {
        "no amount": body(amount=...),
        "amount: zero": body(amount=0),
        "amount: negative": body(amount=-1),
        "amount: too large": body(amount=100_000_000_000),
        "amount: a text": body(amount="12050"),
        "amount: a fraction": body(amount=12050.0),
        "amount: true": body(amount=True),
        "amount: null": body(amount=None),
        "no description": body(description=...),
        "description: empty": body(description=""),
        "description: too long": body(description="x" * 256),
        "description: two lines": body(description="TARI\n2026"),
        "description: blanks": body(description="  "),
        "description: nothing visible": body(description="\u3164"),
        "description: a number": body(description=7),
        "no due date": body(dueDate=...),
        "due date: no date": body(dueDate="16/12/2099"),
        "due date: a day that is not": body(dueDate="2099-02-30"),
        "due date: too early": body(dueDate="1999-12-31"),
        "due date: an hour that the clock skips": body(dueDate="2031-03-30T02:30:00"),
        "due date: hour 24": body(dueDate="2099-12-16T24:00:00Z"),
        "due date: a number": body(dueDate=20991216),
        "due date: a blank after it": body(dueDate="2099-12-16 "),
        "no debtor": body(debtor=...),
        "debtor: a text": body(debtor="Mario Rossi"),
        "debtor: no such type": body(debtor={**debtor, "type": "X"}),
        "debtor: wrong check character": body(debtor={**debtor, "fiscalCode": "RSSMRA80A01H501X"}),
        "debtor: wrong check digit": body(debtor={**debtor, "fiscalCode": "12345678901"}),
        "debtor: zeros": body(debtor={**debtor, "fiscalCode": "00000000000"}),
        "debtor: lower case": body(debtor={**debtor, "fiscalCode": "rssmra80a01h501u"}),
        "debtor: no such birthday": body(debtor={**debtor, "fiscalCode": "RSSMRA80B30H501N"}),
        "debtor: no name": body(debtor={**debtor, "fullName": " "}),
        "iban: wrong check digits": body(iban="IT61X0542811101000000123456"),
        "iban: wrong CIN": body(iban="IT60Y0542811101000000123456"),
        "iban: of another country": body(iban="DE89370400440532013000"),
        "iban: with blanks": body(iban="IT60 X054 2811 1010 0000 0123 456"),
        "postal IBAN: of a bank": body(iban=IBAN, postalIban=IBAN),
        "transfers: another sum": body(transfers=[transfer]),
        "transfers: the same id": body(transfers=[transfer, {**transfer, "amount": 50}]),
        "transfers: six": body(amount=6, transfers=[{**transfer, "id": n, "amount": 1} for n in range(1, 7)]),
        "transfers: id 6": body(transfers=[{**whole, "id": 6}]),
        "transfers: beside an IBAN": body(iban=IBAN, transfers=[whole]),
        "transfers: an object": body(transfers=whole),
        "transfer: IBAN and stamp": body(transfers=[{**whole, "stamp": stamp["stamp"]}]),
        "transfer: no IBAN, no stamp": body(transfers=[{**whole, "iban": None}]),
        "transfer: stamp and postal IBAN": body(amount=1600, transfers=[{**stamp, "postalIban": POSTAL_IBAN}]),
        "transfer: an unknown field": body(transfers=[{**whole, "note": "x"}]),
        "transfer: an institution of ten digits": body(transfers=[{**whole, "creditorInstitution": "1537637100"}]),
        "stamp: no such province": body(amount=1600, transfers=[stamp | {"stamp": no_province}]),
        "valid from: after the due date": body(validFrom="2099-12-17"),
        "valid from: the due instant": body(validFrom="2099-12-16T10:00:00Z", dueDate="2099-12-16T10:00:00Z"),
        "metadata: eleven": body(metadata={f"name {n}": "x" for n in range(11)}),
        "metadata: no name": body(metadata={"": "x"}),
        "metadata: a number": body(metadata={"x": 1}),
        "a flag as text": body(switchToExpired="true"),
        "IUV: of another number": body(iuv="47000000000000999"),
        "occurred at: ahead": body(occurredAt="2099-01-01T00:00:00Z"),
        "occurred at: a day": body(occurredAt="2026-01-01"),
        "an unknown field": body(note="x"),
        "a list": [plain],
        "a text": "notice",
    }  # fmt: skip
    for name, content in broken.items():
        yield put(f"broken: {name}", path_of(300), content, 422, "invalid_body")
    yield put("broken: nothing", path_of(300), b"", 400, "invalid_json")
    yield put("broken: no JSON", path_of(300), b"{'amount': 1}", 400, "invalid_json")
    yield put("broken: NaN", path_of(300), b'{"amount": NaN}', 400, "invalid_json")
    yield put("broken: Latin-1", path_of(300), '{"description": "perché"}'.encode("latin-1"), 400, "invalid_encoding")
    yield put("broken: a byte order mark", path_of(300), b"\xef\xbb\xbf{}", 400, "invalid_encoding")
    yield put("broken: a lone surrogate", path_of(300), rb'{"description": "\ud800"}', 400, "invalid_encoding")
    yield get("broken: nothing was published", path_of(300), 404, "notice_not_found")
