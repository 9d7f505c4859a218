"""Says which rule of its form a code breaks, in words that never repeat the code."""

from collections.abc import Iterable

Part = tuple[int, int, str, str]
"""Where a part of a code begins and ends, which characters it may have, and the sentence that says so."""


def characters_fault(text: str, *, upper_case: bool = True) -> str | None:
    """Return why the characters are not those of a code: ASCII letters and digits, letters in upper case."""
    if not text:
        return "it is empty"
    if any(character.isspace() for character in text):
        return "it has blanks"
    if not (text.isascii() and text.isalnum()):
        return "it has characters other than letters and digits"
    if upper_case and not (text.isupper() or text.isdigit()):
        return "it has letters in lower case"
    return None


def length_fault(text: str, unit: str = "characters") -> str:
    """Return how long the code is."""
    return f"it has {len(text)} {unit}" if len(text) != 1 else f"it has 1 {unit.removesuffix('s')}"


def parts_fault(text: str, parts: Iterable[Part]) -> str | None:
    """Return the sentence of the first part that has other characters than it may have."""
    return next((rule for start, end, allowed, rule in parts if not set(text[start:end]) <= set(allowed)), None)


def form_of(parts: Iterable[Part]) -> str:
    """Return the regular expression of parts that follow each other."""
    return "".join(f"[{allowed}]{{{end - start}}}" for start, end, allowed, _ in parts)
