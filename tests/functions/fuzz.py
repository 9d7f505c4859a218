"""Sends the archive what its contract allows and what it forbids, follows its links, and compares every answer with it.

    python -m tests.functions.fuzz [EXAMPLES [SEED]]

EXAMPLES are requests of each kind at each operation (1000), SEED makes a run again what it was; `make fuzz`.
"""

import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from secrets import randbelow
from typing import Any

import schemathesis
from schemathesis import Case, HookContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema
from schemathesis.generation.meta import CoveragePhaseData, TestPhase
from schemathesis.python import asgi

from local.functions import load
from local.host import Host
from local.seed import COMUNE, LOCAL_EC, seed as seed_registry
from shared import bootstrap
from shared.domain.callers import Scope
from shared.settings import EmbeddedStore, Settings
from tests.openapi_check import ROOT
from tests.support import DEBTOR_KEYS, StillClock

# What no schema can tell: check digits, sums, an integer written 1.0, dates of the calendar (422), headers that do not
# go together, a moment in the future (400), which version a notice has (412). What a schema allows may meet these too.
ACCEPTED = ["2xx", "3xx", "400", "401", "403", "404", "409", "412", "422"]


PHASES = ("examples", "coverage", "fuzzing", "stateful")
"""The contract's examples, each bound of each field, requests drawn at random, and requests that follow its links."""


def fuzz(data: Path, examples: int, seed: int, phases: Collection[str] = PHASES) -> tuple[list[str], Counter[str]]:
    """Returns what was answered otherwise than promised, and how many answers of which kind each operation gave."""
    host = _Archive(data)
    # Few of the requests drawn publish a notice, and only then there are links to follow.
    drawn = {"stateful": {"generation": {"max-examples": 4 * examples}}}
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "continue-on-failure": True,
            "headers": {"Ocp-Apim-Subscription-Key": LOCAL_EC.name},
            "generation": {"max-examples": examples, "database": "none"},
            "phases": {phase: {"enabled": phase in phases, **drawn.get(phase, {})} for phase in PHASES},
            "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
        }
    )
    faults: dict[str, str] = {}
    answers: Counter[str] = Counter()
    try:
        schema = schemathesis.openapi.from_asgi("/api/openapi.json", host, config=config)
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                faults |= _faults(event)
                answers += _answers(event)
            elif isinstance(event, events.NonFatalError):
                faults[str(event.info)] = event.label
            elif isinstance(event, events.FatalError):
                raise event.exception
    finally:
        asgi.shutdown_lifespans()
    return [f"{fault}\n{request}" for fault, request in faults.items()], answers


def main() -> None:
    """Fuzzes for as long as it takes; 1 when an answer is not as promised."""
    os.environ.setdefault("ARCHIVE_STORE", "sqlite:unused")
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else randbelow(2**32)
    print(f"{examples} examples, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as data:
        faults, answers = fuzz(Path(data), examples, seed)
    for kind, number in sorted(answers.items()):
        print(f"{number:7} {kind}")
    sys.exit("\n\n".join(faults) or None)


class _Archive(Host):
    """The archive on the data of a folder. Its timer does not run."""

    def __init__(self, data: Path) -> None:
        super().__init__(load(ROOT), "api")
        self._data = data

    async def start(self) -> None:
        bootstrap.open_application(
            Settings(EmbeddedStore(self._data / "archive.db"), debtor_keys=DEBTOR_KEYS), StillClock()
        )
        await seed_registry()
        # One caller asks for every operation.
        await bootstrap.application().registry.save_caller(replace(LOCAL_EC, scopes=frozenset(Scope)))

    async def stop(self) -> None:
        await bootstrap.close()


@schemathesis.hook("before_call")
def _mended(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Makes right what is never so when it is drawn at random, and no schema can tell; what is meant wrong stays.

    The institution is one that is registered, and there are few numbers, so that requests meet. Tags and cursors are
    those that links bring. Transfers add up; few notices end, for those that did cannot be amended.
    """
    if case.meta is None:
        return
    wrong, phase = case.meta.is_negative_at, case.meta.phase
    path, header, query = case.path_parameters or {}, case.headers, case.query or {}
    # A phase that covers all of a body has no eye for the headers beside it: it takes 0 for a tag.
    covers_body = isinstance(phase.data, CoveragePhaseData) and phase.data.parameter_location is ParameterLocation.BODY
    if "ec" in path and not wrong(ParameterLocation.PATH):
        path["ec"] = str(COMUNE.fiscal_code)
        # Where any number is taken, a number may be no letter or digit at all.
        if path.get("nav", "")[-1:].isalnum():
            path["nav"] = path["nav"][-1]
    if covers_body:
        header.pop("If-Match", None)
    if not wrong(ParameterLocation.HEADER) and not _OUR_TAG.fullmatch(header.get("If-Match", "")):
        header.pop("If-Match", None)
    if covers_body or (not wrong(ParameterLocation.HEADER) and "If-Match" in header and case.method != "GET"):
        header.pop("If-None-Match", None)
    if not _OUR_CURSOR.fullmatch(str(query.get("cursor", ""))):
        query.pop("cursor", None)
    if isinstance(case.body, dict) and not wrong(ParameterLocation.BODY):
        _mend_body(case.body, ends=phase.name in (TestPhase.FUZZING, TestPhase.STATEFUL))


def _mend_body(body: dict[str, Any], *, ends: bool) -> None:
    if "paFiscalCode" in body:
        body["paFiscalCode"] = str(COMUNE.fiscal_code)
    if transfers := body.get("transfers"):
        for number, transfer in enumerate(transfers, 1):
            transfer |= {"id": number, "amount": int(transfer["amount"]) % 1000 + 1}
        body["amount"] = sum(transfer["amount"] for transfer in transfers)
    if "type" in body and not ends:
        body["type"] = "restored"
        body.pop("replacedBy", None)


_OUR_TAG = re.compile(r'\*|"[1-9][0-9]*-[A-Z]+"')
_OUR_CURSOR = re.compile(r"[A-Za-z0-9_-]{30,}")


def _faults(event: events.ScenarioFinished) -> dict[str, str]:
    failed = [check.failure_info for checks in event.recorder.checks.values() for check in checks if check.failure_info]
    return {f"{one.failure.operation}: {one.failure.title}: {one.failure.message}": one.code_sample for one in failed}


def _answers(event: events.ScenarioFinished) -> Counter[str]:
    recorder = event.recorder
    return Counter(
        f"{recorder.cases[case].value.operation.definition.raw['operationId']} {_kind(interaction.response)}"
        for case, interaction in recorder.interactions.items()
        if interaction.response is not None
    )


def _kind(answer: Response) -> str:
    is_problem = "problem" in str(answer.headers.get("content-type"))
    return f"{answer.status_code} {answer.json()['code']}" if is_problem else str(answer.status_code)


if __name__ == "__main__":
    main()
