"""One short round of `make soak`, so that it works when it is needed."""

from pathlib import Path

from bench.soak import LINES, soak


async def test_a_round_counts_what_was_acknowledged_and_what_had_no_answer(tmp_path: Path) -> None:
    (result,) = await soak(tmp_path, None, rounds=1, seconds=0.2)

    assert len(result.unanswered) == LINES, "Each client waited for an answer when the server was killed."
    assert (result.missing, result.refused) == (0, 0)
