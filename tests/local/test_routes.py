"""Which function answers an address."""

import pytest

from local.functions import Function, NotLoadable
from local.routes import Routes


async def answer(req: object) -> None: ...


def routes(*templates: str) -> Routes:
    """Routes whose functions bear the names of their templates, each for GET."""
    return Routes((template, ["GET"], function(template)) for template in templates)


def function(name: str) -> Function:
    return Function(name, answer, {"type": "httpTrigger", "name": "req"}, takes_context=False, is_async=True)


def found(known: Routes, address: str) -> tuple[str, dict[str, str]] | None:
    hit = known.find("GET", address.split("/"))
    return hit and (hit[0].name, hit[1])


@pytest.mark.parametrize(
    ("address", "answered"),
    [
        ("days", ("days/{day?}", {})),
        ("days/monday", ("days/{day?}", {"day": "monday"})),
        ("files", ("files/{*rest}", {})),
        ("files/a/b//c", ("files/{*rest}", {"rest": "a/b//c"})),
        ("items/7", ("items/{id:int}", {"id": "7"})),
        ("items/-2147483648", ("items/{id:int}", {"id": "-2147483648"})),
        ("items/2147483648", ("items/{name}", {"name": "2147483648"})),
        ("items/seven", ("items/{name}", {"name": "seven"})),
        ("items/٧", ("items/{name}", {"name": "٧"})),
        ("items/latest", ("items/latest", {})),
        ("ITEMS/Latest", ("items/latest", {})),
        ("items/7/x", ("{kind}/7/x", {"kind": "items"})),
        ("items", None),
        ("items/", None),
        ("items/7/y", None),
        ("a/b/c/d", None),
        ("", None),
    ],
)
def test_an_address_finds_the_most_literal_route(address: str, answered: tuple[str, dict[str, str]] | None) -> None:
    known = routes("items/{name}", "items/{id:int}", "items/latest", "{kind}/7/x", "days/{day?}", "files/{*rest}")

    assert found(known, address) == answered


def test_a_literal_before_the_rest_wins_over_a_parameter_at_its_place() -> None:
    assert found(routes("{a}/{b}", "files/{*rest}"), "files/x") == ("files/{*rest}", {"rest": "x"})


def test_a_method_that_one_route_lacks_is_looked_for_in_the_next() -> None:
    known = Routes([("items/latest", ["GET"], function("read")), ("items/{id}", ["PUT"], function("write"))])

    hit = known.find("PUT", ["items", "latest"])

    assert hit is not None
    assert hit[0].name == "write"
    assert known.methods(["items", "latest"]) == ["GET", "PUT"]


def test_two_functions_at_one_address_and_method_are_refused() -> None:
    with pytest.raises(NotLoadable, match=r"b/\{y\}: b/\{x\} answers GET"):
        routes("b/{x}", "b/{y}")


@pytest.mark.parametrize("template", ["a/{b}.json", "a/{b:guid}", "a/{b=1}", "a/{*rest}/b", "a/{b?}/c", "a/}"])
def test_a_template_this_host_does_not_serve_is_refused(template: str) -> None:
    with pytest.raises(NotLoadable):
        routes(template)
