"""Calls the archive over HTTP, as its clients do."""

import asyncio
import re
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPSConnection
from json import loads
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ops.output import printable

ERROR_CODE = "X-Error-Code"
"""Only an answer of the archive has this header. A gateway or the platform does not send it."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MOST = 1024 * 1024
"""Bytes of an answer that are read, at most."""
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class NoAnswer(Exception):
    """A call had no answer: no connection, not in time, or no HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a call."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def code(self) -> str | None:
        """Return the error code of the archive. None if the answer is a success, or not the archive's."""
        code = self.headers.get(ERROR_CODE)
        return None if code is None else printable(code)

    @property
    def fields(self) -> dict[str, Any]:
        """Return the JSON object of the body. Empty if the body is something else."""
        try:
            fields = loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return fields if isinstance(fields, dict) else {}

    def __str__(self) -> str:
        """Return the status and the error code."""
        if self.code is not None:
            return f"{self.status} {self.code}"
        return f"{self.status} without {ERROR_CODE}" if self.status >= 400 else str(self.status)


class Api:
    """The addresses of an archive. Redirects are not followed, so that a key goes nowhere else."""

    def __init__(self, base: SplitResult, timeout: float) -> None:
        """`timeout` is in seconds, for a whole call."""
        self._base = base
        self._timeout = timeout

    async def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = _NO_HEADERS
    ) -> Answer:
        """Send a request to a path below the base address. Raises NoAnswer."""
        connection = self._connection()
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.to_thread(_exchange, connection, method, self._base.path + path, body, headers)
        except TimeoutError:
            raise NoAnswer(f"no answer within {self._timeout:g} seconds") from None
        except (OSError, HTTPException) as error:
            raise NoAnswer(f"no answer ({printable(str(error)) or type(error).__name__})") from error
        finally:
            _end(connection)

    def _connection(self) -> HTTPConnection:
        host, port = self._base.hostname, self._base.port
        assert host is not None, "parse_base has checked it"
        if self._base.scheme == "https":
            return HTTPSConnection(host, port, timeout=self._timeout, context=ssl.create_default_context())
        return HTTPConnection(host, port, timeout=self._timeout)


def parse_base(text: str) -> SplitResult:
    """Parse the address under which the archive is. A key goes to another machine over https only."""
    rule = "must be the address of the archive, such as https://archive.example/api"
    try:
        base = urlsplit(text.rstrip("/"))
        schemes = ("http", "https") if base.hostname in LOOPBACK else ("https",)
        is_complete = base.scheme in schemes and bool(base.hostname) and base.port != 0
    except ValueError:
        raise ValueError(rule) from None
    if not is_complete or not re.fullmatch("[!-~]+", text) or re.search("[@?#]", text):
        raise ValueError(rule)
    return base


def _exchange(
    connection: HTTPConnection, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> Answer:
    connection.connect()
    # Else it would connect again after `_end`, in the middle of a request.
    connection.auto_open = 0
    # A server may refuse a large body before it has read all of it. Its answer is there all the same.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read(_MOST))


def _end(connection: HTTPConnection) -> None:
    """Close a connection, also if a thread still waits at it."""
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
