"""Every refusal that the contract names can be met: each is provoked, at each operation that names it."""

import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import orjson
import pytest

from local.seed import LOCAL_EC, PAGOPA
from shared.auth import key_hash
from shared.bootstrap import Application
from shared.domain.callers import EVERY, Key, Scope
from shared.domain.events import Origin
from shared.domain.identifiers import Iuv, NoticeNumber
from shared.domain.lifecycle import EventType
from shared.domain.notice import Address
from tests.openapi_check import operations
from tests.support import (
    DAY,
    StillClock,
    a_body,
    a_caller,
    a_line,
    a_number,
    a_payment,
    a_publication,
    an_act,
)

NOTHING_PROVOKES = {"not_done_in_time"}
"""It takes a hundred writers, each of whom comes first."""

EVERY_CODE = frozenset({EVERY})

NUMBER = a_number(1)
BODIES: dict[str, dict[str, Any]] = {
    "publish_notice": a_body(),
    "amend_notice": {"amount": 12551},
    "declare_event": {"type": "closed"},
    "pa_create_position": {
        "entityType": "F",
        "entityFiscalCode": "RSSMRA80A01H501U",
        "entityFullName": "Mario Rossi",
        "amount": 12050,
        "description": "TARI 2026 prima rata",
        "expirationDate": "2026-12-16T23:59:59+01:00",
    },
}
METHODS = {"publish_notice": "PUT", "amend_notice": "PATCH", "declare_event": "POST", "pa_create_position": "POST"}
PATHS = {
    "get_payability": "/notices/{number}/payability",
    "declare_event": "/notices/{number}/events",
    "get_history": "/notices/{number}/events",
    "list_notices": "/notices",
}
ELSEWHERE = {
    "health": "/health",
    "get_contract": "/../openapi.json",
    "list_open_notices": "/debtors/notices",
    "pa_create_position": "/../aca/v1/paCreatePosition",
}


SCOPES = {"get_payability": Scope.STAND_IN_READ, "list_open_notices": Scope.DEBTORS_READ}
"""The scopes of operations that the seeded institution may not ask for."""


@dataclass
class Asked:
    """A request that would succeed, until a provocation changes it, or what the archive knows."""

    operation: str
    application: Application
    clock: StillClock
    file: Path
    institution: str = PAGOPA.fiscal_code
    number: str = NUMBER
    key: str = "local-ec"
    parameters: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | bytes | None = None

    @property
    def writes(self) -> bool:
        return self.operation in BODIES

    def say(self, **fields: Any) -> None:
        self.body = {**BODIES[self.operation], **fields}

    @property
    def content(self) -> bytes | None:
        """The bytes of the body. That of a position names its institution and number."""
        body = self.body if self.body is not None else BODIES.get(self.operation)
        if body is None or isinstance(body, bytes):
            return body
        if self.operation == "pa_create_position":
            named = {"paFiscalCode": self.institution, "nav": self.number, "iuv": self.number[1:]}
            body = {**named, **body}
        return orjson.dumps(body)

    async def known(self, **changes: Any) -> None:
        """The notice is known, since a day ago."""
        context = replace(an_act(self.clock.now - DAY), origin=changes.pop("origin", Origin.EC))
        await self.application.archive.publish(a_publication(self.address, **changes), PAGOPA, context)

    @property
    def address(self) -> Address:
        return Address(PAGOPA.fiscal_code, NoticeNumber(self.number))

    async def registered(
        self, name: str, *scopes: Scope, grants: Mapping[str, frozenset[str]] = MappingProxyType({EVERY: EVERY_CODE})
    ) -> None:
        """A caller with these scopes, for everything or for these grants, is registered, and asks."""
        caller = a_caller(name=name, scopes=frozenset(scopes), grants=grants)
        await self.application.registry.save_caller(replace(caller, keys=(Key(key_hash(name)),)))
        self.key = name

    async def send(self, http: httpx.AsyncClient) -> httpx.Response:
        method = METHODS.get(self.operation, "GET")
        debtor = {"x-tax-code": "RSSMRA80A01H501U"} if self.operation == "list_open_notices" else {}
        caller = {"Ocp-Apim-Subscription-Key": self.key, "Content-Type": "application/json"}
        headers = {**caller, **debtor, **self.headers}
        path = PATHS.get(self.operation, "/notices/{number}").format(number=self.number)
        url = f"/creditor-institutions/{self.institution}{path}"
        url = ELSEWHERE.get(self.operation, url)
        return await http.request(method, url, params=self.parameters, headers=headers, content=self.content)


