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
from shared.wire.debtors import DebtorParameters
from shared.wire.positions import PositionBody
from shared.wire.queries import AtParameter, HistoryParameters, ListParameters


def meanings(*kinds: type[Any]) -> dict[str, str]:
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
    "Notice": meanings(NoticeBody),
    "NoticePatch": meanings(PatchBody),
    "NoticeShown": meanings(NoticeBody, Address, Content, Notice),
    "OpenNotice": meanings(NoticeBody, Address, Content, Notice),
    "Debtor": meanings(DebtorBody),
    "DebtorPatch": meanings(DebtorPatchBody),
    "Transfer": meanings(TransferBody),
    "Stamp": meanings(StampBody),
    "LifeCycleEvent": meanings(LifeCycleBody),
    "Position": meanings(PositionBody),
    "PositionShown": {
        **meanings(PositionBody),
        "companyName": "The name of the institution.",
        "amount": "The amount to pay, in euro cents.",
        "expirationDate": "The due date, in the time of Italy.",
        "status": "The status, with the names of GPD: PUBLISHED (not yet payable), VALID, EXPIRED, INVALID"
        " (cancelled), PAID, REPORTED.",
    },
    "PayableDebtor": meanings(DebtorBody),
    "PayableTransfer": {
        **meanings(TransferBody),
        "companyName": "`companyName` of the notice, on the computed transfer.",
    },
    "Payment": meanings(Payment),
    "Settlement": meanings(Settlement),
    "ListParameters": meanings(ListParameters),
    "DebtorParameters": meanings(DebtorParameters),
    "HistoryParameters": meanings(HistoryParameters),
    "AtParameter": meanings(AtParameter),
}
