"""The guide's steps to change a debtor key leave no gap: old and new processes run side by side at each deployment."""

import re
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.ops.command_line import Operator
from tests.server import KEY, LENIENT, PATIENCE, ROOT, Server, running
from tests.support import a_body, a_number

KEYS = {"old": "old:" + "b2xk" * 11, "new": "new:" + "bmV3" * 11}
DEBTOR = {"x-tax-code": "RSSMRA80A01H501U", "Ocp-Apim-Subscription-Key": "local-platform"}
STEP = re.compile(r"^\d\. .*`DEBTOR_KEYS=([a-z,]+)`", re.MULTILINE)
"""A step of the guide, with the setting that it names."""


class Deployments:
    """One archive whose processes are replaced one after the other, and the notices of one debtor in it."""

    def __init__(self, data: Path, stack: ExitStack) -> None:
        self._data = data
        self._stack = stack
        self._server: Server | None = None
        self._published: list[str] = []

    def deploy(self, setting: str) -> None:
        """Start a process with these debtor keys beside the old one, write and read on both, then end the old one."""
        new = self._stack.enter_context(running(self._data, DEBTOR_KEYS=in_full(setting)))
        both = [server for server in (self._server, new) if server]
        self.check(both)
        for server in both:
            self._publish(server)
        self._wait_for_lists(both)
        if self._server is not None:
            self._server.kill()
        self._server = new
        self.check()

    def check(self, servers: Iterable[Server] = ()) -> None:
        """Assert that the list is whole, at once."""
        for server in servers or filter(None, [self._server]):
            assert listed(server) == self._published

    def _publish(self, server: Server) -> None:
        number = a_number(len(self._published) + 1)
        httpx.put(f"{server.url}{LENIENT}/{number}", json=a_body(), headers=KEY).raise_for_status()
        self._published.append(number)

    def _wait_for_lists(self, servers: list[Server]) -> None:
        deadline = time.monotonic() + PATIENCE
        while any(listed(server) != self._published for server in servers):
            assert time.monotonic() < deadline, self._published
            time.sleep(0.1)


def test_a_debtor_key_is_changed_without_a_gap_as_the_guide_says(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    first, second, rebuild, last = STEP.findall(guide.partition("### Change a debtor key\n")[2].partition("\n##")[0])
    operator = Operator(tmp_path)

    with ExitStack() as stack:
        archive = Deployments(tmp_path, stack)
        archive.deploy("old")
        archive.deploy(first)
        archive.deploy(second)
        operator.ask("debtors", "rebuild", env={"DEBTOR_KEYS": in_full(rebuild)})
        archive.check()
        archive.deploy(last)

    assert (first, last) == ("old,new", "new")


def in_full(setting: str) -> str:
    """Return the keys for their names."""
    return ",".join(KEYS[name] for name in setting.split(","))


def listed(server: Server) -> list[str]:
    """Return the numbers in the list of the debtor."""
    answer = httpx.get(f"{server.url}/debtors/notices", headers=DEBTOR)
    return [item["noticeNumber"] for item in answer.raise_for_status().json()["items"]]
