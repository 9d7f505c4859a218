"""Publications: valid notices of every shape, repetitions, preconditions, dates that pass."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bench.corpus.case import FIRST, Case, get, path_of, put
from bench.notices import A_STAMP_TRANSFER, A_TRANSFER, LENIENT, STRICT, TWO_TRANSFERS, body, dumps, number_of
from tests.support import IBAN, POSTAL_IBAN

PAUSE = 1.2
"""Seconds until the dates of `passing_dates` have passed."""


def publications() -> Iterator[Case]:
    """Yield valid notices of every shape, each followed by a read."""
    debtor = {"type": "F", "fiscalCode": "RSSMRA80A01H501U", "fullName": "Mario Rossi"}
    shapes: dict[str, dict[str, Any]] = {
        "a plain notice": {},
        "an IBAN of its own": {"iban": IBAN},
        "a postal IBAN": {"iban": IBAN, "postalIban": POSTAL_IBAN},
        "two transfers": {"transfers": TWO_TRANSFERS},
        "a stamp": {"amount": 13600, "transfers": [A_TRANSFER, A_STAMP_TRANSFER]},
        "a start in the future": {"validFrom": "2098-01-01"},
        "a start in the past": {"validFrom": "2020-01-01"},
        "a start at an instant": {"validFrom": "2097-06-01T10:00:00+02:00"},
        "a binding due date": {"dueDate": "2099-12-16", "switchToExpired": True},
        "a due date that has passed and is not binding": {"dueDate": "2020-01-01"},
        "a due instant with an offset": {"dueDate": "2099-12-16T10:00:00.123456789+01:00"},
        "a due instant in Rome": {"dueDate": "2031-07-01T10:00:00"},
        "a due instant in the hour that comes twice": {"dueDate": "2031-10-26T02:30:00"},
        "no due date": {"dueDate": "9999-12-31"},
        "the last instant": {"dueDate": "9999-12-31T23:59:59-05:00"},
        "a company": {"debtor": {**debtor, "type": "G", "fiscalCode": "12345678903"}},
        "no debtor that is known": {"debtor": {**debtor, "fiscalCode": "ANONIMO"}},
        "a fiscal code with letters for digits": {"debtor": {**debtor, "fiscalCode": "RSSMRA80A01H50MM"}},
        "all texts": {"iupd": "EC-1", "companyName": "Comune", "officeName": "Tributi", "metadata": {"a": "b"}},
        "nulls": {"iban": None, "transfers": None, "metadata": None, "payStandIn": None, "validFrom": None},
        "the longest texts": {"description": "x" * 255, "companyName": "è" * 140},
        "ten texts by name": {"metadata": {f"name {n}": "text" for n in range(10)}},
        "fields of an answer": {"status": "PAID", "version": 7, "noticeNumber": "x", "payments": []},
        "the largest amount": {"amount": 99_999_999_999},
        "a declaration in the past": {"occurredAt": "2026-01-01T10:00:00Z"},
        "the IUV of its number": {"iuv": number_of(FIRST + 125)[1:]},
    }
    for number, (name, changes) in enumerate(shapes.items(), start=100):
        yield put(f"publish: {name}", path_of(number), body(**changes))
        yield get(f"get: {name}", path_of(number))
    yield put("publish: another segregation code", path_of(1, "48"), body())
    yield put("publish: a charset", path_of(1), body(), Content_Type='application/json; charset="UTF-8"')
    free = f"{LENIENT}/AVVISO1"
    loose = {"fiscalCode": "X1", "type": "F", "fullName": "Mario Rossi"}
    yield put("publish: a lenient institution", free, body(iban="DE89370400440532013000", debtor=loose, iuv="IUV1"))
    yield put("publish: an IUV that is used", f"{LENIENT}/AVVISO2", body(iuv="IUV1"), 409, "iuv_already_used")
    yield put("publish: another IUV of a known notice", free, body(iuv="IUV2"), 409, "iuv_is_fixed")


def repetitions() -> Iterator[Case]:
    """Yield publications of a known notice."""
    path, accents = path_of(200), path_of(201)
    yield put("again: the first time", path, body(iban=IBAN))
    yield put("again: the same", path, body(iban=IBAN), 200)
    yield put("again: the same in another order", path, dumps({**dict(reversed([*body(iban=IBAN).items()]))}), 200)
    yield put("again: the same with nulls", path, body(iban=IBAN, iupd=None, transfers=[], metadata={}), 200)
    yield put("again: another amount", path, body(iban=IBAN, amount=13000), 200)
    yield put("again: transfers", path, body(transfers=TWO_TRANSFERS, description="rate"), 200)
    yield put("again: the registered IBAN", path, body(), 200)
    yield put("again: that IBAN sent back", path, body(iban=POSTAL_IBAN, postalIban=POSTAL_IBAN), 200)
    yield put("again: another debtor", path, body(debtor={"type": "G", "fiscalCode": "ANONIMO", "fullName": "x"}), 200)
    yield put("again: a start in the future", path, body(validFrom="2098-01-01"), 200)
    yield put("again: older", path, body(amount=1, occurredAt="2026-01-01T10:00:00Z"), 409, "stale_declaration")
    yield put("again: due in the past", path, body(dueDate="2020-01-01", switchToExpired=True), 422, "due_date_in_past")
    yield put(
        "new: due in the past", path_of(299), body(dueDate="2020-01-01", switchToExpired=True), 422, "due_date_in_past"
    )
    yield put("accents: as one character", accents, body(description="Università"))
    yield put("accents: as two characters", accents, body(description="Universita\u0300"), 200)
    tag = '"1-ACTIVE"'
    yield put("If-Match: the version", accents, body(amount=2), 200, If_Match=tag)
    yield put("If-Match: an old version", accents, body(amount=3), 412, "precondition_failed", If_Match=tag)
    yield put("If-Match: one of several", accents, body(amount=3), 200, If_Match='"9-ACTIVE", W/"2-ACTIVE"')
    yield put("If-Match: any", accents, body(amount=4), 200, If_Match="*")
    yield put("If-Match: another tag", accents, body(amount=5), 412, "precondition_failed", If_Match='"x"')
    yield put("If-Match: no tag", accents, body(amount=5), 400, "invalid_header", If_Match="1-ACTIVE")
    yield put("If-Match: nothing there", path_of(298), body(), 412, "precondition_failed", If_Match="*")
    yield put("If-None-Match: known", accents, body(amount=5), 412, "precondition_failed", If_None_Match="*")
    yield put("If-None-Match: new", path_of(202), body(), 201, If_None_Match="*")
    yield put("If-None-Match: a tag", accents, body(), 400, "invalid_header", If_None_Match=tag)


def passing_dates(now: datetime) -> Iterator[Case]:
    """Yield notices whose dates pass, and their status before and after."""
    soon = (now + timedelta(seconds=1)).isoformat()
    due, start = path_of(400), path_of(401)
    yield put("time: due soon", due, body(dueDate=soon, switchToExpired=True))
    yield put("time: starts soon", start, body(validFrom=soon))
    yield replace(get("time: expired", due), pause=PAUSE)
    yield get("time: active", start)
    yield get("time: the ETag has changed", due, If_None_Match='"1-ACTIVE"')
    yield get("time: listed as expired", f"{STRICT}?status=EXPIRED")
    yield get("time: listed as active", f"{STRICT}?status=ACTIVE&limit=500")
    yield get("time: not listed as scheduled any more", f"{STRICT}?status=SCHEDULED&limit=500")
    yield put("time: a later due date", due, body(dueDate="2099-01-01", switchToExpired=True), 200)
    yield get("time: both changes are in the history", f"{due}/events")
