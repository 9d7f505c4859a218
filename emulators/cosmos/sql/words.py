"""The place in a query while it is read, word by word."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from emulators.cosmos.refusals import Refusal, not_implemented
from emulators.cosmos.sql.text import Kind, Token, tokens

_T = TypeVar("_T")


class Words:
    """The words of a query, of which one is next."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._position = 0

    @property
    def next(self) -> Token:
        """The word that has not been read yet; after the last, the end."""
        return self._tokens[self._position]

    def read(self) -> Token:
        """Step over the next word, whatever it is."""
        token = self.next
        if token.kind is not Kind.END:
            self._position += 1
        return token

    def take(self, word: str) -> bool:
        """Step over a keyword or symbol, if it is the next."""
        if not self.next.is_one_of(word):
            return False
        self._position += 1
        return True

    def need(self, word: str) -> None:
        """Step over a keyword or symbol. Raises SqlError if it is not the next."""
        if not self.take(word):
            raise self.next.unexpected()

    def name(self) -> str:
        """Step over a name. Raises SqlError if none is next, as where a reserved word is used for one."""
        token = self.read()
        if token.kind is not Kind.NAME:
            raise token.unexpected()
        return token.text

    def refuse(self, features: Mapping[str, str]) -> None:
        """Raise the refusal of a feature that is not implemented, if the next word gives it away."""
        if self.next.is_one_of(*features):
            raise missing(features[self.next.text.upper()])

    def spanned(self, read: Callable[[], _T]) -> tuple[_T, str]:
        """Read something; return it with its text as it was written."""
        start = self._position
        value = read()
        return value, self._text[self._tokens[start].start : self._tokens[self._position - 1].end]


def missing(feature: str) -> Refusal:
    """Return the refusal of a feature of SQL that the service has and the double has not."""
    return not_implemented(f"{feature} in SQL")
