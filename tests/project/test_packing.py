"""What is deployed from a folder in which somebody works: the app, and nothing that lies beside it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCIGNORE = (ROOT / ".funcignore").read_text(encoding="utf-8")
DATA_OF_THE_CONTRACT = {
    "contract/openapi.json",
    "contract/page.html",
    "contract/page.js",
    "contract/swagger_ui/LICENSE",
    "contract/swagger_ui/NOTICE",
    "contract/swagger_ui/swagger-ui-bundle.js",
    "contract/swagger_ui/swagger-ui-bundle.js.LICENSE.txt",
    "contract/swagger_ui/swagger-ui.css",
}

DIRT = [
    # What `make run` keeps, here and where DATA says.
    ".local/archive.db",
    ".local/cosmos.db",
    "mydata/archive.db",
    "mydata/archive.db-wal",
    "shared/archive.db",
    "è/archive.db",
    # Settings and keys.
    ".env",
    "local.settings.json",
    "appsettings.json",
    "id_rsa",
    "shared/.env",
    # Environments, caches and packages.
    ".venv/pyvenv.cfg",
    ".venv-run/lib/python3.11/site-packages/rich/__init__.py",
    "venv/lib/python3.11/site-packages/uvicorn/main.py",
    "node_modules/x/index.js",
    ".python_packages/lib/site-packages/x.py",
    "shared/__pycache__/errors.cpython-311.pyc",
    "shared/domain/__pycache__/notice.cpython-311.pyc",
    ".mypy_cache/x.json",
    "dist/archive.zip",
    # Editors and shells.
    ".vscode/settings.json",
    ".idea/workspace.xml",
    ".DS_Store",
    "notes.txt",
    "publish_notice.csv",
    "shared.csv",
    "sharedness/x.py",
    "scratch.py",
    "health/notices.csv",
    "shared/wire/requests.http",
    "nohup.out",
]


ASK = """
import asyncio
import sys
from pathlib import Path

import httpx
import shared
sys.path.append(sys.argv[1])
from local.host import Host

async def ask():
    host = Host.load(Path.cwd())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(host), base_url="http://localhost/api") as client:
        for path in ("/v1/health", "/openapi.json", "/docs", "/docs/page.js"):
            print((await client.get(path)).status_code, end=" ")

assert Path(shared.__file__).parent == Path.cwd() / "shared"
asyncio.run(ask())
"""
"""Runs the app of the current folder in the development host of the checkout."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of this checkout with what a developer leaves in it."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in [*checkout(), *DIRT]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if name in DIRT:
            (folder / name).write_text("a citizen, a key")
        else:
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def checkout() -> list[str]:
    return listed(ROOT, "--cached", "--exclude-standard")


def app() -> set[str]:
    """Return the files of the app, as the folders of its blueprints show."""
    folders = {file.parent.name for file in ROOT.glob("*/__init__.py") if "func.Blueprint()" in file.read_text()}
    sources = {name for name in checkout() if name.split("/")[0] in folders | {"shared"} and name.endswith(".py")}
    return sources | {"function_app.py", "host.json", "requirements.txt"} | DATA_OF_THE_CONTRACT


def listed(folder: Path, *options: str) -> list[str]:
    """Return files of a folder as git sees them."""
    command = ["git", "ls-files", "-z", "--others", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if name and (folder / name).exists()]


def by_the_rules_of_git(folder: Path) -> set[str]:
    """Return what VS Code, azd and the GitHub action deploy."""
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    (folder / ".funcignore").write_text(FUNCIGNORE)
    return set(listed(folder, "--exclude-from=.funcignore"))


def by_the_rules_of_core_tools(folder: Path) -> set[str]:
    """Return what `func azure functionapp publish` deploys.

    As in Azure/azure-functions-core-tools, src/Cli/func/Common/GitIgnoreParser.cs: stars are the only signs with a
    meaning, a pattern fits a path that begins with it at the end of a word, and an included path is never excluded.
    """
    lines = [line.strip() for line in FUNCIGNORE.splitlines() if line.strip() and not line.startswith("#")]
    excluded = fitting(line for line in lines if not line.startswith("!"))
    included = fitting(line.removeprefix("!") for line in lines if line.startswith("!"))
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    mine = (path for path in paths if path.split("/")[0] not in (".git", ".vscode"))
    return {path for path in mine if included.match(path) or not excluded.match(path)}


def fitting(patterns: Iterable[str]) -> re.Pattern[str]:
    escaped = (re.escape(pattern.removeprefix("/")) for pattern in patterns)
    stars = (text.replace(r"\*\*", "(.+)").replace(r"\*", "([^/]+)") for text in escaped)
    return re.compile(f"(({')|('.join(stars)}))\\b", re.ASCII)


@pytest.mark.parametrize("rules", [by_the_rules_of_git, by_the_rules_of_core_tools])
def test_the_app_is_deployed_and_nothing_beside_it(rules: Callable[[Path], set[str]], folder: Path) -> None:
    assert sorted(rules(folder)) == sorted(app())


def test_the_github_action_keeps_the_folders_of_what_it_deploys(tmp_path: Path) -> None:
    """It removes what is ignored, and takes the name of a folder for the name of a file."""
    folders = {parent for name in app() for parent in Path(name).parents} - {Path()}
    kept = set()
    for number, folder in enumerate(folders):
        as_a_file = tmp_path / str(number) / folder
        as_a_file.parent.mkdir(parents=True)
        as_a_file.touch()
        kept |= by_the_rules_of_git(tmp_path / str(number))

    assert kept == {folder.as_posix() for folder in folders}
    assert len(folders) > 10


def test_what_is_deployed_needs_nothing_else_of_the_checkout(folder: Path, tmp_path: Path) -> None:
    for name in by_the_rules_of_git(folder):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, tmp_path / name)

    done = subprocess.run(
        [sys.executable, "-c", ASK, str(ROOT)],
        cwd=tmp_path,
        env={**os.environ, "ARCHIVE_STORE": "sqlite:archive.db"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.stdout, done.returncode) == ("200 200 200 200 ", 0), done.stderr
