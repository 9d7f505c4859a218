"""The command `uncommunicated`: list the payments whose notices the institutions did not communicate."""

from collections import defaultdict
from typing import Annotated

import typer

from ops.cli import JsonOption
from ops.opening import open_application
from ops.output import Json, Row, show_list
from ops.parsing import UsageErrors
from shared.bootstrap import Application, utc_now
from shared.domain.identifiers import InstitutionCode
from shared.domain.notice import Notice


async def uncommunicated(
    context: typer.Context,
    institution: Annotated[
        str | None, typer.Option(metavar="CODE", help="Show each notice of this institution, instead of the counts.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Count per institution the notices that were paid and never communicated. Exclusion rules are applied."""
    with UsageErrors() as errors:
        code = errors.parse_optional("--institution", InstitutionCode.parse, institution, None)
    async with open_application(context) as application:
        found = [notice async for notice in application.archive.uncommunicated(utc_now())]
        if code is not None:
            _show_notices([notice for notice in found if notice.address.creditor_institution == code], json=json)
        else:
            await _show_counts(application, found, json=json)


def _show_notices(notices: list[Notice], *, json: bool) -> None:
    heads = ("number", "paid on", "receipts", "settlement lines", "cents")
    show_list(heads, map(_row, notices), map(_item, notices), json=json, unwrapped=heads)


async def _show_counts(application: Application, notices: list[Notice], *, json: bool) -> None:
    by_institution: dict[InstitutionCode, list[Notice]] = defaultdict(list)
    for notice in notices:
        by_institution[notice.address.creditor_institution].append(notice)
    rows: list[Row] = []
    items: list[Json] = []
    for code, theirs in sorted(by_institution.items()):
        registered = await application.registry.institution(code)
        first = min(day for notice in theirs if (day := notice.awaited_payment_day)).isoformat()
        name = registered.name if registered else None
        rows.append((code, name or "not registered", str(len(theirs)), first))
        items.append({"institution": code, "name": name, "notices": len(theirs), "oldest": first})
    show_list(("institution", "name", "notices", "oldest"), rows, items, json=json, unwrapped=("institution", "oldest"))


def _row(notice: Notice) -> Row:
    item = _item(notice)
    counts = (str(item[name]) for name in ("receipts", "settlementLines", "amount"))
    return (item["noticeNumber"], item["paidOn"], *counts)


def _item(notice: Notice) -> Json:
    day = notice.awaited_payment_day
    # Each receipt comes back as a settlement line, so only one of the two is counted. A revoked line moved no money.
    paid = notice.payments or [line for line in notice.settlements if not line.is_revocation]
    return {
        "noticeNumber": notice.address.number,
        "paidOn": day.isoformat() if day else None,
        "receipts": len(notice.payments),
        "settlementLines": len(notice.settlements),
        "amount": sum(each.amount for each in paid),
    }
