"""Violations: field path, permanent code and a sentence, made from the errors of pydantic. Never the value."""

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from shared.errors import InvalidValue, Violation

if TYPE_CHECKING:
    from pydantic import ValidationError

MAX_VIOLATIONS = 100
"""Broken rules that a refusal names, at most."""
MAX_EXPLAINED = 20
"""Unknown fields that are compared with those of the contract, at most: that takes longer than all the rest."""
BODY = "body"
"""The path of the body as a whole."""

Path = tuple[str | int, ...]
"""The names and indexes that lead to a field."""

_CODES = {
    "missing": ("required", "The field is required"),
    "extra_forbidden": ("unknown_field", "The contract has no such field"),
    "string_type": ("wrong_type", "A string is expected"),
    "int_type": ("wrong_type", "An integer is expected"),
    "bool_type": ("wrong_type", "true or false is expected"),
    "list_type": ("wrong_type", "A list is expected"),
    "dict_type": ("wrong_type", "An object is expected"),
    "model_type": ("wrong_type", "An object is expected"),
    "model_attributes_type": ("wrong_type", "An object is expected"),
    "string_too_short": ("too_short", "At least {min_length} characters"),
    "string_too_long": ("too_long", "At most {max_length} characters"),
    "too_long": ("too_many", "At most {max_length}"),
    "greater_than_equal": ("out_of_range", "At least {ge}"),
    "less_than_equal": ("out_of_range", "At most {le}"),
    "literal_error": ("not_allowed", "One of {expected}"),
    "string_pattern_mismatch": ("wrong_form", "Must match {pattern}"),
}
VIOLATIONS = {
    "required": "the field is there, and not null",
    "unknown_field": "the contract has no such field, or it is not for the client to set",
    "wrong_type": "the JSON type is another one",
    "too_short": "the text is empty",
    "too_long": "the text is longer than the field takes",
    "too_many": "the list or object has more members than the field takes",
    "out_of_range": "the number lies outside its bounds",
    "not_allowed": "the value is none of those that `message` lists",
    "wrong_form": "the text has another form than `message` says",
    "control_character": "the text is one line, without control characters and those that XML cannot carry",
    "nothing_visible": "the text has at least one visible character",
    "institution_code": "a fiscal code of an institution is 11 digits",
    "notice_number": "a notice number is 18 digits, with right check digits; lenient: 1 to 35 letters and digits",
    "iuv": "an IUV is 1 to 35 letters and digits, and the one that the notice number contains unless lenient",
    "debtor_code": "a codice fiscale, 11 digits with a right check digit, or ANONIMO; lenient: 2 to 16 of A-Z 0-9;"
    " never 11 zeros",
    "iban": "an IBAN of IT or SM, 27 characters, right check digits and CIN; lenient: the form of an IBAN",
    "postal_iban": "an IBAN of Poste Italiane (ABI 07601)",
    "date_time": "a date (2026-12-16) or date-time (2026-12-16T10:00:00+01:00) of RFC 3339 that exists",
    "date_out_of_range": "a date from 2000-01-01 to 9999-12-31",
    "missing_hour": "the hour does not exist: the clock change of March skips it",
    "occurred_at_ahead": "`occurredAt` is at most 5 minutes ahead of the archive's clock",
    "in_the_future": "the moment has not come yet",
    "not_before_due_date": "`validFrom` comes before `dueDate`",
    "sum_of_transfers": "the amounts of the transfers add up to the amount",
    "transfer_id_repeated": "the ids of the transfers differ",
    "iban_or_stamp": "a transfer has either an IBAN or a stamp",
    "postal_iban_with_stamp": "a transfer with a stamp has no postal IBAN",
    "iban_and_transfers": "a notice has transfers or an IBAN of its own, not both",
    "replaced_by_itself": "another notice replaces the cancelled one",
    "replaced_by_not_cancelled": "only a cancelled notice is replaced",
    "no_value": "a parameter in the address has a value",
    "repeated": "a parameter stands in the address once",
    "not_decodable": "a parameter in the address is percent-encoded UTF-8",
}
"""Every rule a field can break, by its code. Printed in docs/errors.md."""

_MEMBER = re.compile(r"<[\w.]+: ('\w+')>")
"""A member of an enumeration as messages of pydantic show it."""
_PLAIN_NAME = re.compile(r"[A-Za-z]{1,40}")


def violations_of(error: "ValidationError", unknown_field: Callable[[Path], str] | None = None) -> list[Violation]:
    """Return the rules that the input breaks, in the order of the fields, at most MAX_VIOLATIONS.

    `unknown_field` says of the path of a field that the contract does not have what to send instead.
    """
    found = error.errors(include_url=False)[:MAX_VIOLATIONS]
    return [_violation(one, unknown_field if n < MAX_EXPLAINED else None) for n, one in enumerate(found)]


def _violation(found: Any, unknown_field: Callable[[Path], str] | None) -> Violation:
    loc, kind, context = found["loc"], found["type"], found.get("ctx", {})
    if isinstance(refusal := context.get("error"), InvalidValue):
        return Violation(path(loc), refusal.code, refusal.message)
    if kind not in _CODES:
        return Violation(path(loc), kind, found["msg"])
    code, message = _CODES[kind]
    if found["input"] is None and code in ("wrong_type", "not_allowed"):
        code, message = _CODES["missing"]
    message = _MEMBER.sub(r"\1", message.format(**context))
    if kind == "extra_forbidden" and unknown_field is not None:
        message = unknown_field(loc)
    elif code == "wrong_type":
        message = f"{message}, not {_json_type(found['input'])}"
    return Violation(path(loc), code, message)


def _json_type(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case str():
            return "a string"
        case float():
            return "a number with a fraction or an exponent"
        case int():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"


def path(loc: Iterable[str | int]) -> str:
    """Return a path such as `transfers[0].iban`. Keys that the client made up are not repeated."""
    text = ""
    for step in loc:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = plain_name(step)
            text += f".{name}" if text else name
        if step == "metadata":
            break
    return text or BODY


def plain_name(name: str) -> str:
    """Return the name if it may be repeated: at most 40 letters. Any other could be personal data and is `*`."""
    return name if _PLAIN_NAME.fullmatch(name) else "*"
