"""The loads: notices that are new in each round, and answers of the size that the limit has."""

from statistics import mean

import httpx
import pytest

from bench.corpus.case import FIRST
from bench.loads import CHANGED, KNOWN, LOADS, NEW_IN_ROUND, Inputs, Load
from bench.notices import BODIES, number_of
from bench.open_loop import FIRST as FIRST_OF_OPEN_LOOP
from bench.rounds import WARM_UP
from bench.sides.constant import SIZE
from tests.functions.client import JSON, path_of


async def test_the_limit_answers_as_many_bytes_as_the_archive_does_in_the_mean(http: httpx.AsyncClient) -> None:
    sizes = []
    for serial, body in enumerate(BODIES):
        path = path_of(number_of(serial))
        assert (await http.put(path, content=body, headers=JSON)).status_code == 201
        sizes.append(len((await http.get(path)).content))

    assert mean(sizes) == pytest.approx(SIZE, rel=0.02)


def test_no_notice_of_one_round_is_new_in_another() -> None:
    firsts = [Inputs.of_round(number).first for number in (WARM_UP, 0, 1)]

    assert firsts == [firsts[0], firsts[0] + NEW_IN_ROUND, firsts[0] + 2 * NEW_IN_ROUND]
    assert KNOWN + CHANGED < firsts[0] < FIRST_OF_OPEN_LOOP < FIRST


@pytest.mark.parametrize("load", LOADS, ids=lambda load: str(load.name))
def test_a_script_makes_requests_and_reports_what_came_out(load: Load) -> None:
    script = load.script(Inputs(1, ["a-cursor"]))

    assert "function request()" in script
    assert "function done(summary, latency)" in script
