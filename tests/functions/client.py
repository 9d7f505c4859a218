"""How tests call the functions: addresses, callers, notices in each status, and checks of an answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx

from shared.auth import key_hash
from shared.bootstrap import Application
from shared.domain.callers import Key
from shared.domain.events import Origin
from shared.domain.identifiers import Iban
from shared.domain.institutions import DEFAULT_LABEL, CreditorInstitution
from shared.domain.notice import Address
from shared.errors import catalogue
from shared.wire.violations import VIOLATIONS
from tests.support import (
    ADDRESS,
    IBAN,
    INSTITUTION,
    NUMBER,
    a_body,
    a_caller,
    a_line,
    a_number,
    a_payment,
    a_publication,
    an_act,
)

KEY = "Ocp-Apim-Subscription-Key"
COMUNE = "77777777777"
"""The seeded institution that is lenient; its default IBAN is tests.support.IBAN, not postal."""

JSON = {"Content-Type": "application/json"}
MINUTE = timedelta(minutes=1)

Tick = Callable[[], Awaitable[object]]
"""What the platform does every minute."""


def notices_of(institution: str = INSTITUTION) -> str:
    """Return the address of the notices of an institution; the one of tests.support is strict, default POSTAL_IBAN."""
    return f"/creditor-institutions/{institution}/notices"


def path_of(number: str = NUMBER, institution: str = INSTITUTION) -> str:
    """Return the address of a notice."""
    return f"{notices_of(institution)}/{number}"


NOTICE = path_of()
LIST = notices_of()
EVENTS = f"{NOTICE}/events"
LENIENT_NOTICE = path_of(institution=COMUNE)
UNREGISTERED = path_of(institution="12345678903")
"""A notice of an institution that is not registered."""

ANOTHER_IBAN = Iban("IT73J0615513000000000012345")
ACA = frozenset({DEFAULT_LABEL})
"""The labels of a registered IBAN that is the default of its institution."""

A_TRANSFER = {
    "id": 1,
    "amount": 12050,
    "creditorInstitution": INSTITUTION,
    "iban": IBAN,
    "remittanceInformation": "TARI",
    "category": "9/0101100IM/",
}
A_STAMP = {
    "hashDocument": "wHpFSLCGZjIvNSXxqtGbxg7275t446DRTk5ZrsdUQ6E=",
    "stampType": "01",
    "provincialResidence": "RM",
}
A_STAMP_TRANSFER = {name: value for name, value in A_TRANSFER.items() if name != "iban"} | {"stamp": A_STAMP}
TWO_TRANSFERS = [{**A_TRANSFER, "amount": 12000, "metadata": {}}, {**A_TRANSFER, "id": 2, "amount": 50, "metadata": {}}]

EVENT_TYPES = ("cancelled", "closed", "restored")
"""The events that a client declares."""

BODIES: Mapping[str, Any] = {"PUT": a_body(), "PATCH": {"amount": 1}, "POST": {"type": "closed"}}
"""A body that each method takes."""

REQUESTS = [
    ("PUT", NOTICE, a_body()),
    ("PUT", path_of(a_number(2)), a_body()),
    ("PUT", path_of("A1", COMUNE), a_body()),
    ("PATCH", NOTICE, {"amount": 1}),
    ("POST", EVENTS, {"type": "closed"}),
    ("GET", NOTICE, None),
    ("GET", f"{NOTICE}?at=2026-11-23T10:00:00Z", None),
    ("GET", EVENTS, None),
    ("GET", LIST, None),
]
"""A request of each operation on notices: method, path and body."""


async def publish(http: httpx.AsyncClient, path: str = NOTICE, **changes: Any) -> dict[str, Any]:
    """Publish a notice and return what was answered."""
    answer = await http.put(path, json=a_body(**changes))
    assert answer.is_success, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def amend(http: httpx.AsyncClient, patch: dict[str, Any], path: str = NOTICE) -> dict[str, Any]:
    """Amend a notice and return what was answered."""
    answer = await http.patch(path, json=patch)
    assert answer.status_code == 200, answer.text
    amended: dict[str, Any] = answer.json()
    return amended


async def declare(http: httpx.AsyncClient, event: str, path: str = NOTICE, **more: Any) -> httpx.Response:
    """Declare what happened to a notice."""
    return await http.post(f"{path}/events", json={"type": event, **more})


async def pay(application: Application, address: Address = ADDRESS, **changes: Any) -> None:
    """Record a receipt, as the platform does."""
    await application.archive.record_payment(address, a_payment(**changes), an_act(application.archive.clock()))


async def settle(application: Application, address: Address = ADDRESS, **changes: Any) -> None:
    """Record a settlement line, as the platform does."""
    await application.archive.record_settlement(address, a_line(**changes), an_act(application.archive.clock()))


async def publish_from_gpd(application: Application) -> None:
    """Publish what a_body says, to IBAN, as the feed of GPD does."""
    institution = await application.registry.institution(INSTITUTION)
    assert institution is not None
    context = an_act(application.archive.clock(), origin=Origin.GPD)
    await application.archive.publish(a_publication(), institution, context)


async def bring_to(status: str, http: httpx.AsyncClient, application: Application) -> None:
    """Publish the notice and let happen to it what leads to a final status."""
    await publish(http)
    match status:
        case "CANCELLED":
            await declare(http, "cancelled")
        case "CLOSED":
            await declare(http, "closed")
        case "PAID":
            await pay(application)
        case "REPORTED":
            await settle(application)
    assert (await shown(http))["status"] == status


FINAL = {
    "CANCELLED": "notice_cancelled",
    "CLOSED": "notice_closed",
    "PAID": "notice_paid",
    "REPORTED": "notice_reported",
}
"""The statuses in which nothing may be published or amended, and the refusal of each."""


async def register_institution(application: Application, **changes: Any) -> None:
    """Register the strict institution anew, or another; without IBANs unless they are given."""
    institution = CreditorInstitution(INSTITUTION, "PagoPA S.p.A.")
    await application.registry.save_institution(replace(institution, **changes))


async def register_caller(application: Application, key: str, **changes: Any) -> dict[str, str]:
    """Register a caller, granted all of the strict institution, and return the header with its key."""
    await application.registry.save_caller(a_caller(**{"name": key, "keys": (Key(key_hash(key)),), **changes}))
    return {KEY: key}


async def shown(http: httpx.AsyncClient, path: str = NOTICE) -> dict[str, Any]:
    """Return the notice as GET shows it."""
    answer = await http.get(path)
    assert answer.status_code == 200, answer.text
    notice: dict[str, Any] = answer.json()
    return notice


async def history(http: httpx.AsyncClient, path: str = NOTICE) -> list[dict[str, Any]]:
    """Return what happened to the notice, oldest first."""
    answer = await http.get(f"{path}/events", params={"limit": 500})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def types(http: httpx.AsyncClient, path: str = NOTICE) -> list[str]:
    """Return the types of the events of a notice, oldest first."""
    return [item["type"] for item in await history(http, path)]


STATUS_OF = {error.code: error.status for error in catalogue()}


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of a refusal, which must be a problem document of the archive's own."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code == STATUS_OF[problem["code"]], answer.text
    assert answer.headers["x-error-code"] == problem["code"]
    assert problem["detail"] != problem["title"]
    return answer.status_code, problem["code"]


def violations(answer: httpx.Response) -> list[tuple[str, str]]:
    """Return field and code of every rule that a body was told to break, sorted."""
    assert refusal(answer) == (422, "invalid_body"), answer.text
    found = [(broken["field"], broken["code"]) for broken in answer.json()["violations"]]
    assert {code for _, code in found} <= VIOLATIONS.keys()
    return sorted(found)


def ibans_of(notice: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Return IBAN, postal IBAN and the source of the IBAN."""
    return notice["iban"], notice["postalIban"], notice["ibanSource"]
