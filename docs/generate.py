"""Writes the documents that follow from the code: `make docs`. With --check, fails if they are not current."""

import os
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
# The functions are asked for their routes, and no app starts without a store; this one is never opened.
os.environ["ARCHIVE_STORE"] = "sqlite:unused"

from docs import asyncapi, cost, openapi  # noqa: E402
from docs.figures import figures  # noqa: E402
from shared.domain.lifecycle import (  # noqa: E402
    FAULTS,
    TIME,
    TRANSITIONS,
    Anomaly,
    Becomes,
    Cell,
    EventType,
    Fault,
    Status,
)
from shared.domain.terms import Term  # noqa: E402
from shared.errors import ArchiveError, catalogue  # noqa: E402
from shared.settings import BUSES, STORES, VARIABLES  # noqa: E402
from shared.wire.violations import VIOLATIONS  # noqa: E402

NOTE = "<!-- Written by `make docs`; change the code, not this file. -->\n"

PLATFORM = """\
An answer without the header `X-Error-Code` that is not a success is not the archive's. The platform made it, or a
gateway. It says nothing about a notice. A write may have been made or not. A repetition does no harm.
"""
OF_THE_PLATFORM = [
    [
        "400, 408, 414, 431, 505",
        "empty",
        "Do not repeat. The bytes of the request cannot be read, come too slowly or are "
        "too long: 8,192 bytes of the request line, 32 KiB and 100 fields of headers.",
    ],
    ["401", "empty", "Check the address: only the platform's own addresses ask for the platform's keys."],
    [
        "404",
        "empty",
        "The archive is not loaded, or the address does not begin with /api/. It never means that a notice is "
        "unknown. Check the address, repeat with growing pauses, and call the operators if it stays.",
    ],
    [
        "429",
        "empty, or of a gateway",
        "Repeat after Retry-After seconds, or with growing pauses where there is none. The gateway limits the requests "
        "of a key in a minute: ask the operators for a higher limit if it comes often.",
    ],
    [
        "500",
        "empty",
        "Repeat with growing pauses. The process has ended or the time was over, or the body has over "
        "104,857,600 bytes.",
    ],
    ["502, 504", "of a gateway", "Repeat with growing pauses."],
    [
        "503",
        "text, or of a gateway",
        "Repeat with growing pauses. The platform starts the archive, or cannot start it.",
    ],
]
DECLARED_AND_REPORTED = tuple(TRANSITIONS[None])


def documents() -> dict[Path, str]:
    """Return every generated document by its path."""
    docs, contract = ROOT / "docs", openapi.document()
    return {
        docs / "lifecycle.md": life_cycle(),
        docs / "errors.md": errors(),
        docs / "settings.md": settings(),
        docs / "cost.md": cost.current(docs),
        docs / "figures.md": f"{NOTE}\n{figures(docs / 'benchmarks')}",
        docs / "openapi.yaml": openapi.as_yaml(contract),
        docs / "asyncapi.yaml": asyncapi.as_yaml(asyncapi.document()),
        ROOT / "contract" / "openapi.json": openapi.as_json(contract),
    }


