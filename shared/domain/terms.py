"""Terms: the words of the archive that programs switch on, each with its meaning."""

from enum import StrEnum
from typing import Self


class Term(StrEnum):
    """A member is its text. `meaning` explains it in the documents, which are generated from it."""

    meaning: str

    def __new__(cls, text: str, meaning: str = "") -> Self:
        """Make a member of its text and its meaning."""
        term = str.__new__(cls, text)
        term._value_, term.meaning = text, meaning
        return term
