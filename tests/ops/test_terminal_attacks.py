"""Messages come from other systems. Their ids and bodies must not write to the terminal of an operator."""

import asyncio
import re
from pathlib import Path

import pytest

from shared import bootstrap
from shared.messages import Message
from shared.settings import EmbeddedStore, Settings
from tests.ops.command_line import Operator

CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


async def reject(path: Path, message: Message, description: str = "") -> None:
    """Put a message among the rejected ones."""
    application = bootstrap.open_application(Settings(EmbeddedStore(path)))
    assert application.bus is not None
    await application.bus.reject(message, "malformed", description)
    await bootstrap.close()


@pytest.mark.parametrize("command", [("dead-letters", "list"), ("dead-letters", "show", "rejected:1"), ("audit",)])
def test_a_message_writes_no_control_characters_to_the_terminal(operator: Operator, command: tuple[str, ...]) -> None:
    operator.add_institution()
    message = Message("rt\x1b]0;owned\x07\u009b2J", b'{"x": "\x1b]0;owned\x07"}')
    asyncio.run(reject(operator.data / "archive.db", message))
    if command == ("audit",):
        operator.ask("dead-letters", "replay", "--all", "--yes")

    assert CONTROLS.findall(operator.ask(*command).stdout) == []


def test_a_message_id_with_a_line_end_makes_no_second_row(operator: Operator) -> None:
    operator.add_institution()
    forged = "rt-1\nrejected:9  2026-11-28 05:41:50+01:00  malformed  paid  77777777777  rt-2"
    asyncio.run(reject(operator.data / "archive.db", Message(forged, b"")))

    assert len(operator.ask("dead-letters", "list").stdout.splitlines()) == 2
