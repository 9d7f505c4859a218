"""Parses the headers that matter: preconditions, media type, request id."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from shared.domain.declarations import Precondition
from shared.errors import InvalidHeader, LengthRequired, UnsupportedMediaType

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

_random = Random()
_TAG = re.compile(r'\s*(?:W/)?"([\x21\x23-\x7e]*)"\s*')
_VERSION = re.compile(r"([1-9][0-9]{0,17})-[A-Z]+")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_REQUEST_ID = re.compile(r"[\x20-\x7e]{1,128}")


def request_id(headers: Mapping[str, str]) -> str:
    """Return the id of the request: the client's if it is 1 to 128 printable ASCII characters, else a new one."""
    given = headers.get("x-request-id")
    return given if given and _REQUEST_ID.fullmatch(given) else f"{_random.getrandbits(128):032x}"


def parse_traceparent(given: str | None) -> str | None:
    """Return the trace context if it is one of W3C, version 00. Any other is ignored, as the standard says."""
    return given if given and _TRACEPARENT.fullmatch(given) else None


def check_media_type(headers: Mapping[str, str], accepted: tuple[str, ...]) -> None:
    """Raise UnsupportedMediaType unless the body is declared as one of the accepted types, in UTF-8, not compressed."""
    fault = _fault_of(headers.get("content-type", ""), headers.get("content-encoding", "identity"), accepted)
    if fault is not None:
        raise UnsupportedMediaType(f"{fault} Send Content-Type {' or '.join(accepted)}, in UTF-8 and not compressed.")


def check_length(headers: Mapping[str, str], length: int) -> None:
    """Raise LengthRequired if the platform has lost the body: it hands none over that comes without Content-Length."""
    if length == 0 and "transfer-encoding" in headers and "content-length" not in headers:
        raise LengthRequired


@lru_cache(maxsize=256)  # clients send the same few
def _fault_of(content_type: str, content_encoding: str, accepted: tuple[str, ...]) -> str | None:
    media_type, *parameters = content_type.split(";")
    charsets = [
        value.strip().strip('"').lower()
        for name, _, value in (parameter.partition("=") for parameter in parameters)
        if name.strip().lower() == "charset"
    ]
    if not media_type.strip():
        return "The header Content-Type is missing."
    if media_type.strip().lower() not in accepted:
        return "The media type in Content-Type is not accepted here."
    if not all(charset in ("utf-8", "utf8") for charset in charsets):
        return "The charset in Content-Type is not utf-8."
    if content_encoding.strip().lower() != "identity":
        return "The header Content-Encoding says that the body is compressed."
    return None


def parse_precondition(headers: Mapping[str, str], *, may_be_new: bool = False) -> Precondition:
    """Return the precondition of If-Match and, if a notice may be new, of If-None-Match. Raises InvalidHeader.

    Tags that the archive never gives name no version: where there are no others, `versions` is empty.
    """
    if_match, if_none_match = headers.get("if-match"), headers.get("if-none-match")
    if if_none_match is not None:
        if not may_be_new or if_none_match.strip() != "*" or if_match is not None:
            raise InvalidHeader(
                "On a PUT, If-None-Match takes only *, and no If-Match with it. Do not send it with PATCH or POST."
            )
        return Precondition(is_new=True)
    if if_match is None:
        return Precondition()
    if if_match.strip() == "*":
        return Precondition(exists=True)
    matches = (_VERSION.fullmatch(tag) for tag in _tags(if_match, "If-Match"))
    return Precondition(versions=frozenset(int(match[1]) for match in matches if match))


@dataclass(frozen=True, slots=True)
class IfNoneMatch:
    """The versions that the client of a read has already: these tags, or any."""

    tags: frozenset[str] = frozenset()
    anything: bool = False

    def includes(self, etag: str) -> bool:
        """Return whether the client has the version with this tag."""
        return self.anything or etag.strip('"') in self.tags


def parse_if_none_match(headers: Mapping[str, str]) -> IfNoneMatch:
    """Return the versions that the client of a read has already. Raises InvalidHeader."""
    known = headers.get("if-none-match")
    if known is None:
        return IfNoneMatch()
    return IfNoneMatch(anything=True) if known.strip() == "*" else IfNoneMatch(frozenset(_tags(known, "If-None-Match")))


def _tags(header: str, name: str) -> list[str]:
    """Return the opaque parts of a list of entity tags. Weak ones compare like strong ones."""
    tags, position = [], 0
    while match := _TAG.match(header, position):
        tags.append(match[1])
        position = match.end()
        if position == len(header):
            return tags
        if header[position] != ",":
            break
        position += 1
    raise InvalidHeader(f"Send in {name} the ETag as it was received, quotes included, a list of ETags, or *")
