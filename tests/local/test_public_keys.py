"""Where the keys that everybody knows open."""

from typing import Any

import pytest

from local.public_keys import require_loopback_host
from local.request import Receive, Scope, Send
from local.response import send_answer

PUBLIC = (b"ocp-apim-subscription-key", b"local-ec")
OWN = (b"ocp-apim-subscription-key", b"an operator's key")


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    await send_answer(send, scope["method"], (200, [], b"open"))


async def status(*headers: tuple[bytes, bytes]) -> int:
    """Return the status that is answered to a request with these headers."""
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("Nothing is read.")

    async def send(message: Any) -> None:
        sent.append(message)

    await require_loopback_host(answer, ["local-ec"])(
        {"type": "http", "method": "GET", "headers": headers}, receive, send
    )
    code: int = sent[0]["status"]
    return code


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:7071", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:80"])
async def test_a_public_key_opens_on_the_names_of_loopback(host: str) -> None:
    assert await status((b"host", host.encode()), PUBLIC) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "localhost:x", "", "[::]"],
)
async def test_a_public_key_opens_on_no_other_name(host: str) -> None:
    assert await status((b"host", host.encode()), PUBLIC) == 400


async def test_a_public_key_opens_nothing_without_one_name() -> None:
    localhost = (b"host", b"localhost")

    assert await status(PUBLIC) == 400
    assert await status(localhost, localhost, PUBLIC) == 400
    assert await status((b"host", b"evil.example"), OWN, PUBLIC) == 400


async def test_a_key_of_ones_own_opens_on_any_name_as_does_what_needs_none() -> None:
    assert await status((b"host", b"archive.example"), OWN) == 200
    assert await status((b"host", b"archive.example")) == 200
