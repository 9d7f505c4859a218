"""Keys that everybody knows open on loopback names only.

A page in a browser can give this machine a name of its own (DNS rebinding), and would then call it with such a key.
"""

import re
from collections.abc import Collection

from local.request import App, Receive, Scope, Send
from local.response import BAD_REQUEST, send_answer
from shared.http import KEY_HEADER
from shared.telemetry import log_event

_LOOPBACK = re.compile(rb"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)


def on_loopback_names(app: App, public_keys: Collection[str]) -> App:
    """Return the app, but with 400 for a request with a public key whose Host is not a name of loopback."""
    header = KEY_HEADER.encode()
    known = {(header, key.encode()) for key in public_keys}

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _has(scope, known) and not _is_local(scope):
            log_event("public_key_refused", reason="the Host header is not localhost")
            await send_answer(send, scope["method"], BAD_REQUEST)
        else:
            await app(scope, receive, send)

    return serve


def _has(scope: Scope, known: set[tuple[bytes, bytes]]) -> bool:
    return any((name, value.strip()) in known for name, value in scope["headers"])


def _is_local(scope: Scope) -> bool:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return len(hosts) == 1 and _LOOPBACK.fullmatch(hosts[0].strip()) is not None
