"""The example of docs/testing.md does what it says."""

import re
from pathlib import Path

import pytest

from tests.conformance.servicebus.support import leaves_sockets_open

pytestmark = leaves_sockets_open

ROOT = Path(__file__).parents[2]


def test_the_example_of_the_documentation_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    (example,) = [code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "ServiceBusDouble" in code]
    monkeypatch.chdir(ROOT)

    exec(example, {})
