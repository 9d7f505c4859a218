"""Accept the published keys of the local callers only for a loopback name.

With DNS rebinding, a web page can reach this machine under another name, and could call the archive with such a key.
"""

import re
from collections.abc import Collection

from local.request import App, Receive, Scope, Send
from local.response import BAD_REQUEST, send_answer
from shared.http import KEY_HEADER
from shared.telemetry import log_event

_LOOPBACK = re.compile(rb"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)


def require_loopback_host(app: App, public_keys: Collection[str]) -> App:
    """Return an app that answers 400 to a request with a public key, if its Host is not a loopback name."""
    header = KEY_HEADER.encode()
    keys = {(header, key.encode()) for key in public_keys}

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _has_key(scope, keys) and not _is_loopback(scope):
            log_event("public_key_refused", reason="the Host header is not localhost")
            await send_answer(send, scope["method"], BAD_REQUEST)
        else:
            await app(scope, receive, send)

    return serve


def _has_key(scope: Scope, keys: set[tuple[bytes, bytes]]) -> bool:
    return any((name, value.strip()) in keys for name, value in scope["headers"])


def _is_loopback(scope: Scope) -> bool:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return len(hosts) == 1 and _LOOPBACK.fullmatch(hosts[0].strip()) is not None
