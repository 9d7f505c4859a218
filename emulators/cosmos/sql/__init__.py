"""The part of Cosmos DB's SQL that the double understands: parse a query, then run it, narrow by it, or plan it."""

from emulators.cosmos.sql.parser import condition, parse
from emulators.cosmos.sql.select import Select
from emulators.cosmos.sql.text import SqlError

__all__ = ["Select", "SqlError", "condition", "parse"]
