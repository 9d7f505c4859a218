"""The development host answers every case as the platform's host does, or differs where a case says why."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn

from local.__main__ import server_config
from local.host import Host
from tests.host_conformance.exchange import APP, CASES, Case, Place, as_local, faults

# One server for all cases.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place() -> AsyncIterator[Place]:
    """Yield where a real server listens, before the development host."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = Host.load(APP, module="echo_app")
        # Its folder has a function_app too, which other tests of this process must not find.
        if str(APP.resolve()) in sys.path:
            sys.path.remove(str(APP.resolve()))
        server = uvicorn.Server(server_config(host))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield Place("127.0.0.1", listener.getsockname()[1])
        server.should_exit = True
        await serving


def named(case: Case) -> str:
    return f"{case['case']} {case['name']}".encode("unicode_escape").decode()


@pytest.mark.parametrize("case", CASES, ids=named)
async def test_a_case_is_answered_as_on_the_platform_or_as_it_says(case: Case, place: Place) -> None:
    expected = as_local(case)

    answer = await place.answer(expected)

    assert list(faults(expected, answer)) == []
    if "local" in case:
        assert case["local"]["why"]
        assert list(faults(case, answer)), "It does not differ."


async def test_no_two_cases_have_one_name() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)