async def unauthenticated(asked: Asked) -> None:
    asked.key = "nobody's"


async def scope_not_granted(asked: Asked) -> None:
    await asked.registered("only-the-other", Scope.NOTICES_READ if asked.writes else Scope.NOTICES_WRITE)


async def institution_not_granted(asked: Asked) -> None:
    asked.institution = "99999999999"


async def segregation_code_not_granted(asked: Asked) -> None:
    asked.number = a_number(1, segregation_code="01")


async def institution_not_found(asked: Asked) -> None:
    await asked.registered("everything", *Scope)
    asked.institution = "99999999999"


async def notice_not_found(asked: Asked) -> None:
    asked.number = a_number(2)


async def invalid_json(asked: Asked) -> None:
    asked.body = b"{"


async def invalid_encoding(asked: Asked) -> None:
    asked.body = b'{"description": "\xe0"}'


async def invalid_body(asked: Asked) -> None:
    asked.body = b"[]"


async def unsupported_media_type(asked: Asked) -> None:
    asked.headers["Content-Type"] = "text/plain"


async def body_too_large(asked: Asked) -> None:
    asked.say(description="x" * 256 * 1024)


async def length_required(asked: Asked) -> None:
    asked.body = b""
    asked.headers["Transfer-Encoding"] = "chunked"


async def invalid_header(asked: Asked) -> None:
    asked.headers["x-tax-code"] = "ANONIMO"
    asked.headers["If-Match" if asked.writes else "If-None-Match"] = "1-ACTIVE"
    if asked.operation == "get_notice":
        await asked.known()


async def invalid_parameter(asked: Asked) -> None:
    asked.parameters["unheard-of"] = "1"


async def invalid_cursor(asked: Asked) -> None:
    asked.parameters["cursor"] = "of-another-list"


async def precondition_failed(asked: Asked) -> None:
    await asked.known()
    asked.headers["If-Match"] = '"99-ACTIVE"'


async def notice_number(asked: Asked) -> None:
    asked.number = f"{NUMBER[:-1]}{(int(NUMBER[-1]) + 1) % 10}"


async def no_iban_registered(asked: Asked) -> None:
    institution = replace(PAGOPA, ibans=())
    await asked.application.registry.save_institution(institution)
    if asked.operation == "amend_notice":
        await asked.known()
        asked.body = {"iban": None}


async def due_date_in_past(asked: Asked) -> None:
    await asked.known()
    asked.say(dueDate="2026-01-31", switchToExpired=True)
    if asked.operation == "pa_create_position":
        asked.say(expirationDate="2026-01-31T00:00:00Z", switchToExpired=True)


async def notice_expired(asked: Asked) -> None:
    await asked.known(switch_to_expired=True)
    asked.clock.advance(timedelta(days=60))
    asked.body = {"type": "restored"}


async def notice_cancelled(asked: Asked) -> None:
    await asked.known()
    await asked.application.archive.declare(asked.address, EventType.CANCELLED, an_act(asked.clock.now))


async def notice_closed(asked: Asked) -> None:
    await asked.known()
    await asked.application.archive.declare(asked.address, EventType.CLOSED, an_act(asked.clock.now))
    if asked.operation == "declare_event":
        asked.body = {"type": "cancelled"}


