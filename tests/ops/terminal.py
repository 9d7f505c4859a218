"""How tests run a command in a terminal."""

import os
import pty
import subprocess
import sys
from pathlib import Path
from select import select

from tests.ops.command_line import ROOT, environment
from tests.server import PATIENCE

TAKE_THE_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "ops", *sys.argv[1:]])
"""
"""The command becomes the one that the terminal belongs to, so that Ctrl-C reaches it."""


class Terminal:
    """A command that runs in a terminal, in which somebody can be asked."""

    def __init__(self, data: Path, *command: str, **settings: str) -> None:
        self._screen, far_end = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", TAKE_THE_TERMINAL, *command],
            cwd=ROOT,
            env=environment(data, TERM="xterm", **settings),
            stdin=far_end,
            stdout=far_end,
            stderr=far_end,
        )
        os.close(far_end)

    def read_until(self, text: str) -> str:
        """Return what appears, through this text."""
        seen = ""
        while text not in seen:
            seen += self._read().decode()
        return seen

    def type(self, text: str) -> None:
        """Type a line."""
        self.press(f"{text}\n")

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self._screen, keys.encode())

    def rest(self) -> str:
        """Return what appears until the command has ended."""
        seen = b""
        try:
            while chunk := self._read():
                seen += chunk
        except OSError:
            pass  # The other end was closed.
        os.close(self._screen)
        self.process.wait(PATIENCE)
        return seen.decode().replace("\r\n", "\n")

    def _read(self) -> bytes:
        readable, _, _ = select([self._screen], [], [], PATIENCE)
        assert readable, "Nothing appears any more."
        return os.read(self._screen, 1024)
