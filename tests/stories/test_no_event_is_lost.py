"""The process is killed while changes flow in and out: each goes out, in order, and each receipt is applied once."""

from pathlib import Path

import pytest

from bench.event_soak import soak_events
from tests.conformance.servicebus.support import leaves_sockets_open

pytestmark = leaves_sockets_open


@pytest.mark.parametrize("azure", [False, True], ids=["embedded", "azure"])
async def test_whenever_the_server_is_killed_every_change_goes_out_and_every_receipt_is_applied_once(
    tmp_path: Path, azure: bool
) -> None:
    report = await soak_events(tmp_path, rounds=3, changes=500, azure=azure)

    assert report.faults == []
    assert report.kills == 3
    assert report.done >= 500
    assert report.messages >= report.changes >= len(report.sent) + len(report.receipts)
    assert len(report.receipts) > 100