def life_cycle() -> str:
    """Return the tables of the life cycle, as the code reads them."""
    rows = [[f"**{status or '(unknown)'}**", *map(_cell, row.values())] for status, row in TRANSITIONS.items()]
    dates = {"starts_at": "`validFrom`", "ends_at": "the due date, if binding", "awaited_until": "24 hours"}
    faults = [[status, f"`{fault}`" if fault else "payable"] for status, fault in FAULTS.items()]
    times = [[status, dates[date], event, after] for status, (event, after, date) in TIME.items()]
    return f"""{NOTE}
# The life of a notice

Drawn from `shared/domain/lifecycle.py`. Its interpreter, `effect_of`, executes every cell and decides every status.

{_terms("status", Status)}
## What declarations and facts do

A row is the status true when the event happens; a cell is the status it leads to, an error code, or «no change».
Declarations (`published` to `restored`) may be refused. Facts (`paid`, `reported`) never are; one that contradicts
what was declared is recorded with the anomaly in brackets.

{_table(("status", *DECLARED_AND_REPORTED), rows)}
- *by its dates*: SCHEDULED before `validFrom`; EXPIRED when a binding due date has passed; ACTIVE otherwise.
- *by earlier payments*: `published`, then `paid` and `reported` for earlier receipts and lines: PAID or REPORTED.
- REPORTED is reached when every transfer has a settlement line, and is PAID until then. A revoked line does not count.
- A PUT of a known notice that changes it is an `amended` event; `published` happens once.
- The same receipt (`receiptId`) or line (`flowId`, `transferId`) changes nothing; another receipt is `paid_twice`.

## What time does

{_table(("status", "when", "event", "becomes"), times)}
The status shown, listed and decided by is the one true now. `apply_due_changes` writes it down within a minute.

## What Stand-In answers

{_table(("status", "answer"), faults)}
It is the answer for a notice with `payStandIn`, of an institution that is enabled for Stand-In. For any other notice,
and for an unknown number, it is `{Fault.UNKNOWN}`. For AWAITED, `payStandIn` is not known and does not count.

{_terms("fault", Fault)}
## Events

{_terms("event", EventType)}
## Anomalies

{_terms("anomaly", Anomaly)}"""


def errors() -> str:
    """Return the error catalogue."""
    parts = [
        f"{NOTE}\n# Errors\n",
        "Every refusal is `application/problem+json` (RFC 9457) with a `code` that never changes its meaning. Switch\n"
        "on `code`, show `title` and `detail`; `violations` lists every broken rule with the path of its field.\n"
        "The header `X-Request-Id` identifies the request for the operators.\n",
    ]
    for status, group in groupby(sorted(catalogue(), key=_status), key=_status):
        rows = [[f"`{error.code}`", error.title, error.advice] for error in group]
        parts.append(f"## {status}\n\n{_table(('code', 'title', 'what to do'), rows)}")
    parts.append(
        f"## Answers of the platform\n\n{PLATFORM}\n{_table(('status', 'body', 'what to do'), OF_THE_PLATFORM)}"
    )
    rules = [[f"`{code}`", meaning] for code, meaning in VIOLATIONS.items()]
    parts.append(f"## Violations\n\nThe `code` of a violation is permanent too.\n\n{_table(('code', 'rule'), rules)}")
    return "\n".join(parts)


def settings() -> str:
    """Return the settings of a process."""
    rows = [
        [f"`{variable.name}`", variable.meaning, variable.default, "yes" if variable.is_deployed else "never"]
        for variable in VARIABLES
    ]
    text = (
        "Read from the environment when the process starts; the log names every fault. Exactly one store is named:\n"
        f"one of {', '.join(f'`{name}`' for name in STORES)}. With Cosmos DB, exactly one bus is named too: "
        f"{' or '.join(f'`{name}`' for name in BUSES)}. The embedded store has a bus of its own.\n"
        "In Azure, `infra/` sets those that are marked so, and never the others: nothing there has a key."
    )
    return f"{NOTE}\n# Settings\n\n{text}\n\n{_table(('name', 'meaning', 'default', 'set in Azure'), rows)}"


def _status(error: type[ArchiveError]) -> int:
    return error.status


def _terms(name: str, terms: type[Term]) -> str:
    return _table((name, "meaning"), [(f"`{term}`", term.meaning) for term in terms])


def _cell(cell: Cell) -> str:
    match cell:
        case Becomes(status, None):
            return status
        case Becomes(status, anomaly):
            return f"{status} (`{anomaly}`)"
        case type():
            return f"{cell.status} `{cell.code}`"
        case rule:
            return str(rule.value)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Write the documents, or compare them."""
    stale = []
    for path, text in documents().items():
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(str(path.relative_to(ROOT)))
    if stale:
        sys.exit(f"Not current: {', '.join(stale)}. Run `make docs`.")


if __name__ == "__main__":
    main()
