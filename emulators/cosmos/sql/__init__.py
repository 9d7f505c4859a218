"""The SQL of Cosmos DB, as far as the double implements it: parse a query, run it, plan it."""

from emulators.cosmos.sql.errors import SqlError
from emulators.cosmos.sql.parser import condition, parse
from emulators.cosmos.sql.select import Select

__all__ = ["Select", "SqlError", "condition", "parse"]
