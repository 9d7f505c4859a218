"""Which files are compiled before a cold start.

Python looks for compiled files below a folder of ours (PYTHONPYCACHEPREFIX), so what lies beside the sources plays no
part and stays as it is.
"""

import shutil
import subprocess
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Compiled(StrEnum):
    """What is compiled. Python's own library always is."""

    ALL = "all compiled"
    DEPENDENCIES = "dependencies compiled"
    """As in Azure where the app's folder is mounted read-only, and pip compiled what it installed."""
    NOTHING = "not compiled"


def caches(folder: Path, commands: Iterable[tuple[Sequence[str], Mapping[str, str]]]) -> dict[Compiled, Path]:
    """Run each command once in its environment. Return the folders of compiled files for each case."""
    found = {case: folder / case.name.lower() for case in Compiled}
    writing = {"PYTHONPYCACHEPREFIX": str(found[Compiled.ALL]), "PYTHONDONTWRITEBYTECODE": ""}
    for command, environment in commands:
        subprocess.run(command, cwd=ROOT, env={**environment, **writing}, check=True, stdout=subprocess.DEVNULL)
    everything = found[Compiled.ALL]
    dependencies = [_below(everything, Path(sysconfig.get_path(name))) for name in ("purelib", "platlib")]
    of_others = {folder for folder in dependencies if folder.is_dir()}
    own = _below(everything, ROOT)
    for case, left_out in ((Compiled.DEPENDENCIES, {own}), (Compiled.NOTHING, {own, *of_others})):
        # The environment may lie inside the project.
        kept = of_others - left_out
        for file in everything.rglob("*.pyc"):
            folders = set(file.parents)
            if not left_out & folders or kept & folders:
                target = found[case] / file.relative_to(everything)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
    return found


def environment_of(cache: Path) -> dict[str, str]:
    """Return the environment in which these compiled files are used, and no more are written."""
    return {"PYTHONPYCACHEPREFIX": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}


def _below(cache: Path, sources: Path) -> Path:
    return cache / sources.resolve().relative_to("/")
