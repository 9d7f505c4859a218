"""Calls the Bicep compiler on a copy of the sources, so that it writes nothing beside them."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"

BESIDE = ROOT.parent / "shared" / "tools" / "bicep" / "bicep"
"""Where the compiler may lie beside the repository."""

HOW_TO_GET = (
    "There is no Bicep compiler here. Install one (https://aka.ms/bicep-install, or `az bicep install` and put it on"
    " PATH), or name it: make check-infra BICEP=/path/to/bicep"
)

DATED = "use-recent-api-versions"
"""The only rule that fails nothing: its verdict depends on the day."""

STAND_INS = {
    "--subscription-id": "00000000-0000-0000-0000-000000000001",
    "--tenant-id": "00000000-0000-0000-0000-000000000002",
    "--location": "italynorth",
    # Names of modules without a name come from it. Without it the outputs of modules are not predicted.
    "--deployment-name": "main",
}
"""The same for everyone, so that the same sources always predict the same resources."""

_MESSAGE = re.compile(
    r"(?P<file>.+?)\((?P<line>\d+),\d+\) : (?P<level>Error|Warning|Info) (?P<code>[\w-]+): (?P<text>.*)"
)
_VARIABLE = re.compile(r"readEnvironmentVariable\(\s*'(\w+)'")
_REFERENCE = re.compile(r"'([^'\s]+\.bicep)'")


class NoCompilerError(Exception):
    """There is no compiler."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What is wrong, and where."""

    where: str
    text: str
    is_error: bool = True

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.where}: {self.text}"


def find_compiler(environment: Mapping[str, str]) -> str:
    """Return the path of the compiler: BICEP, or the one on PATH, or the one beside the repository."""
    beside = str(BESIDE) if BESIDE.is_file() else None
    found = environment.get("BICEP") or shutil.which("bicep", path=environment.get("PATH")) or beside
    program = found and shutil.which(found)
    if not program:
        raise NoCompilerError(HOW_TO_GET)
    return str(Path(program).absolute())


@dataclass(frozen=True, slots=True)
class Sources:
    """A copy of the sources, and the compiler for it."""

    compiler: str
    folder: Path
    environment: Mapping[str, str]

    @property
    def parameters(self) -> list[str]:
        """Return the names of the environments that have a parameters file."""
        return sorted(path.stem for path in self.folder.glob("*.bicepparam"))

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Call the compiler in the folder of the copy."""
        return subprocess.run(
            [self.compiler, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=300,
        )

    def compile(self, *arguments: str) -> set[Finding]:
        """Call the compiler for its messages. Every warning is an error, but for the one rule."""
        result = self.run(*arguments)
        # Standard output has the result of a build.
        messages = result.stderr + (result.stdout if arguments[0] == "lint" else "")
        found = set(self._findings(messages))
        if result.returncode and not any(finding.is_error for finding in found):
            found.add(Finding(" ".join(arguments), f"exit code {result.returncode}. {messages[:300].strip()}"))
        return found

    def badly_formatted(self) -> set[Finding]:
        """Return the files that `bicep format` changes. It changes the copy."""
        files = self._files("*.bicep", "*.bicepparam")
        before = {path: path.read_text(encoding="utf-8") for path in files}
        for pattern in ("**/*.bicep", "*.bicepparam"):
            self.run("format", "--pattern", pattern)
        changed = [path for path in files if path.read_text(encoding="utf-8") != before[path]]
        return {Finding(self._name(path), "`bicep format` changes this file") for path in changed}

    def unused(self) -> set[Finding]:
        """Return the modules that no template names. The compiler does not look at them."""
        files = self._files("*.bicep")
        named = {
            (path.parent / name).resolve()
            for path in self._files("*.bicep", "*.bicepparam")
            for name in _REFERENCE.findall(path.read_text(encoding="utf-8"))
        }
        return {
            Finding(self._name(path), "no template uses this file") for path in files if path.resolve() not in named
        }

    def _findings(self, messages: str) -> Iterator[Finding]:
        for line in messages.splitlines():
            match = _MESSAGE.match(line)
            if match is None:
                if line.strip() and not line.startswith("WARNING: The following experimental"):
                    yield Finding("bicep", line.strip()[:300])
            elif match["code"] == DATED:
                # Once for each type and version, not for each line.
                yield Finding("infra", f"{DATED}: {match['text'].partition(' [')[0]}", is_error=False)
            elif match["level"] != "Info":
                yield Finding(f"{self._name(Path(match['file']))}:{match['line']}", f"{match['code']}: {match['text']}")

    def _files(self, *patterns: str) -> list[Path]:
        return sorted(path for pattern in patterns for path in self.folder.rglob(pattern))

    def _name(self, path: Path) -> str:
        return os.path.relpath(path.resolve(), self.folder.resolve().parent)


@contextmanager
def copied_sources(environment: Mapping[str, str]) -> Iterator[Sources]:
    """Yield a copy of infra/ and of the contract, which the templates load. Raises NoCompilerError."""
    compiler = find_compiler(environment)
    with TemporaryDirectory() as name:
        folder = Path(name) / "infra"
        shutil.copytree(INFRA, folder, ignore=shutil.ignore_patterns("checks", "snapshots", "__pycache__"))
        (folder.parent / "contract").mkdir()
        shutil.copy(ROOT / "contract" / "openapi.json", folder.parent / "contract")
        yield Sources(compiler, folder, _without_variables(environment, folder.glob("*.bicepparam")))


def _without_variables(environment: Mapping[str, str], files: Iterable[Path]) -> dict[str, str]:
    """Return the environment without what the parameters files read, so that every default is taken."""
    read = {name for path in files for name in _VARIABLE.findall(path.read_text(encoding="utf-8"))}
    return {name: value for name, value in environment.items() if name not in read}
