"""Python in a process of its own, for what would take the tests with it: limits, crashes, kills."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parent.parent
ENDS_WITHIN = 60
"""Seconds that a script may take, on a machine that has much else to do."""


def run_python(script: str, *arguments: object) -> None:
    """Run a script from the root of the project; fail unless it ends with 0 and without a word on standard error."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", dedent(script), *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN,
        check=False,
    )
    assert done.returncode == 0, f"The script ended with {done.returncode}: {done.stderr}"
    assert done.stderr == "", done.stderr
