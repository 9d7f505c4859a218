"""Every example of the contract works, in any order and on any day, as the page at `/api/docs` sends it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Literal

import httpx
import pytest

from docs.openapi.operations import OPERATIONS
from local.seed import LOCAL_EC, LOCAL_PLATFORM
from tests.functions.client import COMUNE, KEY
from tests.openapi_check import contract, operations, resolved
from tests.support import INSTITUTION, NOW, StillClock

State = Literal["unknown", "open", "CANCELLED", "CLOSED"]
"""Where the one notice of the examples stands."""

LATER = datetime(2041, 5, 17, 8, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Example:
    """A request as the page sends it: the addresses that the contract shows, one of its bodies."""

    operation: str
    key: str
    name: str
    method: str
    path: str
    headers: Mapping[str, str]
    media_type: str | None
    body: Any

    @property
    def event(self) -> str:
        """Return what the request does to the notice."""
        if self.operation == "declare_event":
            return str(self.body["type"])
        if self.operation == "pa_create_position":
            return "create_position" if self.body["amount"] else "cancel_position"
        return self.operation


@pytest.mark.parametrize("now", [NOW, LATER])
@pytest.mark.parametrize("seed", range(8))
async def test_every_example_works_in_any_order_on_any_day(
    http: httpx.AsyncClient, clock: StillClock, now: datetime, seed: int
) -> None:
    clock.now = now
    shown = [*examples()] * 2
    Random(seed).shuffle(shown)

    await send_and_check(http, shown)


async def test_every_example_works_in_the_order_of_the_page(http: httpx.AsyncClient) -> None:
    await send_and_check(http, [*examples()])


async def test_every_example_but_the_lenient_one_works_for_a_strict_institution(http: httpx.AsyncClient) -> None:
    strict = [example for example in examples(INSTITUTION) if example.name != "lenient"]
    Random(0).shuffle(strict)

    await send_and_check(http, strict)


async def test_every_example_of_a_parameter_of_a_list_is_understood(http: httpx.AsyncClient) -> None:
    address = f"/creditor-institutions/{COMUNE}/notices"
    asked = [
        (parameter["name"], value)
        for parameter in map(resolved, operations()["list_notices"]["parameters"])
        for value in parameter["schema"].get("examples", ())
    ]

    answered = [(await http.get(address, params={name: value})).status_code for name, value in asked]

    assert len(asked) >= 6
    assert answered == [200] * len(asked)


async def send_and_check(http: httpx.AsyncClient, shown: list[Example]) -> None:
    """Send the examples one after the other; assert that each is answered as the ones before it let expect."""
    state: State = "unknown"
    for example in shown:
        headers = {
            KEY: example.key,
            **example.headers,
            **({"Content-Type": example.media_type} if example.media_type else {}),
        }
        answer = await http.request(
            example.method, f"/..{example.path}", headers=headers, json=None if example.body is None else example.body
        )
        expected, state = after(example.event, state)
        assert answer.status_code == expected, f"{example.operation} {example.name}: {answer.text}"


def after(event: str, state: State) -> tuple[int, State]:
    """Return the status that an example is answered with in a state, and the state after it."""
    ended = state in ("CANCELLED", "CLOSED")
    match event, state:
        case "list_notices" | "list_open_notices" | "get_payability" | "health" | "get_contract", _:
            return 200, state
        case "publish_notice" | "create_position", _:
            return (409, state) if ended else (201 if (event, state) == ("publish_notice", "unknown") else 200, "open")
        case "cancel_position", _:
            return (422, state) if state == "unknown" else (409, state) if ended else (200, "CANCELLED")
        case _, "unknown":
            return 404, state
        case "get_notice" | "get_history", _:
            return 200, state
        case "amend_notice", _:
            return (409 if ended else 200), state
        case "restored", _:
            return 200, "open"
        case "cancelled", _:
            return (409, state) if state == "CLOSED" else (200, "CANCELLED")
        case "closed", _:
            return (409, state) if state == "CANCELLED" else (200, "CLOSED")
        case _:
            raise AssertionError(event)


def examples(institution: str = COMUNE) -> Iterator[Example]:
    """Yield every request that the page offers, for an institution."""
    for path, methods in contract()["paths"].items():
        for method, operation in methods.items():
            address, headers = path, dict[str, str]()
            for parameter in map(resolved, operation["parameters"]):
                address = address.replace(f"{{{parameter['name']}}}", parameter.get("example", ""))
                if parameter["in"] == "header" and parameter.get("required"):
                    headers[parameter["name"]] = parameter["example"]
            address = address.replace(COMUNE, institution)
            name = operation["operationId"]
            # The keys that the page names.
            of_platform = OPERATIONS[name].scope in LOCAL_PLATFORM.scopes - LOCAL_EC.scopes
            key = LOCAL_PLATFORM.name if of_platform else LOCAL_EC.name
            if "requestBody" not in operation:
                yield Example(name, key, "", method.upper(), address, headers, None, None)
            for media_type, content in operation.get("requestBody", {"content": {}})["content"].items():
                for example_name, example in content["examples"].items():
                    body = example["value"]
                    if "paFiscalCode" in body:
                        body = {**body, "paFiscalCode": institution}
                    yield Example(name, key, example_name, method.upper(), address, headers, media_type, body)
