"""Indexing policies of the double of Cosmos DB: what they index, what they can order, which are valid."""

from typing import Any

import pytest

from emulators.cosmos.indexing import check_order, check_policy, terms
from emulators.cosmos.refusals import Refusal

DOCUMENT: dict[str, Any] = {
    "id": "n1",
    "amount": 5,
    "debtor": {"name": "Ada", "address": {"city": "Roma"}},
    "tags": ["a", "b", "a"],
    "lines": [{"code": "A", "cents": 1}],
    "_rid": "r",
    "_self": "s",
    "_etag": "e",
    "_attachments": "x",
    "_ts": 1,
}
ALWAYS = {"/id", "/_ts"}


def a_policy(included: tuple[str, ...] = ("/*",), excluded: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {
        "indexingMode": "consistent",
        "includedPaths": [{"path": path} for path in included],
        "excludedPaths": [{"path": path} for path in excluded],
        **more,
    }


def a_composite(*parts: str) -> list[dict[str, str]]:
    """Return a composite index of paths, of which those with a minus are descending."""
    return [
        {"path": part.removeprefix("-"), "order": "descending" if part.startswith("-") else "ascending"}
        for part in parts
    ]


def indexed_paths(policy: dict[str, Any] | None) -> set[str]:
    return {path for path, _ in terms(DOCUMENT, policy)}


def order_by(*parts: str) -> list[tuple[tuple[str, ...], bool]]:
    return [(tuple(part.removeprefix("-").split(".")), part.startswith("-")) for part in parts]


def message_of(policy: dict[str, Any] | None, order: list[tuple[tuple[str, ...], bool]] | None = None) -> str:
    with pytest.raises(Refusal) as refusal:
        check_policy(policy) if order is None else check_order(policy, order)
    assert refusal.value.status == 400
    return refusal.value.message


@pytest.mark.parametrize("policy", [None, {}, {"indexingMode": "consistent"}, a_policy()])
def test_by_default_everything_is_indexed_but_what_the_system_keeps_for_itself(policy: dict[str, Any] | None) -> None:
    assert indexed_paths(policy) == ALWAYS | {
        "/amount",
        "/debtor/name",
        "/debtor/address/city",
        "/tags/[]",
        "/lines/[]/code",
        "/lines/[]/cents",
    }


def test_a_term_is_a_path_with_a_value_and_is_held_once() -> None:
    policy = a_policy(("/tags/[]/?",), ("/*",))
    assert terms(DOCUMENT, policy) == {
        ("/id", '"n1"'),
        ("/_ts", "1"),
        ("/tags/[]", '"a"'),
        ("/tags/[]", '"b"'),
    }


@pytest.mark.parametrize(
    ("included", "excluded", "paths"),
    [
        (("/amount/?",), ("/*",), {"/amount"}),
        (("/debtor/?",), ("/*",), set()),
        (("/debtor/*",), ("/*",), {"/debtor/name", "/debtor/address/city"}),
        (("/debtor/*",), ("/*", "/debtor/address/*"), {"/debtor/name"}),
        (("/debtor/address/city/?", '/"amount"/?'), ("/*", "/debtor/*"), {"/debtor/address/city", "/amount"}),
        (("/debtor/name/?",), ("/*", "/debtor/name/*"), {"/debtor/name"}),
        (("/lines/[]/code/?",), ("/*",), {"/lines/[]/code"}),
        (("/*",), ("/debtor/*", "/lines/*", "/tags/*", '/"_etag"/?'), {"/amount"}),
        (("/_etag/?",), ("/*",), set()),
    ],
)
def test_the_most_precise_path_decides(included: tuple[str, ...], excluded: tuple[str, ...], paths: set[str]) -> None:
    assert indexed_paths(a_policy(included, excluded)) == ALWAYS | paths


def test_nothing_is_indexed_where_the_mode_is_none() -> None:
    assert terms(DOCUMENT, {"indexingMode": "none"}) == frozenset()


def test_a_composite_index_holds_one_term_of_all_its_paths() -> None:
    policy = a_policy((), ("/*",), compositeIndexes=[a_composite("/amount", "-/debtor/name")])
    assert ("/amount,/debtor/name", '[5, "Ada"]') in terms(DOCUMENT, policy)
    assert indexed_paths(policy) == ALWAYS | {"/amount,/debtor/name"}


@pytest.mark.parametrize("path", ["id", "_ts", "amount", "-amount", "debtor.name"])
def test_one_path_is_ordered_by_if_it_is_indexed(path: str) -> None:
    check_order(a_policy(("/amount/?", "/debtor/*"), ("/*",)), order_by(path))


def test_any_path_is_ordered_by_where_everything_is_indexed_and_none_needs_no_index() -> None:
    check_order(None, order_by("anything"))
    check_order({"indexingMode": "none"}, [])


@pytest.mark.parametrize(
    ("policy", "path"),
    [
        (a_policy(("/amount/?",), ("/*",)), "debtor"),
        (a_policy(("/*",), ("/amount/?",)), "amount"),
        (a_policy((), ("/*",), compositeIndexes=[a_composite("/a", "/b")]), "a"),
        ({"indexingMode": "none"}, "id"),
        (None, "_etag"),
    ],
)
def test_one_path_that_is_not_indexed_is_refused(policy: dict[str, Any] | None, path: str) -> None:
    message = message_of(policy, order_by(path))
    assert message == "The index path corresponding to the specified order-by item is excluded."


COMPOSITE = a_policy((), ("/*",), compositeIndexes=[a_composite("/x", "/y", "/z"), a_composite("/a/b", "-/c")])


@pytest.mark.parametrize("order", [("a.b", "-c"), ("-a.b", "c"), ("x", "y", "z"), ("-x", "-y", "-z")])
def test_several_paths_are_ordered_by_as_their_composite_index_has_them_or_all_the_other_way(
    order: tuple[str, ...],
) -> None:
    check_order(COMPOSITE, order_by(*order))


@pytest.mark.parametrize(
    ("policy", "order"),
    [
        (COMPOSITE, ("a.b", "c")),
        (COMPOSITE, ("-c", "a.b")),
        (COMPOSITE, ("x", "y")),
        (COMPOSITE, ("x", "y", "-z")),
        (None, ("a", "b")),
        ({**COMPOSITE, "indexingMode": "none"}, ("x", "y", "z")),
    ],
)
def test_several_paths_that_no_composite_index_serves_are_refused(
    policy: dict[str, Any] | None, order: tuple[str, ...]
) -> None:
    message = message_of(policy, order_by(*order))
    assert message == "The order by query does not have a corresponding composite index that it can be served from."


@pytest.mark.parametrize(
    "policy",
    [
        None,
        {},
        {"indexingMode": "none"},
        {"indexingMode": "Consistent", "automatic": True},
        {"compositeIndexes": [a_composite("/a", "/b/c")]},
        a_policy(("/*",), ('/"_etag"/?',)),
        a_policy(("/a/b/?", "/c/[]/d/?", "/e/*"), ("/*",)),
        {"compositeIndexes": [[{"path": "/a"}, {"path": "/b"}]]},
    ],
)
def test_a_valid_policy_is_accepted(policy: dict[str, Any] | None) -> None:
    check_policy(policy)


@pytest.mark.parametrize("policy", [a_policy(("/a/?",)), a_policy((), ("/a/?",)), a_policy(("/a/*",), ("/b/*",))])
def test_a_consistent_policy_that_does_not_place_the_rest_is_refused(policy: dict[str, Any]) -> None:
    assert message_of(policy).startswith('The special mandatory indexing path "/" is not provided')


@pytest.mark.parametrize(
    ("path", "position"),
    [("a/?", 0), ("/a", 2), ("/a/", 2), ("/a/*/b/?", 2), ("/a?", 2), ("/a//?", 2), ('/"a/?', 0), ("/?", 0), ("", 0)],
)
def test_a_malformed_path_is_refused_with_the_place_where_it_fails(path: str, position: int) -> None:
    expected = f"The indexing path '{path}' could not be accepted, failed near position '{position}'."
    assert message_of(a_policy(("/*",), (path,))).startswith(expected)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (a_policy(("/*",), ("/*",)), "both included and excluded"),
        ({"indexingMode": "lazy"}, "The indexing mode 'lazy' is not valid."),
        (a_policy(compositeIndexes=[a_composite("/a")]), "at least two paths"),
        (a_policy(compositeIndexes=[a_composite("/a", "/b/?")]), "could not be accepted"),
        (a_policy(compositeIndexes=[a_composite("/a", "/*")]), "could not be accepted"),
        (a_policy(compositeIndexes=[[{"path": "/a"}, {"path": "/b", "order": "up"}]]), "The order 'up'"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(policy: dict[str, Any], message: str) -> None:
    assert message in message_of(policy)
