"""The words with which tests call paCreatePosition."""

from typing import Any

import httpx

from tests.support import (
    INSTITUTION,
    NUMBER,
)

CALL = "http://archive.test/api/aca/v1/paCreatePosition"
NOTICE = f"/creditor-institutions/{INSTITUTION}/notices/{NUMBER}"
COMUNE = "77777777777"
LENIENT_NOTICES = f"/creditor-institutions/{COMUNE}/notices"
IBAN = "IT60X0542811101000000123456"
POSTAL_IBAN = "IT96H0760112100001036880332"


A_NOTICE = {
    "amount": 12050,
    "description": "TARI 2026 prima rata",
    "debtor": {"type": "F", "fiscalCode": "RSSMRA80A01H501U", "fullName": "Mario Rossi"},
}


def a_position(**changes: Any) -> dict[str, Any]:
    """Return a call as the published description shows it, with its eight required fields; `...` leaves one out."""
    position = {
        "paFiscalCode": INSTITUTION,
        "entityType": "F",
        "entityFiscalCode": "RSSMRA80A01H501U",
        "entityFullName": "Mario Rossi",
        "iuv": NUMBER[1:],
        "amount": 12050,
        "description": "TARI 2026 prima rata",
        "expirationDate": "2026-12-16T23:59:59+01:00",
        **changes,
    }
    return {name: value for name, value in position.items() if value is not ...}


async def call(http: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    """Send a call."""
    return await http.post(CALL, json=a_position(**changes))


def refused(answer: httpx.Response) -> int:
    """Return the status of a refusal, which has the form that the primitive's clients know."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert set(body) == {"title", "status", "detail"}
    assert body["status"] == answer.status_code
    return answer.status_code
