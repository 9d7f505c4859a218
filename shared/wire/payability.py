"""Payability: the address of a notice → domain, the decision → JSON, with the lengths that the Nodo takes."""

from dataclasses import replace
from typing import Any

from shared.codecs import PartCodec
from shared.documents import encode_field
from shared.domain.content import Debtor, Transfer
from shared.domain.identifiers import NoticeNumber
from shared.domain.institutions import CreditorInstitution
from shared.domain.lifecycle import Fault
from shared.domain.notice import Address
from shared.domain.payability import MAX_DESCRIPTION, MAX_FULL_NAME, Payable
from shared.errors import InvalidValue

_DEBTOR = PartCodec(Debtor)
_TRANSFER = PartCodec(Transfer)


def parse_address(number: str, institution: CreditorInstitution) -> Address | None:
    """Return the address of a notice, None if the number breaks the form or check digits of the institution."""
    try:
        return Address(institution.fiscal_code, NoticeNumber.parse(number, lenient=institution.lenient))
    except InvalidValue:
        return None


def payability(number: str, decided: Payable | Fault) -> dict[str, Any]:
    """Return the answer to Stand-In. `number` is the one of the address, as it was sent."""
    if isinstance(decided, Fault):
        return {"payable": False, "fault": decided, "noticeNumber": number}
    content = decided.content
    return {
        "payable": True,
        "noticeNumber": number,
        "iuv": decided.notice.iuv,
        "amount": content.amount,
        "dueDate": encode_field("due_date", content.due_date),
        "description": content.description[:MAX_DESCRIPTION],
        "allCCP": decided.all_ccp,
        "creditorInstitution": _creditor_institution(decided),
        "debtor": _DEBTOR.encode(replace(content.debtor, full_name=content.debtor.full_name[:MAX_FULL_NAME])),
        "transfers": _transfers(decided),
    }


def _creditor_institution(decided: Payable) -> dict[str, Any]:
    institution, office = decided.institution, decided.content.office_name
    shown = {"fiscalCode": institution.fiscal_code, "name": institution.name[:MAX_DESCRIPTION]}
    return shown if office is None else {**shown, "officeName": office[:MAX_DESCRIPTION]}


def _transfers(decided: Payable) -> list[dict[str, Any]]:
    company = decided.content.company_name
    # Transfers that were given may go to other institutions, whose names are not known.
    named = {} if decided.content.transfers or company is None else {"companyName": company[:MAX_DESCRIPTION]}
    return [{**_TRANSFER.encode(transfer), **named} for transfer in decided.transfers]
