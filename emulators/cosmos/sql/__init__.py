"""The part of Cosmos DB's SQL that the double understands: parse a query, then run it, narrow by it, or plan it."""

from emulators.cosmos.sql.errors import SqlError
from emulators.cosmos.sql.parser import condition, parse
from emulators.cosmos.sql.select import Select

__all__ = ["Select", "SqlError", "condition", "parse"]
