"""The files of the contract and its page: read by the first request, and kept in memory.

The page is Swagger UI, as its package ships it, started by a script of ours. Only the names of a table are files, so a
request never becomes a path.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from shared.errors import FileNotThere
from shared.wire.headers import JSON

HTML, SCRIPT, STYLE = "text/html", "text/javascript", "text/css"

# The page sends the user's input, keys included, to the archive only. `data:` is for the icons of Swagger UI.
ONLY_OURS = "; ".join(
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


PLAIN: Mapping[str, str] = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
"""A client may keep a file. It asks each time whether the file has changed."""
GUARDED: Mapping[str, str] = {**PLAIN, "Content-Security-Policy": ONLY_OURS, "Referrer-Policy": "no-referrer"}


@dataclass(frozen=True, slots=True)
class File:
    """The content of an answer. Its tag follows from the content, so it is the same on every instance."""

    content: bytes
    media_type: str
    etag: str
    headers: Mapping[str, str]


@cache
def contract() -> File:
    """Return the OpenAPI document."""
    return _file(_read("contract", "openapi.json"), JSON)


def page(url: str) -> File:
    """Return the page. The addresses of its files are relative to `url`, the address of the request."""
    return _page("" if url.partition("?")[0].endswith("/") else "docs/")


def page_file(name: str) -> File:
    """Return a script or style sheet of the page; raise FileNotThere."""
    if name not in _PAGE_FILES:
        raise FileNotThere
    return _page_file(name)


_SWAGGER_UI = "mkdocs_swagger_ui_tag"
_PAGE_FILES: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "page.js": (SCRIPT, lambda: _read("contract", "page.js")),
    "swagger-ui.css": (STYLE, lambda: _read(_SWAGGER_UI, "swagger-ui", "stylesheets", "swagger-ui.css")),
    "swagger-ui-bundle.js": (SCRIPT, lambda: _read(_SWAGGER_UI, "swagger-ui", "javascripts", "swagger-ui-bundle.js")),
}


@cache
def _page_file(name: str) -> File:
    media_type, read = _PAGE_FILES[name]
    return _file(read(), media_type)


@cache
def _page(folder: str) -> File:
    return _file(_read("contract", "page.html").replace(b"{folder}", folder.encode()), HTML, GUARDED)


def _file(content: bytes, media_type: str, headers: Mapping[str, str] = PLAIN) -> File:
    return File(content, media_type, f'"{sha256(content).hexdigest()[:32]}"', headers)


def _read(package: str, *path: str) -> bytes:
    return files(package).joinpath(*path).read_bytes()
