"""The sides in Microsoft's worker: each app is loaded, and its functions are found as the host finds them."""

import asyncio
from pathlib import Path

from bench.corpus.case import get, path_of, put
from bench.notices import JSON, body, dumps
from bench.sides.constant import SIZE
from bench.worker import sides
from tests.functions.worker import worker_python


def test_the_archive_publishes_and_reads_in_the_worker(tmp_path: Path) -> None:
    async def conversation(side: sides.WorkerSide) -> list[tuple[int, str | None]]:
        cases = [put("new", path_of(1), body()), put("again", path_of(1), body()), get("read", path_of(1))]
        replies = [await side.ask(case) for case in (*cases, get("nowhere", "/api/v1/nowhere"))]
        return [(reply.status, reply.headers.get("etag")) for reply in replies]

    with sides.archive(tmp_path / "archive", worker_python()) as side:
        answers = asyncio.run(conversation(side))

    assert answers == [(201, '"1-ACTIVE"'), (200, '"1-ACTIVE"'), (200, '"1-ACTIVE"'), (404, None)]


def test_a_run_counts_its_failures(tmp_path: Path) -> None:
    requests = [
        ("PUT", path_of(serial), JSON, dumps(body(amount=amount)).decode()) for serial, amount in ((1, 5), (2, 0))
    ]

    with sides.archive(tmp_path / "archive", worker_python()) as side:
        assert side.run(requests)["failures"] == 1


def test_the_constant_answers_every_address(tmp_path: Path) -> None:
    with sides.constant(tmp_path / "constant", worker_python()) as side:
        reply = asyncio.run(side.ask(get("any", path_of(1))))

    assert (reply.status, len(reply.content)) == (200, SIZE)
