"""Guides are true: each request that they show (`curl -i …`) is sent, and answered as they show (```http)."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

VARIES = frozenset({"publishedAt", "updatedAt", "recordedAt", "occurredAt"})
"""Fields of answers with another value each time. Where a guide uses one in a request, ours takes its place."""

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Exchange:
    """A command and the answer that the guide shows for it."""

    command: str
    shown: str


@dataclass(frozen=True)
class Section:
    """A part of a guide that stands on its own."""

    title: str
    exchanges: list[Exchange]
    varies: frozenset[str] = VARIES
    ours: dict[str, str] = field(default_factory=dict)
    """Our values of what varies, by those of the guide."""

    def commands(self) -> Iterator[tuple[Exchange, str]]:
        """Yield each exchange with its command, in which our values stand for those of the guide."""
        for exchange in self.exchanges:
            command = exchange.command
            for theirs, mine in self.ours.items():
                command = command.replace(theirs, mine)
            yield exchange, command

    def check(self, exchange: Exchange, answer: httpx.Response) -> None:
        """Assert that the answer has the status, and every header and field, that is shown."""
        head, _, body = exchange.shown.partition("\n\n")
        status, *lines = head.strip().splitlines()
        where = f"{self.title}: {exchange.command}"
        assert status == f"HTTP/1.1 {answer.status_code}", f"{where}\n{answer.text}"
        for line in lines:
            name, value = line.split(": ", 1)
            assert (name, answer.headers[name]) == (name, value), where
        if body:
            self._check_value(json.loads(body), answer.json(), where)

    def _check_value(self, shown: Any, answered: Any, where: str) -> None:
        match shown, answered:
            case dict(), dict():
                for name, value in shown.items():
                    assert name in answered, f"{where}: {name}"
                    if name in self.varies and isinstance(value, str):
                        assert isinstance(answered[name], str), f"{where}: {name}"
                        assert self.ours.setdefault(value, answered[name]) == answered[name], f"{where}: {name}"
                    else:
                        self._check_value(value, answered[name], f"{where}: {name}")
            case list(), list():
                assert len(shown) == len(answered), f"{where}: {answered}"
                for index, value in enumerate(shown):
                    self._check_value(value, answered[index], f"{where}[{index}]")
            case _:
                assert shown == answered, where


def sections(guide: str, varies: frozenset[str] = VARIES) -> list[Section]:
    """Return the sections of a guide that show exchanges; each command must be followed by its answer."""
    found = []
    for part in re.split(r"^(?=##+ )", guide, flags=re.MULTILINE):
        blocks = [(kind, text) for kind, text in BLOCK.findall(part) if kind == "http" or text.startswith("curl -i ")]
        assert [kind for kind, _ in blocks] == ["sh", "http"] * (len(blocks) // 2), part.partition("\n")[0]
        pairs = [
            Exchange(command.strip(), shown) for (_, command), (_, shown) in zip(blocks[::2], blocks[1::2], strict=True)
        ]
        if pairs:
            found.append(Section(part.partition("\n")[0].strip("# "), pairs, varies))
    return found
