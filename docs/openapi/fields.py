"""The meaning of each field of the contract: the docstring under its declaration. The schema has its form."""

import ast
import inspect
from collections.abc import Mapping
from itertools import pairwise
from textwrap import dedent
from typing import Any

from shared.codecs import camel
from shared.domain.content import Content
from shared.domain.money import Payment, Settlement
from shared.domain.notice import Address, Notice
from shared.wire.bodies import (
    DebtorBody,
    DebtorPatchBody,
    LifeCycleBody,
    NoticeBody,
    PatchBody,
    StampBody,
    TransferBody,
)
from shared.wire.positions import PositionBody
from shared.wire.queries import AtParameter, HistoryParameters, ListParameters


def _meanings(*kinds: type[Any]) -> dict[str, str]:
    """Return the docstrings of the fields of classes, and of the classes they inherit from, by public name."""
    found: dict[str, str] = {}
    for kind in kinds:
        for parent in reversed(kind.__mro__):
            if parent.__module__.startswith("shared."):
                found |= _docstrings(parent)
    return found


def _docstrings(kind: type[Any]) -> dict[str, str]:
    (declaration,) = ast.parse(dedent(inspect.getsource(kind))).body
    assert isinstance(declaration, ast.ClassDef)
    body = declaration.body
    return {
        _public(field.target.id): " ".join(text.value.value.split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _public(name: str) -> str:
    return "noticeNumber" if name == "number" else camel(name)


FIELDS: Mapping[str, Mapping[str, str]] = {
    "Notice": _meanings(NoticeBody),
    "NoticePatch": _meanings(PatchBody),
    "NoticeShown": _meanings(NoticeBody, Address, Content, Notice),
    "Debtor": _meanings(DebtorBody),
    "DebtorPatch": _meanings(DebtorPatchBody),
    "Transfer": _meanings(TransferBody),
    "Stamp": _meanings(StampBody),
    "LifeCycleEvent": _meanings(LifeCycleBody),
    "Position": _meanings(PositionBody),
    "PositionShown": {
        **_meanings(PositionBody),
        "companyName": "The name of the institution.",
        "amount": "The amount to pay, in euro cents.",
        "expirationDate": "The due date, in the time of Italy.",
        "status": "The status, with the names of GPD: PUBLISHED (not yet payable), VALID, EXPIRED, INVALID"
        " (cancelled), PAID, REPORTED.",
    },
    "Payment": _meanings(Payment),
    "Settlement": _meanings(Settlement),
    "ListParameters": _meanings(ListParameters),
    "HistoryParameters": _meanings(HistoryParameters),
    "AtParameter": _meanings(AtParameter),
}
