"""The tables of docs/cost.md, in the text that a person wrote around them."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from docs.bill import ASSUMPTIONS, DERIVED, ENVIRONMENTS, LINES, OPTIONS, PROD, Bill
from docs.prices import EURO, PRICES
from docs.scale import figures

BLOCK = re.compile(r"^<!-- table: (\w+) -->\n.*?^<!-- end -->\n", re.MULTILINE | re.DOTALL)


def cost(page: str, scale_page: str) -> str:
    """Return the page with its tables as they are calculated now. The text around them stays."""
    bills = [Bill(environment, figures(scale_page)) for environment in ENVIRONMENTS]
    tables = {name: table(bills) for name, table in _TABLES.items()}
    missing = tables.keys() ^ set(BLOCK.findall(page))
    if missing:
        raise ValueError(f"docs/cost.md must have each table once, unlike {', '.join(sorted(missing))}.")
    return BLOCK.sub(lambda block: f"<!-- table: {block[1]} -->\n{tables[block[1]]}<!-- end -->\n", page)


def _monthly(bills: Sequence[Bill]) -> str:
    names = dict.fromkeys(line.name for line in LINES)
    rows = [[name, *(_amount(bill, name) for bill in bills)] for name in names]
    notices = [bill.total / (bill.environment.notices * bill.values["month"]) * 1_000_000 for bill in bills]
    rows.append(["**total**", *(f"**{bill.total:,.0f}**" for bill in bills)])
    rows.append(["for a million notices", *(f"{each:,.0f}" for each in notices)])
    return _table(["€ a month", *_names(bills)], rows)


def _amount(bill: Bill, name: str) -> str:
    found = [bill.euro(line) for line in bill.lines if line.name == name]
    return f"{sum(found):,.0f}" if found else ""


def _largest(bills: Sequence[Bill]) -> str:
    rows = []
    for bill in bills:
        for line in sorted(bill.lines, key=bill.euro, reverse=True)[:3]:
            share = f"{100 * bill.euro(line) / bill.total:.0f} %"
            rows.append([bill.environment.name, line.name, f"{bill.euro(line):,.0f}", share, line.knob])
    return _table(["environment", "line", "€ a month", "share", "how to lower it"], rows)


def _quantities(bills: Sequence[Bill]) -> str:
    rows = []
    for line in LINES:
        amounts = (f"{bill.quantity(line):,.2f}" if line in bill.lines else "" for bill in bills)
        rows.append([line.name, PRICES[line.price].meter, *amounts, f"`{line.quantity}`"])
    return _table(["line", "price", *_names(bills), "calculation"], rows)


def _derived(bills: Sequence[Bill]) -> str:
    used = ("mean_ru", "ru_reading", "gb_year", "partitions", "versions")
    rows = [
        [f"`{name}`", meaning, *(f"{bill.values[name]:,.2f}" for bill in bills), f"`{calculation}`"]
        for name, calculation, meaning in DERIVED
    ]
    for name in used:
        rows.append([f"`{name}`", "", *(f"{bill.values[name]:,.2f}" for bill in bills), "[scale](scale.md)"])
    return _table(["figure", "meaning", *_names(bills), "calculation"], rows)


def _assumptions(_: Sequence[Bill]) -> str:
    rows = [[f"`{each.name}`", each.text, each.unit, each.origin] for each in ASSUMPTIONS]
    return _table(["figure", "value", "meaning", "where it comes from"], rows)


def _sizes(bills: Sequence[Bill]) -> str:
    rows = [[f"`{name}`", *(f"{bill.environment.sizes[name]:g}" for bill in bills)] for name in PROD]
    return _table(["size", *_names(bills)], rows)


def _options(bills: Sequence[Bill]) -> str:
    prod = [bill for bill in bills if bill.environment.sizes is PROD]
    rows = [[name, *(f"{sum(map(bill.euro, lines)):,.0f}" for bill in prod)] for name, lines in OPTIONS]
    return _table(["€ a month", *_names(prod)], rows)


def _prices(_: Sequence[Bill]) -> str:
    rows = [
        [each.meter, each.unit, f"{each.dollars:,.4g}", f"{each.euro:,.4g}", each.region, each.month, each.source]
        for each in PRICES.values()
    ]
    return _table(["meter", "unit", "US $", f"€ ({EURO} for a dollar)", "region", "month", "read in"], rows)


_TABLES: dict[str, Callable[[Sequence[Bill]], str]] = {
    "monthly": _monthly,
    "largest": _largest,
    "options": _options,
    "sizes": _sizes,
    "assumptions": _assumptions,
    "derived": _derived,
    "quantities": _quantities,
    "prices": _prices,
}


def _names(bills: Sequence[Bill]) -> list[str]:
    return [bill.environment.name for bill in bills]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


def current(docs: Path) -> str:
    """Return docs/cost.md as it is to be."""
    return cost((docs / "cost.md").read_text(encoding="utf-8"), (docs / "scale.md").read_text(encoding="utf-8"))
