"""The public JSON, headers and parameters ⇄ the domain.

The modules with the models of pydantic are loaded when they are first used: a start takes half the time without them.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.wire import debtors, inbound, parsing, positions, queries, texts

__all__ = ["debtors", "inbound", "parsing", "positions", "queries", "texts"]


def __getattr__(name: str) -> ModuleType:
    """Load one of the modules in `__all__`."""
    if name not in __all__:
        raise AttributeError(name)
    return import_module(f"{__name__}.{name}")
