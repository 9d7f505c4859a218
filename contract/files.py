"""The files of the contract and of its page. The first request loads a file, which then stays in memory.

The page is Swagger UI, started by `page.js`. Only the names in a table are served, so a request can
never name another file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from shared.errors import FileNotThere
from shared.wire.headers import JSON

HTML, SCRIPT, STYLE = "text/html", "text/javascript", "text/css"

# The browser must send the input of the user, keys too, to the archive only. `data:` is for the icons of Swagger UI.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

FILE_HEADERS: Mapping[str, str] = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
"""A client may cache a file, and must ask each time whether it has changed."""
PAGE_HEADERS: Mapping[str, str] = {
    **FILE_HEADERS,
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class File:
    """The content of an answer. Its ETag is a hash of the content, so it is the same on every instance."""

    content: bytes
    media_type: str
    etag: str
    headers: Mapping[str, str]


@cache
def contract() -> File:
    """Return the OpenAPI document."""
    return _file(_load("openapi.json"), JSON)


def page(url: str) -> File:
    """Return the page. The URLs of its files are relative to `url`, the URL of the request."""
    return _page("" if url.partition("?")[0].endswith("/") else "docs/")


def page_file(name: str) -> File:
    """Return a script or style sheet of the page. Raises FileNotThere."""
    if name not in _PAGE_FILES:
        raise FileNotThere
    return _page_file(name)


_PAGE_FILES: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "page.js": (SCRIPT, lambda: _load("page.js")),
    "swagger-ui.css": (STYLE, lambda: _load("swagger_ui", "swagger-ui.css")),
    "swagger-ui-bundle.js": (SCRIPT, lambda: _load("swagger_ui", "swagger-ui-bundle.js")),
}


@cache
def _page_file(name: str) -> File:
    media_type, load = _PAGE_FILES[name]
    return _file(load(), media_type)


@cache
def _page(folder: str) -> File:
    return _file(_load("page.html").replace(b"{folder}", folder.encode()), HTML, PAGE_HEADERS)


def _file(content: bytes, media_type: str, headers: Mapping[str, str] = FILE_HEADERS) -> File:
    return File(content, media_type, f'"{sha256(content).hexdigest()[:32]}"', headers)


def _load(*path: str) -> bytes:
    return Path(__file__).parent.joinpath(*path).read_bytes()
