"""Which function answers an address."""

import pytest

from local.functions import Function, NotLoadable
from local.routes import Routes

Known = tuple[str, list[str] | None, str]
"""A template, its methods and the name of its function."""

APP: list[Known] = [
    ("items/{id}", ["GET", "PUT"], "read_or_write"),
    ("items/{name}", ["DELETE"], "delete"),
    ("items/{id}/parts", ["GET"], "parts"),
    ("days/latest", ["GET"], "latest"),
    ("{*path}", None, "zz_other"),
]


async def answer(req: object) -> None: ...


def routes(*known: Known) -> Routes:
    return Routes(
        Function(name, answer, {"type": "httpTrigger", "name": "req", "route": template, "methods": methods})
        for template, methods, name in known
    )


def found(known: Routes, method: str, address: str) -> tuple[str, dict[str, str]] | None:
    hit = known.find(method, address.split("/"))
    return hit and (hit[0].name, hit[1])


@pytest.mark.parametrize(
    ("method", "address", "answered"),
    [
        ("GET", "items/7", ("read_or_write", {"id": "7"})),
        ("PUT", "items/Seven", ("read_or_write", {"id": "Seven"})),
        ("DELETE", "ITEMS/7", ("delete", {"name": "7"})),
        ("GET", "Days/Latest", ("latest", {})),
        ("GET", "items/7/parts", ("parts", {"id": "7"})),
        ("HEAD", "items/7", ("zz_other", {"path": "items/7"})),
        ("BREW", "days/latest", ("zz_other", {"path": "days/latest"})),
        ("GET", "items//parts", ("zz_other", {"path": "items//parts"})),
        ("GET", "items/7/others", ("zz_other", {"path": "items/7/others"})),
        ("GET", "", ("zz_other", {"path": ""})),
    ],
)
def test_the_rest_gets_what_no_other_function_answers(
    method: str, address: str, answered: tuple[str, dict[str, str]]
) -> None:
    assert found(routes(*APP), method, address) == answered


@pytest.mark.parametrize(
    ("method", "address"), [("POST", "items/7"), ("GET", "items"), ("GET", "items/"), ("GET", "a/b/c"), ("GET", "")]
)
def test_without_a_rest_an_unknown_address_and_an_unknown_method_are_not_found(method: str, address: str) -> None:
    assert found(routes(*APP[:-1]), method, address) is None


def test_a_rest_below_an_address_takes_what_is_below_it_or_nothing() -> None:
    known = routes(("files/{*path}", ["GET"], "files"))

    assert found(known, "GET", "files/a//b") == ("files", {"path": "a//b"})
    assert found(known, "GET", "files") == ("files", {})
    assert found(known, "GET", "other/a") is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("b/{x}", ["GET"], "a"), ("b/{y}", ["GET", "PUT"], "b")),
        (("b/{x}", ["GET"], "a"), ("b/literal", ["GET"], "b")),
        (("b/literal", ["GET"], "a"), ("B/{x}", ["GET"], "b")),
        (("b/literal", ["GET"], "a"), ("b/literal", None, "b")),
        (("b/{x}/c", ["GET"], "a"), ("{y}/b/c", ["GET"], "b")),
        (("{*path}", ["GET"], "a"), ("b", ["GET"], "b")),
        (("{*path}", None, "a"), ("b", ["GET"], "B")),
    ],
)
def test_a_function_that_hides_another_is_refused_whichever_comes_first(first: Known, second: Known) -> None:
    for order in ((first, second), (second, first)):
        with pytest.raises(NotLoadable, match=r"^a hides [bB]: "):
            routes(*order)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("b/{x}", ["GET"], "a"), ("b/{x}", ["PUT"], "b")),
        (("b/{x}", ["GET"], "a"), ("c/{x}", ["GET"], "b")),
        (("b/{x}", ["GET"], "a"), ("b", ["GET"], "b")),
        (("b/{x}", ["GET"], "a"), ("b/{*path}", ["GET"], "b")),
    ],
)
def test_functions_that_no_request_fits_both_and_a_rest_that_comes_last_are_taken(first: Known, second: Known) -> None:
    routes(first, second)
    routes(second, first)


@pytest.mark.parametrize(
    "template", ["a/{b}.json", "a/{b:int}", "a/{b=1}", "a/{b?}", "a/{*rest}/b", "{*a}/{*b}", "a/}", "a/{"]
)
def test_a_template_this_host_does_not_serve_is_refused(template: str) -> None:
    with pytest.raises(NotLoadable, match="this host does not support"):
        routes((template, ["GET"], "f"))
