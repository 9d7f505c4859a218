"""Shows which imports take the time of a start."""

import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")
_MOST = 25


def print_imports(python: str, root: Path, environment: Mapping[str, str]) -> None:
    """Print the packages whose own modules take longest when the app is imported, in milliseconds."""
    done = subprocess.run(
        [python, "-X", "importtime", "-c", "import function_app"],
        cwd=root, env={**os.environ, **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for package, milliseconds in own_milliseconds(done.stderr)[:_MOST]:
        print(f"{milliseconds:8.1f} ms  {package}")


def own_milliseconds(log: str) -> list[tuple[str, float]]:
    """Return the time of the modules of each package, without what they import, the longest first."""
    own: defaultdict[str, float] = defaultdict(float)
    for microseconds, _, _, module in _LINE.findall(log):
        own[_package(module)] += int(microseconds) / 1000
    return sorted(own.items(), key=lambda found: -found[1])


def _package(module: str) -> str:
    """Return the package of a module. The packages of Azure and of the archive are told apart by their second name."""
    first, *rest = module.split(".")
    return ".".join([first, *rest[:1]]) if first in ("azure", "shared") else first
