"""How tests run the operators' command line: in this process where possible, else in a process of its own."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from typer.testing import CliRunner, Result

from ops.__main__ import app
from shared.settings import BUSES, STORES

ROOT = Path(__file__).parents[2]
CODE = "11111111115"
IBAN = "IT60X0542811101000000123456"
POSTAL_IBAN = "IT96H0760112100001036880332"


SETTINGS = (*STORES, *BUSES, "DEBTOR_KEYS", "COLUMNS", "NO_COLOR")
"""Variables of the environment that no command may get from the tests."""


class Operator:
    """Types commands that work on the data of a folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._terminal = CliRunner(env={**dict.fromkeys(SETTINGS), "DATA": str(data)})

    def ask(self, *command: str, exit_code: int = 0, env: Mapping[str, str | None] = MappingProxyType({})) -> Result:
        """Return what a command says; its exit code must be this one."""
        result = self.enter(*command, env=env)
        assert (result.exit_code, result.exception if exit_code == 0 else None) == (exit_code, None), result.output
        return result

    def enter(self, *command: str, env: Mapping[str, str | None] = MappingProxyType({})) -> Result:
        """Return what a command says, however it ends."""
        return self._terminal.invoke(app, command, env=env)

    def refused(self, *command: str, exit_code: int = 1) -> str:
        """Return the sentences with which a command is refused."""
        result = self.ask(*command, exit_code=exit_code)
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        return result.stderr

    def read(self, *command: str) -> Any:
        """Return the JSON with which a command answers."""
        return json.loads(self.ask(*command, "--json").stdout)

    def add_institution(self, code: str = CODE, *options: str) -> Any:
        """Register an institution with a default IBAN, unless the options say otherwise."""
        iban = () if "--iban" in options else ("--iban", IBAN)
        name = () if "--name" in options else ("--name", "Comune di Esempio")
        return self.read("institutions", "add", code, *name, *iban, *options)

    def add_caller(self, name: str = "an-ec", *options: str) -> Any:
        """Register a caller that may write for the institution, unless the options say otherwise."""
        role = () if "--role" in options else ("--role", "creditor_institution")
        scope = () if "--scope" in options else ("--scope", "notices:write")
        grant = () if "--grant" in options else ("--grant", f"{CODE}:*")
        return self.read("callers", "add", name, *role, *scope, *grant, *options)


def environment(data: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a process that works on the data of a folder."""
    mine = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return mine | {"DATA": str(data)} | settings


def start(data: Path, *command: str, **settings: str) -> subprocess.Popen[str]:
    """Start a command as a process of its own, with nobody to ask."""
    return subprocess.Popen(
        [sys.executable, "-m", "ops", *command],
        cwd=ROOT,
        env=environment(data, **settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rows(table: str) -> list[list[str]]:
    """Return the cells of a table that was printed without a terminal, under its head."""
    return [re.split(" {2,}", line) for line in table.splitlines()[1:]]