async def notice_paid(asked: Asked) -> None:
    await asked.known()
    await asked.application.archive.record_payment(asked.address, a_payment(), an_act(asked.clock.now))


async def notice_reported(asked: Asked) -> None:
    await asked.known()
    await asked.application.archive.record_settlement(asked.address, a_line(), an_act(asked.clock.now))


async def stale_declaration(asked: Asked) -> None:
    await asked.known()
    await asked.application.archive.declare(asked.address, EventType.CANCELLED, an_act(asked.clock.now))
    await asked.application.archive.declare(asked.address, EventType.RESTORED, an_act(asked.clock.now))
    asked.say(occurredAt="2026-01-01T00:00:00Z")


async def managed_by_gpd(asked: Asked) -> None:
    await asked.known(origin=Origin.GPD)


async def iuv_is_fixed(asked: Asked) -> None:
    if asked.operation != "amend_notice":
        # The IUV of a strict institution is compared with the number first.
        lenient = replace(PAGOPA, lenient=True)
        await asked.application.registry.save_institution(lenient)
    await asked.known()
    asked.say(iuv="ANOTHER")


async def iuv_already_used(asked: Asked) -> None:
    lenient = replace(PAGOPA, lenient=True)
    await asked.application.registry.save_institution(lenient)
    await asked.application.archive.publish(
        replace(a_publication(asked.address), iuv=Iuv("SHARED")), lenient, an_act(asked.clock.now)
    )
    asked.number = a_number(2)
    asked.say(iuv="SHARED")


async def nothing_to_cancel(asked: Asked) -> None:
    asked.say(amount=0)


async def store_unavailable(asked: Asked) -> None:
    # What another program does to the file of the embedded store.
    with closing(sqlite3.connect(asked.file)) as db:
        db.execute("DROP TABLE notices")
        db.execute("DROP TABLE notices_by_debtor")
        db.execute("DROP TABLE checkpoints")


Provocation = Callable[[Asked], Awaitable[None]]

PROVOCATIONS: dict[str, Provocation] = {
    provocation.__name__: provocation
    for provocation in (
        unauthenticated, scope_not_granted, institution_not_granted, segregation_code_not_granted,
        institution_not_found, notice_not_found, invalid_json, invalid_encoding, invalid_body, unsupported_media_type,
        body_too_large, length_required, invalid_header, invalid_parameter, invalid_cursor, precondition_failed,
        notice_number, no_iban_registered, due_date_in_past, notice_expired, notice_cancelled, notice_closed,
        notice_paid, notice_reported, stale_declaration, managed_by_gpd, iuv_is_fixed, iuv_already_used,
        nothing_to_cancel,
        store_unavailable,
    )
}  # fmt: skip


def refusals() -> list[tuple[str, int, str]]:
    """Every code that the contract names, with the operation and the status that name it."""
    return [
        (name, int(status), code)
        for name, operation in operations().items()
        for status, answer in operation["responses"].items()
        if status >= "400"
        for content in answer["content"].values()
        for code in content["examples"]
        if code not in NOTHING_PROVOKES
    ]


@pytest.mark.parametrize(("operation", "status", "code"), refusals())
async def test_a_refusal_that_the_contract_names_can_be_met(
    http: httpx.AsyncClient,
    application: Application,
    clock: StillClock,
    tmp_path: Path,
    operation: str,
    status: int,
    code: str,
) -> None:
    asked = Asked(operation, application, clock, tmp_path / "archive.db")
    if operation in SCOPES:
        await asked.registered("a-platform", SCOPES[operation], grants=LOCAL_EC.grants)
    await PROVOCATIONS[code](asked)

    answer = await asked.send(http)

    assert (answer.status_code, answer.headers["x-error-code"]) == (status, code)
    assert answer.json().get("code", code) == code


def test_every_operation_of_the_contract_names_its_refusals() -> None:
    assert {operation for operation, _, _ in refusals()} == operations().keys()
