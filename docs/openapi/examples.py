"""Examples of the contract: requests, written here, and the archive's answers to them.

Each request works on any day and after any other one, because people try them on the page in any order. So a binding
due date lies far ahead, and no example names `occurredAt`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.documents import open_form, public_form
from shared.domain.declarations import Publication, amend, cancel, publish
from shared.domain.events import Actor, Role, WriteContext
from shared.domain.identifiers import Iban, InstitutionCode, NoticeNumber
from shared.domain.institutions import CreditorInstitution, RegisteredIban
from shared.domain.notice import Address
from shared.domain.payability import decide
from shared.wire import answers
from shared.wire.parsing import parse_amendment, parse_notice
from shared.wire.payability import payability
from shared.wire.positions import position
from shared.wire.texts import ParseContext

NOW = datetime(2026, 11, 24, 14, 42, 49, 123000, UTC)
ADDRESS = Address(InstitutionCode("77777777777"), NoticeNumber("347000000000000124"))
DEFAULT = RegisteredIban(Iban("IT60X0542811101000000123456"), frozenset({"ACA"}), NOW)

Examples = dict[str, tuple[str, Any]]
"""By name: a sentence, and the value."""

MINIMAL: dict[str, Any] = {
    "amount": 12050,
    "description": "TARI 2026 prima rata",
    "dueDate": "2026-12-16",
    "debtor": {"type": "F", "fiscalCode": "RSSMRA80A01H501U", "fullName": "Mario Rossi"},
}
TRANSFER = {
    "id": 1,
    "amount": 10000,
    "creditorInstitution": "77777777777",
    "iban": "IT60X0542811101000000123456",
    "remittanceInformation": "TARI 2026",
    "category": "9/0101100IM/",
}
NOTICES: Examples = {
    "minimal": ("What every notice says; the IBAN is the registered one", MINIMAL),
    "whole": (
        "Payable from a day on, with a binding due date and a postal slip",
        {
            **MINIMAL,
            "iban": "IT60X0542811101000000123456",
            "postalIban": "IT96H0760112100001036880332",
            "validFrom": "2026-12-01",
            "dueDate": "2099-01-31T12:00:00+01:00",
            "switchToExpired": True,
            "payStandIn": False,
            "iupd": "TARI-2026-000012",
            "companyName": "Comune di Prova",
            "officeName": "Ufficio tributi",
            "metadata": {"protocollo": "2026/4711"},
        },
    ),
    "transfers": (
        "Divided between two institutions (multibeneficiario)",
        {
            **MINIMAL,
            "transfers": [
                TRANSFER,
                {
                    **TRANSFER,
                    "id": 2,
                    "amount": 2050,
                    "creditorInstitution": "15376371009",
                    "iban": "IT96H0760112100001036880332",
                    "remittanceInformation": "TEFA 2026",
                },
            ],
        },
    ),
    "stamp": (
        "With a digital revenue stamp (marca da bollo digitale)",
        {
            **MINIMAL,
            "amount": 11600,
            "description": "Certificato in bollo",
            "transfers": [
                {**TRANSFER, "remittanceInformation": "Diritti di segreteria"},
                {
                    "id": 2,
                    "amount": 1600,
                    "creditorInstitution": "77777777777",
                    "stamp": {
                        "hashDocument": "wHpFSLCGZjIvNSXxqtGbxg7275t446DRTk5ZrsdUQ6E=",
                        "stampType": "01",
                        "provincialResidence": "RM",
                    },
                    "remittanceInformation": "Marca da bollo",
                    "category": "9/0301116TS/",
                },
            ],
        },
    ),
    "company": (
        "A company owes (persona giuridica)",
        {**MINIMAL, "debtor": {"type": "G", "fiscalCode": "15376371009", "fullName": "Ditta Esempio S.r.l."}},
    ),
    "lenient": (
        "Invented codes, in a lenient institution only",
        {
            **MINIMAL,
            "iban": "IT00X0000000000000000000001",
            "debtor": {"type": "F", "fiscalCode": "AAAAAA00A00A000A", "fullName": "Prova Prova"},
        },
    ),
}
PATCHES: Examples = {
    "amount": ("Another amount, paid to the registered IBAN; the rest stays", {"amount": 12550, "iban": None}),
    "description": ("Another description; the rest stays", {"description": "TARI 2026 seconda rata"}),
    "due date": ("A later due date, no longer binding", {"dueDate": "2027-01-31", "switchToExpired": False}),
    "clear": ("null clears, or takes the default", {"validFrom": None, "iban": None, "metadata": {"protocollo": None}}),
    "debtor": ("One field of the debtor", {"debtor": {"fullName": "Maria Rossi"}}),
    "transfers": (
        "Lists are replaced whole, and add up to the amount",
        {"amount": 12050, "transfers": [{**TRANSFER, "amount": 12050}]},
    ),
}
LIFE_CYCLE_EVENTS: Examples = {
    "cancelled": ("The notice is taken back", {"type": "cancelled", "reason": "Issued by mistake"}),
    "replaced": ("Another notice takes its place", {"type": "cancelled", "replacedBy": "347000000000000225"}),
    "closed": ("It was paid at the counter", {"type": "closed"}),
    "restored": ("It is payable again", {"type": "restored"}),
}

POSITION: dict[str, Any] = {
    "paFiscalCode": "77777777777",
    "entityType": "F",
    "entityFiscalCode": "RSSMRA80A01H501U",
    "entityFullName": "Mario Rossi",
    "iuv": "47000000000000124",
    "nav": "347000000000000124",
    "amount": 12050,
    "description": "TARI 2026 prima rata",
    "expirationDate": "2026-12-16T23:59:59+01:00",
}
POSITIONS: Examples = {
    "created": ("A position is created, or updated", {**POSITION, "iban": "IT60X0542811101000000123456"}),
    "cancelled": ("It is cancelled", {**POSITION, "amount": 0}),
}


def answered() -> dict[str, Any]:
    """Return the answers when the minimal notice is published, amended, cancelled, read, listed, paid in Stand-In."""
    context = ParseContext(lenient=False, now=NOW)
    publication, _ = parse_notice(MINIMAL, ADDRESS, context)
    published = publish(None, Publication(ADDRESS, publication.content.with_iban(DEFAULT)), _act(0))
    changes = parse_amendment(PATCHES["amount"][1], context).changes
    amended = amend(published.notice, changes, DEFAULT, _act(1))
    cancelled = cancel(amended.notice, _act(2, LIFE_CYCLE_EVENTS["cancelled"][1]["reason"]))
    shown = {
        name: public_form(change.notice, change.notice.status_at(NOW))
        for name, change in (("published", published), ("amended", amended), ("cancelled", cancelled))
    }
    institution = CreditorInstitution(ADDRESS.creditor_institution, "Comune di Prova", (DEFAULT,), stand_in=True)
    events = [*published.events, *amended.events, *cancelled.events]
    return {
        **shown,
        "history": answers.history(events, None),
        "open": {"items": [open_form(published.notice)], "nextCursor": None},
        "list": {"items": [shown["published"]], "nextCursor": None},
        "payable": payability(ADDRESS.number, decide(published.notice, institution, NOW)),
        "not payable": payability(ADDRESS.number, decide(cancelled.notice, institution, NOW)),
        "position": position(published.notice, institution, NOW),
        "health": {"status": "up", "store": "up", "relay": {"oldestUnsentSeconds": 0.0}},
    }


def _act(hours: int, reason: str | None = None) -> WriteContext:
    actor = Actor(Role.CREDITOR_INSTITUTION, "comune-di-prova")
    return WriteContext(NOW + timedelta(hours=hours), actor, f"write-{hours}", reason=reason)
