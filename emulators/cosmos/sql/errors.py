"""Refuse a query."""

import json

from lark import Token

from emulators.cosmos.refusals import Refusal, not_implemented


class SqlError(Refusal):
    """A query that the service would not compile. It has the service's words and the place in the text."""

    def __init__(self, message: str, code: str = "SC1001", location: tuple[int, int] = (0, 0)) -> None:
        start, end = location
        error = {"severity": "Error", "location": {"start": start, "end": end}, "code": code, "message": message}
        body = json.dumps({"errors": [error]}, separators=(",", ":"), ensure_ascii=False)
        super().__init__(400, "BadRequest", f"Message: {body}")


def missing(feature: str) -> Refusal:
    """Return the refusal of a feature of SQL that the service has and the double does not have."""
    return not_implemented(f"{feature} in SQL")


def place(token: Token) -> tuple[int, int]:
    """Return where a token begins and ends in the text."""
    return token.start_pos or 0, token.end_pos or 0
