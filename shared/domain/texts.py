"""Decides which free texts a notice may hold, and when two of them are the same.

The Stand-In answers in SOAP, and XML 1.0 cannot carry every character.
"""

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar, cast
from unicodedata import category, normalize

from shared.errors import InvalidValue


def parse_text(text: str) -> str:
    """Accept a text of one line without control characters. InvalidValue `control_character`."""
    if not text.isprintable():  # the fast way for nearly every text: it takes fewer characters than the rule
        _refuse_control_characters(text)
    return text


def parse_visible_text(text: str) -> str:
    """Accept what parse_text accepts, if it shows something. InvalidValue `control_character`, `nothing_visible`."""
    if not text.isprintable():
        _refuse_control_characters(text)
    if not text or text.isspace() or not (text.isascii() or any(map(_is_visible, text))):
        raise InvalidValue("nothing_visible", "must have at least one visible character: a letter, digit or sign")
    return text


def is_same_text(text: str, other: str) -> bool:
    """Return whether two texts read the same: `è` as one character, or as `e` and an accent (one NFC form)."""
    return text == other or _normal(text) == _normal(other)


Value = TypeVar("Value")


def as_known(value: Value, known: Value) -> Value:
    """Return the value with each text in it as it is known already, where the two are the same text.

    A value is a text, or holds texts: a dataclass, a tuple, a dict (whose keys are texts too).
    """
    if value == known or type(value) is not type(known):
        return value
    return cast(Value, _as_known(value, known))


def _as_known(value: Any, known: Any) -> object:
    match value:
        case str():
            return known if is_same_text(value, known) else value
        case dict():
            keys = {_normal(key): key for key in known}
            named = {keys.get(_normal(key), key): text for key, text in value.items()}
            return {key: as_known(text, known.get(key, text)) for key, text in named.items()}
        case tuple():
            return (*map(as_known, value, known), *value[len(known) :])
        case _ if is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in fields(value)]
            return replace(value, **{name: as_known(getattr(value, name), getattr(known, name)) for name in names})
        case _:
            return value


def _refuse_control_characters(text: str) -> None:
    if found := _REFUSED.search(text):
        named = f"U+{ord(found[0]):04X} as character {found.start() + 1}"
        raise InvalidValue("control_character", f"must be one line without control characters: it has {named}")


def _normal(text: str) -> str:
    return text if text.isascii() else normalize("NFC", text)


def _is_visible(character: str) -> bool:
    return category(character)[0] in "LNPS" and character not in _BLANK_LETTERS


# Control characters, line and paragraph separators, lone surrogates, and the two that are no characters at all.
_REFUSED: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_BLANK_LETTERS: Final = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and signs that are drawn as nothing: the fillers of Hangul, and the blank of Braille."""
