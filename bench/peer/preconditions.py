"""Reads the preconditions of a request: If-Match and If-None-Match."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bench.peer.errors import Refusal

_TAGS = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e]*"\s*)*')
_TAG = re.compile(r'"([\x21\x23-\x7e]*)"')
_VERSION = re.compile(r"([1-9][0-9]{0,17})-[A-Z]+")


@dataclass(frozen=True, slots=True)
class Precondition:
    """Which version of the notice the client expects."""

    is_new: bool = False
    exists: bool = False
    versions: frozenset[int] | None = None

    def check(self, version: int | None) -> None:
        """Raise Refusal unless the notice is as the client expects. `version` is None if there is none."""
        if version is None:
            holds = not self.exists and self.versions is None
        else:
            holds = not self.is_new and (self.versions is None or version in self.versions)
        if not holds:
            raise Refusal("precondition_failed")


def precondition_of(headers: Mapping[str, str]) -> Precondition:
    """Return the precondition of a publication."""
    if_match, if_none_match = headers.get("if-match"), headers.get("if-none-match")
    if if_none_match is not None:
        if if_none_match.strip() != "*" or if_match is not None:
            raise Refusal("invalid_header")
        return Precondition(is_new=True)
    if if_match is None:
        return Precondition()
    if if_match.strip() == "*":
        return Precondition(exists=True)
    matches = (_VERSION.fullmatch(tag) for tag in _tags(if_match))
    return Precondition(versions=frozenset(int(match[1]) for match in matches if match))


def has_version(headers: Mapping[str, str], etag: str) -> bool:
    """Return whether the client of a read has the version already."""
    known = headers.get("if-none-match")
    if known is None:
        return False
    return known.strip() == "*" or etag.strip('"') in _tags(known)


def _tags(header: str) -> list[str]:
    if not _TAGS.fullmatch(header):
        raise Refusal("invalid_header")
    return _TAG.findall(header)
