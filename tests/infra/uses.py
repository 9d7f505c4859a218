"""Who uses which method of an adapter: the app, or the operators with `python -m ops`. From the source.

A port is known by the name that holds it, such as `self._feed` or `application.registry`.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.infra.predicted import ROOT

HOLDERS = {
    "store": "CosmosNoticeStore",
    "registry": "CosmosRegistry",
    "feed": "CosmosFeed",
    "index": "CosmosDebtors",
    "archive": "Archive",
    "bus": "ServiceBus",
    "publisher": "ServiceBus",
}
"""The names that hold a port, without the underscore of an attribute, and the adapter behind it in Azure. Also the
archive itself, whose functions operators call."""

FOR_OPERATORS = {"shared/feed_reader.py": ("skip_to_end",)}
"""Functions in files of the app that only operators call."""
THROUGH = {
    "shared/archive.py": ("whole_history", "_history", "uncommunicated", "_is_excluded"),
    "shared/debtor_projection.py": (),
    "shared/feed_reader.py": (),
}
"""Functions of the app that `ops history`, `uncommunicated`, `debtors` and `readers` call. Empty: all of the file."""


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """A method of an adapter that is used in a file."""

    who: str
    adapter: str
    method: str
    file: str


@cache
def all_uses() -> frozenset[Use]:
    """Return the uses of both."""
    app = files_of("function_app.py")
    # What only operators import, with what they call in the files of both.
    alone = files_of("ops/__main__.py") - app
    found = {use for file in app for use in _uses("app", file, without=FOR_OPERATORS.get(file, ()))}
    found |= {use for file in alone for use in _uses("operators", file)}
    return frozenset(found | {use for file, names in THROUGH.items() for use in _uses("operators", file, only=names)})


@cache
def files_of(start: str) -> frozenset[str]:
    """Return the files that a file imports, also by others, without the adapters."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        file = waiting.pop()
        if file not in found and "adapters" not in file:
            found.add(file)
            waiting += filter(None, map(_file, _imported(_tree(file))))
    return frozenset(found)


def mentions(file: str, name: str) -> bool:
    """Return whether a file names a function or a method."""
    named = (getattr(node, "attr", getattr(node, "id", None)) for node in ast.walk(_tree(file)))
    return name in named


def _uses(who: str, file: str, only: Iterable[str] = (), without: Iterable[str] = ()) -> Iterator[Use]:
    tree = _tree(file)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    missing = {*only, *without} - {each.name for each in functions}
    assert not missing, f"{file} has no {missing}"
    chosen = [each for each in functions if each.name in only] if only else [tree]
    left_out = {id(node) for each in functions if each.name in without for node in ast.walk(each)}
    for node in (node for part in chosen for node in ast.walk(part) if id(node) not in left_out):
        match node:
            case ast.Attribute(ast.Name(holder) | ast.Attribute(_, holder), method):
                adapter = HOLDERS.get(holder.removeprefix("_"))
                if adapter is not None:
                    yield Use(who, adapter, method, file)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(str() as module, names):
                yield module
                yield from (f"{module}.{each.name}" for each in names)
            case ast.Import(names):
                yield from (each.name for each in names)


@cache
def _file(module: str) -> str | None:
    path = Path(module.replace(".", "/"))
    found = (each for each in (path.with_suffix(".py"), path / "__init__.py") if (ROOT / each).is_file())
    return next((str(each) for each in found), None)


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))
