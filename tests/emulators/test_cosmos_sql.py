"""The SQL of the double of Cosmos DB: what it finds, what it refuses, and what it plans."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, strategies as st

from emulators.cosmos import sql
from emulators.cosmos.refusals import Refusal
from emulators.cosmos.sql.values import UNDEFINED, sort_key

NOTICE: dict[str, Any] = {
    "id": "n1",
    "status": "PAID",
    "amount": 12050,
    "debtor": {"name": "Ada Rossi", "address": None},
    "tags": ["tari", "2026"],
    "lines": [{"cents": 1, "code": "A"}, {"cents": 2, "code": "B"}],
    "switch": True,
    "value": "reserved",
}
OF_EVERY_TYPE = [None, False, True, -1, 2.5, 3, "", "a", [1], {"a": 1}]


def found(query: str, *documents: dict[str, Any], **parameters: object) -> list[object]:
    return sql.parse(query).run(documents, {f"@{name}": value for name, value in parameters.items()})


def value_of(expression: str, **parameters: object) -> object:
    """Return the value of an expression for the notice, UNDEFINED if it has none."""
    values = found(f"SELECT VALUE {expression} FROM c", NOTICE, **parameters)
    return values[0] if values else UNDEFINED


def numbered(*numbers: object) -> list[dict[str, Any]]:
    return [{"n": number} for number in numbers]


def refusal_of(query: str) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        sql.parse(query)
    return refusal.value


def error_of(refusal: Refusal) -> dict[str, Any]:
    assert refusal.status == 400
    error: dict[str, Any] = json.loads(refusal.message.removeprefix("Message: "))["errors"][0]
    return error


# What an expression is worth


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("c.debtor.name", "Ada Rossi"),
        ('c["debtor"]["name"]', "Ada Rossi"),
        ("c['value']", "reserved"),
        ("c.lines[1].code", "B"),
        ("c.lines[2].code", UNDEFINED),
        ("c.tags.name", UNDEFINED),
        ("c.debtor.address.city", UNDEFINED),
        ("c.nothing", UNDEFINED),
        ("c", NOTICE),
        ("-1.5e2", -150.0),
        (".5", 0.5),
        ("'it\\'s'", "it's"),
        ('"say \\"ciao\\""', 'say "ciao"'),
        ("'a \"quote\"'", 'a "quote"'),
        ("'\\u00e8\\n'", "è\n"),
        ("null", None),
        ("undefined", UNDEFINED),
        ("[1, c.nothing, 'x']", [1, "x"]),
        ("[]", []),
        ('{"n": c.amount, none: c.nothing, sub: {}}', {"n": 12050, "sub": {}}),
        ("@p", {"any": ["thing"]}),
    ],
)
def test_a_path_a_literal_or_a_parameter_has_its_value(expression: str, value: object) -> None:
    assert value_of(expression, p={"any": ["thing"]}) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 = 1.0", True),
        ("1 <> 2", True),
        ("'a' < 'b'", True),
        ("false < true", True),
        ("null <= null", True),
        ("null < null", False),
        ("1 = true", False),
        ("1 != 'x'", True),
        ("1 < 'x'", UNDEFINED),
        ("c.nothing = 1", UNDEFINED),
        ("c.nothing != 1", UNDEFINED),
        ("undefined = undefined", UNDEFINED),
        ("[1, {\"a\": null}] = [1, {'a': null}]", True),
        ("[1] = [true]", False),
        ("[1] < [2]", UNDEFINED),
        ("c.amount BETWEEN 12050 AND 12051", True),
        ("c.amount NOT BETWEEN 12050 AND 12051", False),
        ("c.amount BETWEEN 'a' AND 'b'", UNDEFINED),
        ("c.status IN ('ACTIVE', 'PAID')", True),
        ("c.status NOT IN ('ACTIVE', 'PAID')", False),
        ("c.status IN (1, c.nothing)", False),
        ("c.nothing IN (1)", UNDEFINED),
        ("NOT c.status", UNDEFINED),
        ("c.status AND true", UNDEFINED),
        ("c.status AND false", False),
        ("c.status OR true", True),
        ("NOT NOT c.switch", True),
        ("c.status = 'PAID' AND c.amount = 1 OR c.switch", True),
        ("c.status = 'PAID' AND (c.amount = 1 OR c.switch)", True),
        ("false AND false OR true", True),
        ("false AND (false OR true)", False),
    ],
)
def test_a_comparison_is_true_false_or_undefined(expression: str, value: object) -> None:
    assert value_of(expression) is value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("IS_DEFINED(c.debtor.address)", True),
        ("IS_DEFINED(c.nothing)", False),
        ("IS_NULL(c.debtor.address)", True),
        ("IS_NULL(c.nothing)", False),
        ("STARTSWITH(c.status, 'PA')", True),
        ("startswith(c.status, 'pa')", False),
        ("StartsWith(c.status, 'pa', true)", True),
        ("ENDSWITH(c.status, 'ID')", True),
        ("CONTAINS(c.debtor.name, 'a R')", True),
        ("CONTAINS(c.amount, '1')", UNDEFINED),
        ("STRINGEQUALS(c.status, 'paid', true)", True),
        ("LENGTH(c.status)", 4),
        ("LENGTH(c.tags)", UNDEFINED),
        ("LEFT(c.status, 2)", "PA"),
        ("LEFT(c.status, '2')", UNDEFINED),
        ("SUBSTRING(c.status, 1, 2)", "AI"),
        ("SUBSTRING(c.status, 1, -1)", ""),
        ("LOWER(c.status)", "paid"),
        ("UPPER(c.nothing)", UNDEFINED),
        ("ARRAY_LENGTH(c.lines)", 2),
        ("ARRAY_LENGTH(c.status)", UNDEFINED),
        ("ARRAY_CONTAINS(c.tags, 'tari')", True),
        ("ARRAY_CONTAINS(c.tags, 2026)", False),
        ("ARRAY_CONTAINS(c.lines, {'code': 'A'})", False),
        ("ARRAY_CONTAINS(c.lines, {'code': 'A'}, true)", True),
        ("ARRAY_CONTAINS(c.status, 'P')", UNDEFINED),
        ("REGEXMATCH(c.status, '^P.*D$')", True),
        ("REGEXMATCH(c.status, 'paid')", False),
        ("REGEXMATCH(c.status, 'paid', 'i')", True),
        ("REGEXMATCH(c.amount, 'paid')", UNDEFINED),
    ],
)
def test_a_function_answers_for_its_types_and_is_undefined_for_others(expression: str, value: object) -> None:
    assert value_of(expression) == value


KLEENE = {"c.switch": True, "c.amount = 1": False, "c.nothing": None, "c.status < 1": None}


def _negated(inner: tuple[str, bool | None]) -> tuple[str, bool | None]:
    text, value = inner
    return f"NOT ({text})", None if value is None else not value


def _joined(word: str, parts: list[tuple[str, bool | None]]) -> tuple[str, bool | None]:
    decisive = word == "OR"
    values = [value for _, value in parts]
    text = f" {word} ".join(f"({text})" for text, _ in parts)
    return text, decisive if decisive in values else None if None in values else not decisive


LOGIC = st.recursive(
    st.sampled_from(sorted(KLEENE.items())),
    lambda inner: st.one_of(
        inner.map(_negated),
        st.builds(_joined, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=12,
)


@given(LOGIC)
def test_logic_has_three_values_however_it_is_nested(logic: tuple[str, bool | None]) -> None:
    text, value = logic
    assert value_of(text) is (UNDEFINED if value is None else value)
    assert found(f"SELECT VALUE 1 FROM c WHERE {text}", NOTICE) == ([1] if value else [])


# What a query finds


def test_only_what_is_true_is_found() -> None:
    assert found("SELECT * FROM c WHERE c.n > 1", *numbered(1, 2, "3", None), {}) == numbered(2)


@pytest.mark.parametrize("source", ["FROM x", "FROM root x", "FROM root AS x"])
def test_the_documents_go_by_the_alias_that_from_gives_them(source: str) -> None:
    assert found(f"SELECT VALUE x.n {source} WHERE x.n = 1", *numbered(1, 2)) == [1]


def test_keywords_are_read_in_any_case_and_comments_are_not_read() -> None:
    assert found("select value c.n -- the number\nfrom c where c.n = 1 Or c.n = 2", *numbered(1, 2, 3)) == [1, 2]


def test_columns_take_their_name_from_as_from_the_path_or_from_their_place() -> None:
    query = "SELECT c.id, c.debtor.name AS who, LENGTH(c.id), c.amount cents, c.tags[0], c.nothing FROM c"
    assert found(query, NOTICE) == [{"id": "n1", "who": "Ada Rossi", "$1": 2, "cents": 12050, "$2": "tari"}]


def test_the_document_itself_is_a_column_by_its_alias() -> None:
    assert found("SELECT c FROM c", {"n": 1}) == [{"c": {"n": 1}}]


def test_order_goes_by_type_then_by_value_and_documents_without_the_property_stay() -> None:
    values = ["b", 10, True, None, "a", 9, False]
    ordered = [{}, *numbered(None, False, True, 9, 10, "a", "b")]
    assert found("SELECT * FROM c ORDER BY c.n", *numbered(*values), {}) == ordered
    assert found("SELECT * FROM c ORDER BY c.n DESC", {}, *numbered(*values)) == ordered[::-1]


def test_a_second_path_orders_what_the_first_leaves_equal() -> None:
    documents = [{"a": a, "b": b} for a, b in [(1, 1), (2, 1), (1, 2), (2, 2)]]
    pairs = found("SELECT VALUE [c.a, c.b] FROM c ORDER BY c.a DESC, c.b ASC", *documents)
    assert pairs == [[2, 1], [2, 2], [1, 1], [1, 2]]


@pytest.mark.parametrize(
    ("cut", "left"),
    [
        ("TOP 2", [1, 2]),
        ("TOP @two", [1, 2]),
        ("TOP 0", []),
        ("TOP 9", [1, 2, 3, 4]),
    ],
)
def test_top_keeps_the_first(cut: str, left: list[int]) -> None:
    assert found(f"SELECT {cut} VALUE c.n FROM c ORDER BY c.n", *numbered(4, 3, 2, 1), two=2) == left


def test_offset_and_limit_keep_a_stretch() -> None:
    query = "SELECT VALUE c.n FROM c ORDER BY c.n OFFSET @from LIMIT 2"
    assert found(query, *numbered(4, 3, 2, 1), **{"from": 1}) == [2, 3]


@pytest.mark.parametrize("count", ["3", -1, 1.5, True, None])
def test_top_is_a_whole_number_from_0(count: object) -> None:
    with pytest.raises(sql.SqlError):
        found("SELECT TOP @count * FROM c", count=count)


@pytest.mark.parametrize(
    ("aggregate", "numbers", "result"),
    [
        ("COUNT(1)", [1, "x", None], [3]),
        ("COUNT(c.n)", [1, "x", None], [3]),
        ("COUNT(c.other)", [1], [0]),
        ("COUNT(1)", [], [0]),
    ],
)
def test_an_aggregate_is_of_the_values_that_are_defined(
    aggregate: str, numbers: list[object], result: list[object]
) -> None:
    assert found(f"SELECT VALUE {aggregate} FROM c", *numbered(*numbers)) == result


def test_a_parameter_that_is_not_bound_is_refused_even_where_there_is_nothing_to_find() -> None:
    with pytest.raises(sql.SqlError) as refusal:
        found("SELECT * FROM c WHERE c.n = @n")
    assert error_of(refusal.value)["message"] == "Parameter '@n' could not be resolved."


def test_a_regular_expression_that_is_none_is_refused() -> None:
    with pytest.raises(sql.SqlError):
        value_of("REGEXMATCH(c.status, '(')")


@given(st.permutations([UNDEFINED, *OF_EVERY_TYPE]))
def test_the_order_of_values_is_total(values: list[object]) -> None:
    assert sorted(values, key=sort_key) == [UNDEFINED, *OF_EVERY_TYPE]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(JSON, max_size=6))
def test_any_values_can_be_ordered_and_backwards_is_the_same_order(values: list[object]) -> None:
    upwards = found("SELECT VALUE c.n FROM c ORDER BY c.n", *numbered(*values))
    downwards = found("SELECT VALUE c.n FROM c ORDER BY c.n DESC", *numbered(*values))
    assert [sort_key(value) for value in upwards] == [sort_key(value) for value in reversed(downwards)]


# What the store and a patch ask


def test_a_document_matches_by_where_alone() -> None:
    select = sql.parse("SELECT TOP 0 c.id FROM c WHERE c.status = @status ORDER BY c.id")
    assert select.matches(NOTICE, {"@status": "PAID"})
    assert not select.matches(NOTICE, {"@status": "ACTIVE"})


@pytest.mark.parametrize(
    ("where", "bounds"),
    [
        ("c.id = 'a' AND (c.id < @p AND c.id >= 'b') AND c.e > 2", [("=", "a"), ("<", "p"), (">=", "b")]),
        ("c.id = 'a' OR c.b = 2", []),
        ("NOT (c.id = 'a')", []),
        ("c.id = c.b", []),
        ("c.id != 'a'", []),
        ("c.id = 1", []),
        ("c.id[0] = 'a'", []),
        ("c.other = 'a' AND true", []),
    ],
)
def test_a_store_can_narrow_by_the_bounds_of_a_property(where: str, bounds: list[tuple[str, str]]) -> None:
    assert sql.parse(f"SELECT * FROM c WHERE {where}").bounds("id", {"@p": "p"}) == bounds


def test_a_query_without_where_narrows_nothing() -> None:
    assert sql.parse("SELECT * FROM c").bounds("id", {}) == []


def test_a_condition_of_a_patch_is_a_query_without_select() -> None:
    assert sql.condition("from c where c.status = 'PAID'")(NOTICE)
    assert not sql.condition("FROM x WHERE x.status = 'ACTIVE'")(NOTICE)


@pytest.mark.parametrize("text", ["", "where c.n = 1", "from c order by c.n", "from c where c.n ="])
def test_a_condition_that_is_more_or_less_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        sql.condition(text)


# What is refused


@pytest.mark.parametrize(
    ("query", "near"),
    [
        ("SELECT * FORM c", "FORM"),
        ("SELECT * FROM c WHERE", "WHERE"),
        ("SELECT * FROM c WHERE c.n = = 1", "="),
        ("SELECT * FROM c WHERE c.n = 1 c.m = 2", "c"),
        ("SELECT * FROM c WHERE c.value = 1", "value"),
        ("SELECT * FROM c WHERE (c.n = 1", "1"),
        ("SELECT c.n, FROM c", "FROM"),
        ("SELECT TOP 1.5 * FROM c", "1.5"),
        ("SELECT TOP 1 * FROM c OFFSET 0 LIMIT 1", "OFFSET"),
        ("SELECT * FROM c OFFSET 1", "1"),
        ("SELECT * FROM c WHERE c.n IN ()", ")"),
        ("SELECT * FROM c WHERE c.n NOT 1", "1"),
        ("SELECT * FROM c;", ";"),
        ("UPDATE c", "UPDATE"),
        ("", ""),
        ("SELECT * FROM c WHERE " + "(" * 101 + "1", "("),
    ],
)
def test_a_query_that_cannot_be_read_is_refused_with_the_word_that_is_wrong(query: str, near: str) -> None:
    error = error_of(refusal_of(query))
    assert (error["code"], error["message"]) == ("SC1001", f"Syntax error, incorrect syntax near '{near}'.")
    start, end = error["location"]["start"], error["location"]["end"]
    assert query[start:end] in (near, "")


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("SELECT a.n FROM c", "SC2001", "Identifier 'a' could not be resolved."),
        ("SELECT * FROM c x ORDER BY c.n", "SC2001", "Identifier 'c' could not be resolved."),
        ("SELECT LENGHT(c.n) FROM c", "SC2005", "'LENGHT' is not a recognized built-in function name."),
        ("SELECT LENGTH() FROM c", "SC2050", "The LENGTH function does not take 0 argument(s)."),
        ("SELECT '\\q' FROM c", "SC1010", "Syntax error, invalid string literal token ''\\q''."),
    ],
)
def test_a_query_that_means_nothing_is_refused_with_the_reason(query: str, code: str, message: str) -> None:
    error = error_of(refusal_of(query))
    assert (error["code"], error["message"]) == (code, message)


@pytest.mark.parametrize(
    ("query", "feature"),
    [
        ("SELECT DISTINCT c.n FROM c", "DISTINCT"),
        ("SELECT * FROM c JOIN l IN c.lines", "JOIN"),
        ("SELECT * FROM l IN c.lines", "the iteration of an array"),
        ("SELECT * FROM c.lines", "a path in FROM"),
        ("SELECT * FROM (SELECT * FROM c)", "a subquery"),
        ("SELECT c.n FROM c GROUP BY c.n", "GROUP BY"),
        ("SELECT c.n FROM c WHERE true GROUP BY c.n", "GROUP BY"),
        ("SELECT 1", "a query without FROM"),
        ("SELECT * FROM c WHERE EXISTS (SELECT 1 FROM c)", "a subquery"),
        ("SELECT (SELECT 1) FROM c", "a subquery"),
        ("SELECT * FROM c WHERE c.n LIKE 'x%'", "LIKE"),
        ("SELECT * FROM c WHERE c.n NOT LIKE 'x%'", "LIKE"),
        ("SELECT c.n + 1 FROM c", "arithmetic"),
        ("SELECT -c.n FROM c", "arithmetic"),
        ("SELECT c.n & 1 FROM c", "a bitwise operator"),
        ("SELECT c.n || 'x' FROM c", "the concatenation of strings"),
        ("SELECT c.n ? 1 : 2 FROM c", "the ternary operator"),
        ("SELECT c.n ?? 1 FROM c", "the coalescing operator"),
        ("SELECT c[c.n] FROM c", "a computed index"),
        ("SELECT {a: 1}.a FROM c", "a property of an expression"),
        ("SELECT udf.tax(c) FROM c", "a user-defined function"),
        ("SELECT CONCAT(c.n, 'x') FROM c", "the function CONCAT"),
        ("SELECT VALUE AVG(c.n) FROM c", "the function AVG"),
        ("SELECT COUNT(1) AS n FROM c", "an aggregate other than as the one VALUE selected"),
        ("SELECT * FROM c WHERE COUNT(1) = 1", "an aggregate other than as the one VALUE selected"),
        ("SELECT TOP 1 VALUE COUNT(1) FROM c", "an aggregate with ORDER BY, TOP or OFFSET"),
        ("SELECT * FROM c ORDER BY LOWER(c.n)", "ORDER BY of an expression"),
    ],
)
def test_what_the_service_knows_and_the_double_does_not_is_refused_by_name(query: str, feature: str) -> None:
    refusal = refusal_of(query)
    assert refusal.status == 501
    assert f" {feature} in SQL" in refusal.message


@given(st.text())
def test_every_text_is_a_query_or_refused(text: str) -> None:
    for query in (text, f"SELECT * FROM c WHERE {text}"):
        with suppress(Refusal):
            sql.parse(query)


WORDS = "SELECT * VALUE TOP FROM c WHERE AND OR NOT IN ( ) [ ] { } . , : = < - 1 'x' @p ORDER BY OFFSET LIMIT COUNT AS"


@given(st.lists(st.sampled_from(WORDS.split())).map(" ".join))
def test_every_run_of_words_is_a_query_or_refused(text: str) -> None:
    for query in (text, f"SELECT * FROM c WHERE {text}"):
        with suppress(Refusal):
            sql.parse(query)


# What is planned


@pytest.mark.parametrize(
    ("query", "is_simple"),
    [
        ("SELECT c.id FROM c WHERE c.n = 1", True),
        ("SELECT * FROM c ORDER BY c.n", False),
        ("SELECT TOP 1 * FROM c", False),
        ("SELECT * FROM c OFFSET 0 LIMIT 1", False),
        ("SELECT VALUE COUNT(1) FROM c", False),
    ],
)
def test_only_a_query_that_is_simple_needs_no_plan(query: str, is_simple: bool) -> None:
    select = sql.parse(query)
    assert select.is_simple is is_simple
    assert (select.plan({})["queryInfo"]["rewrittenQuery"] == "") is is_simple


def test_a_plan_says_what_the_client_has_to_do() -> None:
    plan = sql.parse("SELECT * FROM c WHERE c.n > @n ORDER BY c.a.b DESC, c.n OFFSET @skip LIMIT 3").plan(
        {"@n": 0, "@skip": 2}
    )
    rewritten = (
        'SELECT c._rid, [{"item": c.a.b}, {"item": c.n}] AS orderByItems, c AS payload FROM c'
        " WHERE (c.n > @n) AND ({documentdb-formattableorderbyquery-filter})"
        " ORDER BY c.a.b DESC, c.n ASC OFFSET 0 LIMIT 5"
    )
    assert plan == {
        "partitionedQueryExecutionInfoVersion": 2,
        "queryInfo": {
            "distinctType": "None",
            "top": None,
            "offset": 2,
            "limit": 3,
            "orderBy": ["Descending", "Ascending"],
            "orderByExpressions": ["c.a.b", "c.n"],
            "groupByExpressions": [],
            "groupByAliases": [],
            "aggregates": [],
            "groupByAliasToAggregateType": {},
            "rewrittenQuery": rewritten,
            "hasSelectValue": False,
            "hasNonStreamingOrderBy": False,
        },
        "queryRanges": [{"min": "", "max": "FF", "isMinInclusive": True, "isMaxInclusive": False}],
    }


@pytest.mark.parametrize(
    ("query", "rewritten"),
    [
        (
            "SELECT TOP @two c.id, LENGTH(c.id) FROM root c ORDER BY c.n",
            'SELECT TOP 2 c._rid, [{"item": c.n}] AS orderByItems, {"id": c.id, "$1": LENGTH(c.id)} AS payload'
            " FROM root c WHERE ({documentdb-formattableorderbyquery-filter}) ORDER BY c.n ASC",
        ),
        (
            "SELECT VALUE x.id FROM x ORDER BY x.n",
            'SELECT x._rid, [{"item": x.n}] AS orderByItems, x.id AS payload'
            " FROM x WHERE ({documentdb-formattableorderbyquery-filter}) ORDER BY x.n ASC",
        ),
        ("SELECT TOP 2 VALUE c.n FROM c WHERE c.n = 1", "SELECT TOP 2 VALUE c.n FROM c WHERE (c.n = 1)"),
        ("SELECT c.n FROM c OFFSET 1 LIMIT 2", "SELECT c.n FROM c OFFSET 0 LIMIT 3"),
        (
            "SELECT VALUE COUNT(c.n) FROM c WHERE c.n = 1 OR true",
            'SELECT VALUE [{"item": COUNT(c.n)}] FROM c WHERE (c.n = 1 OR true)',
        ),
    ],
)
def test_a_range_is_asked_for_all_that_the_client_may_need_of_it(query: str, rewritten: str) -> None:
    assert sql.parse(query).plan({"@two": 2})["queryInfo"]["rewrittenQuery"] == rewritten


def test_a_range_answers_with_what_the_client_merges_by() -> None:
    plan = sql.parse("SELECT c.n FROM c ORDER BY c.n DESC").plan({})
    rewritten = plan["queryInfo"]["rewrittenQuery"].replace("{documentdb-formattableorderbyquery-filter}", "true")
    assert found(rewritten, {"_rid": "a", "n": 1}, {"_rid": "b", "n": 2}, {"_rid": "c"}) == [
        {"_rid": "b", "orderByItems": [{"item": 2}], "payload": {"n": 2}},
        {"_rid": "a", "orderByItems": [{"item": 1}], "payload": {"n": 1}},
        {"_rid": "c", "orderByItems": [{}], "payload": {}},
    ]


def test_a_range_answers_with_its_part_of_a_count() -> None:
    info = sql.parse("SELECT VALUE COUNT(1) FROM c").plan({})["queryInfo"]
    assert (info["aggregates"], info["hasSelectValue"]) == (["Count"], True)
    assert found(info["rewrittenQuery"], *numbered(1, 2)) == [[{"item": 2}]]


def test_a_query_of_the_sdk_for_many_items_is_read() -> None:
    """The text is what azure-cosmos builds for read_items."""
    query = "SELECT * FROM c WHERE (c.pk = @a AND c.id = @b) OR (c.pk = @c AND c.id IN (@d, @e))"
    documents = [{"pk": pk, "id": item} for pk in "xy" for item in "123"]
    selected = found(query, *documents, a="x", b="1", c="y", d="2", e="3")
    assert selected == [{"pk": "x", "id": "1"}, {"pk": "y", "id": "2"}, {"pk": "y", "id": "3"}]
