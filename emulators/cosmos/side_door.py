"""Control a double that runs as a process of its own: requests to `/_double/…`, with JSON, on loopback only.

PUT faults (a list of rules, in place of those in force), POST split, POST advance, GET log, DELETE log.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson

from emulators.cosmos.faults import Fault
from emulators.cosmos.refusals import Refusal, bad_request

if TYPE_CHECKING:
    from emulators.cosmos.double import CosmosDouble

PREFIX = "/_double/"


def through_side_door(double: "CosmosDouble", method: str, path: str, body: bytes) -> bytes:
    """Carry out a request to the double itself. Raises Refusal."""
    try:
        return orjson.dumps(_carry_out(double, f"{method} {path.removeprefix(PREFIX)}", orjson.loads(body or b"{}")))
    except (AttributeError, TypeError, ValueError) as error:
        raise bad_request(f"The double cannot do that: {error}") from error


def _carry_out(double: "CosmosDouble", command: str, given: Any) -> object:
    match command:
        case "PUT faults":
            rules = [Fault(**rule | ({"key": tuple(rule["key"])} if rule.get("key") else {})) for rule in given]
            double.faults.clear()
            double.inject(*rules)
            return {"rules": len(rules)}
        case "POST split":
            return {"ranges": double.split(**given)}
        case "POST advance":
            double.advance(**given)
            return {}
        case "GET log":
            return {"requests": [asdict(request) for request in double.log]}
        case "DELETE log":
            double.log.clear()
            return {}
    raise Refusal(404, "NotFound", f"The double knows no {command}.")
