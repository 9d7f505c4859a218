"""The filters of subscriptions: three values, types that count, and what is refused."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from emulators.servicebus.filters import Names, correlation, every_message, sql

CERTAIN = {True: "n = 1", False: "n = 2", None: "absent = 1"}
"""Predicates that are true, false and unknown of a message with n = 1."""
MESSAGE = Names({"subject": "notice", "message_id": "id-1"}, {"n": 1})


def admits(text: str, properties: dict[object, Any] | None = None, **system: object) -> bool:
    """Return whether a filter admits a message of these properties."""
    return sql(text)(Names(system, properties or {}))


@pytest.mark.parametrize("one", CERTAIN)
@pytest.mark.parametrize("other", CERTAIN)
def test_and_and_or_have_three_values(one: bool | None, other: bool | None) -> None:
    values = {one, other}
    both = False if False in values else None if None in values else True
    either = True if True in values else None if None in values else False

    assert _value(f"({CERTAIN[one]}) AND ({CERTAIN[other]})") is both
    assert _value(f"({CERTAIN[one]}) OR ({CERTAIN[other]})") is either


@pytest.mark.parametrize(("one", "negated"), [(True, False), (False, True), (None, None)])
def test_not_of_unknown_is_unknown(one: bool | None, negated: bool | None) -> None:
    assert _value(f"NOT ({CERTAIN[one]})") is negated


@given(
    st.recursive(
        st.sampled_from([*CERTAIN]),
        lambda inner: st.tuples(st.sampled_from("ao"), inner, inner) | st.tuples(st.just("n"), inner),
        max_leaves=12,
    )
)
def test_predicates_nest(tree: Any) -> None:
    assert _value(_written(tree)) is _expected(tree)


@pytest.mark.parametrize(
    ("text", "is_admitted"),
    [
        # AND binds before OR, NOT before both.
        ("n = 1 OR n = 2 AND n = 2", True),
        ("(n = 1 OR n = 2) AND n = 2", False),
        ("NOT n = 2 AND n = 1", True),
        ("NOT (n = 2 OR n = 1)", False),
        ("n != 2", True),
        ("n <> 1", False),
        ("N = 1", True),
        ("user.n = 1", True),
        ("USER . n = 1", True),
        ("[n] = 1", True),
        ("sys.label = 'notice'", True),
        ("sys.MessageId = 'id-1' AND SYS.Label <> 'x'", True),
        ("sys.CorrelationId IS NULL", True),
        ("1 = n", True),
        ("'a' = 'a'", True),
        ("n IN (3, 2, 1)", True),
        ("n NOT IN (3, 2)", True),
        ("n IN (3, 2)", False),
        ("n IN ('1', absent)", False),
        ("n NOT IN (2, absent)", False),
        ("absent IN (1)", False),
        ("absent NOT IN (1)", False),
        ("absent IS NULL", True),
        ("absent IS NOT NULL", False),
        ("n IS NOT NULL", True),
        ("absent = absent", False),
        ("absent <> 1", False),
    ],
)
def test_a_filter_admits_only_what_is_true(text: str, is_admitted: bool) -> None:
    assert sql(text)(MESSAGE) is is_admitted


@pytest.mark.parametrize(
    ("text", "value", "is_admitted"),
    [
        ("p = 1", 1, True),
        ("p = 1", 1.0, True),
        ("p = 1.5", 1.5, True),
        ("p = -2", -2, True),
        ("p = 1", True, False),
        ("p = TRUE", True, True),
        ("p = true", 1, False),
        ("p = FALSE", False, True),
        ("p = FALSE", 0, False),
        ("p = '12'", 12, False),
        ("p = 12", "12", False),
        # Values of different types are not comparable: they are not different, either.
        ("p <> 12", "12", False),
        ("p <> 'a'", "A", True),
        ("p = 'it''s'", "it's", True),
        ("p = ''", "", True),
        ("p = 'a'", b"a", False),
        ("p IS NULL", None, True),
    ],
)
def test_types_count(text: str, value: object, is_admitted: bool) -> None:
    assert admits(text, {"p": value}) is is_admitted


@pytest.mark.parametrize("name", ["replayFor", "a b", "a]b", "è", "sys.x"])
def test_a_name_in_brackets_is_any_name(name: str) -> None:
    assert admits(f"[{name.replace(']', ']]')}] = 1", {name: 1})


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "n", "TRUE", "n = ", "= 1", "n = 1 AND", "(n = 1", "n = 1)", "n == 1", "n = 1; n = 2"),
        *("n LIKE 'a%'", "n > 1", "n <= 1", "n + 1 = 2", "-n = 1", "EXISTS (n)", "p('n') = 1", "newid() = 1"),
        *("n = NULL", "n IS 1", "n IN ()", "n IN 1", "'a' IS NULL", 'n = "x"', "@p = 1", "n = 'a", "and = 1"),
        *("sys.EnqueuedSequenceNumber = 1", "sys.absent = 'a'", "other.n = 1", "1e5 = n", "n = 1 -- why"),
        "NOT " * 500 + "n = 1",
        "n = '" + "x" * 1100 + "'",
    ],
)
def test_sql_that_the_double_does_not_read_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(The double|A filter) .*\.$"):
        sql(text)


@given(st.text(max_size=40))
def test_whatever_is_written_is_a_filter_or_refused(text: str) -> None:
    try:
        found = sql(text)
    except ValueError:
        return
    assert isinstance(found(MESSAGE), bool)


def test_without_a_filter_every_message_is_admitted() -> None:
    assert every_message(Names({}, {}))


@pytest.mark.parametrize(
    ("wanted", "is_admitted"),
    [
        ({"label": "notice"}, True),
        ({"label": "notice", "messageId": "id-1", "properties": {"n": 1}}, True),
        ({"label": "notice", "properties": {"n": "1"}}, False),
        ({"label": "other"}, False),
        ({"correlationId": "c"}, False),
        ({"properties": {"absent": 1}}, False),
    ],
)
def test_a_correlation_filter_wants_everything_equal(wanted: dict[str, object], is_admitted: bool) -> None:
    assert correlation(wanted)(MESSAGE) is is_admitted


@pytest.mark.parametrize("wanted", [{}, {"properties": {}}, {"properties": 1}, {"colour": "red"}])
def test_a_correlation_filter_that_says_nothing_is_refused(wanted: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^A correlation filter .*\.$"):
        correlation(wanted)


def _value(text: str) -> bool | None:
    """Return the value of a predicate: what neither it nor its negation admits is unknown."""
    if sql(text)(MESSAGE):
        return True
    return False if sql(f"NOT ({text})")(MESSAGE) else None


def _written(tree: Any) -> str:
    if not isinstance(tree, tuple):
        return CERTAIN[tree]
    kind, *parts = tree
    if kind == "n":
        return f"NOT ({_written(parts[0])})"
    return f"({_written(parts[0])}) {'AND' if kind == 'a' else 'OR'} ({_written(parts[1])})"


def _expected(tree: Any) -> bool | None:
    """Return the value by numbers: false is 0, unknown 1, true 2."""
    return {0: False, 1: None, 2: True}[_number(tree)]


def _number(tree: Any) -> int:
    if not isinstance(tree, tuple):
        return {False: 0, None: 1, True: 2}[tree]
    kind, *parts = tree
    if kind == "n":
        return 2 - _number(parts[0])
    return (min if kind == "a" else max)(*map(_number, parts))
