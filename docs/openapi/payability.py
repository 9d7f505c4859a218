"""The schemas of the answer to Stand-In. `shared/wire/payability.py` makes the answer, and tests compare every one."""

from collections.abc import Mapping

from docs.openapi.json_schema import Schema, never_null, object_of
from shared.domain.lifecycle import Fault
from shared.domain.payability import MAX_DESCRIPTION, MAX_FULL_NAME
from shared.wire import forms


def payability(bodies: Mapping[str, Schema], due_date: Schema) -> dict[str, Schema]:
    """Return the schema of the answer and its parts, by name. Declared fields have the schema of the bodies."""
    return {
        "Payability": _payability(due_date),
        "PayableDebtor": _debtor(bodies["Debtor"]),
        "PayableTransfer": _transfer(bodies["Transfer"]),
    }


def _payability(due_date: Schema) -> Schema:
    always = {
        "payable": {"type": "boolean", "description": "Whether the notice can be paid now."},
        "noticeNumber": {"type": "string", "description": "The notice number of the address, as it was sent."},
    }
    if_payable = {
        "iuv": {**forms.IUV, "description": "The identifier of the payment."},
        "amount": {**_AMOUNT, "description": "The amount to pay, in euro cents."},
        "dueDate": {**due_date, "description": f"The due date. {due_date['description']}"},
        "description": {
            **_text(MAX_DESCRIPTION),
            "description": f"The reason for the payment (causale), its first {MAX_DESCRIPTION} characters.",
        },
        "allCCP": {
            "type": "boolean",
            "description": "Whether every transfer has a `postalIban`, so that a postal slip can pay the notice.",
        },
        "creditorInstitution": object_of(
            {
                "fiscalCode": dict(forms.INSTITUTION),
                "name": {**_text(MAX_DESCRIPTION), "description": "Its name, as it is registered."},
                "officeName": {
                    **_text(MAX_DESCRIPTION),
                    "description": "The office that issued the notice (unità operativa).",
                },
            },
            ["fiscalCode", "name"],
            "The institution that issued the notice.",
        ),
        "debtor": {"$ref": "#/components/schemas/PayableDebtor", "description": "The debtor (soggetto debitore)."},
        "transfers": {
            "type": "array",
            "minItems": 1,
            "maxItems": 5,
            "items": {"$ref": "#/components/schemas/PayableTransfer"},
            "description": "The parts of the amount. A notice without transfers has the computed one: the whole amount"
            " to the institution, with id 1 and category STAND-IN.",
        },
    }
    fault = {
        **forms.one_of(*Fault),
        "description": "The reason why it cannot be paid, as the Nodo answers it to the PSP.",
    }
    text = "Whether a notice can be paid in Stand-In. `fault` is there if it cannot, all other fields if it can."
    return {
        **object_of({**always, "fault": fault, **if_payable}, list(always), text),
        "if": {"properties": {"payable": {"const": True}}},
        "then": {"required": list(if_payable), "properties": {"fault": False}},
        "else": {"required": ["fault"], "properties": dict.fromkeys(if_payable, False)},
    }


def _debtor(debtor: Schema) -> Schema:
    fields = {name: dict(field) for name, field in debtor["properties"].items()}
    fields["fullName"] = _text(MAX_FULL_NAME)
    return object_of(fields, list(fields), f"Who owes. The first {MAX_FULL_NAME} characters of the name.")


def _transfer(transfer: Schema) -> Schema:
    fields = {name: never_null(field) for name, field in transfer["properties"].items()}
    fields |= {
        "stamp": {"$ref": "#/components/schemas/Stamp"},
        "remittanceInformation": _text(MAX_DESCRIPTION),
        "companyName": _text(MAX_DESCRIPTION),
    }
    always = [name for name in fields if name not in ("companyName", "iban", "postalIban", "stamp")]
    return {
        **object_of(fields, always, "A part of the amount and where it goes: to an IBAN, or into a stamp."),
        "oneOf": [{"required": ["iban"]}, {"required": ["stamp"]}],
    }


def _text(longest: int) -> Schema:
    # A text that was cut may begin with blanks only.
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": forms.TEXT}


_AMOUNT: Schema = {"type": "integer", "minimum": 1, "maximum": 99_999_999_999}
