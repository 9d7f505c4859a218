"""How tests run `smoke` against an archive that runs, or against a server in front of it."""

import json
from typing import Any

from tests.ops.command_line import Operator
from tests.server import Server

STRICT, LENIENT = "15376371009", "77777777777"
NAMES = ["health", "unknown address", "unknown key", "publish", "read", "body of 5 MiB", "cancel"]
"""The steps of a run."""


class Smoke:
    """Runs `smoke` against the archive, or against a server in front of it."""

    def __init__(self, operator: Operator, server: Server) -> None:
        self.operator = operator
        self.base = server.url.removesuffix("/v1")

    def run(
        self,
        *options: str,
        exit_code: int = 0,
        base: str | None = None,
        key: str = "local-ec",
        institution: str = STRICT,
        code: str = "47",
    ) -> Any:
        """Return what the command says."""
        fixed = ("smoke", "--base", base or self.base, "--institution", institution, "--code", code)
        return self.operator.ask(*fixed, *options, exit_code=exit_code, env={"SMOKE_KEY": key})

    def failed(self, *options: str, base: str | None = None, key: str = "local-ec", code: str = "47") -> Any:
        """Return the JSON of a run that fails, whose sentences are also on standard error."""
        said = self.run("--json", *options, exit_code=1, base=base, key=key, code=code)
        report = json.loads(said.stdout)
        assert report["passed"] is False
        assert said.stderr.splitlines() == report["faults"]
        return report

    def shown(self, report: Any) -> Any:
        """Return the history of the notice of a run."""
        return self.operator.read("history", report["institution"], report["noticeNumber"])


def names(report: Any) -> list[str]:
    """Return the steps of a run."""
    return [step["name"] for step in report["steps"]]


def failures(report: Any) -> list[str]:
    """Return the steps that failed."""
    return [step["name"] for step in report["steps"] if not step["passed"]]
