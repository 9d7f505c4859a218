"""The contract: valid, complete, and true of what the archive takes and shows."""

import re
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

import httpx
import jsonschema_rs
import pytest
from hypothesis import given, strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from docs.openapi.examples import POSITION
from docs.openapi.operations import OPERATIONS, UNDESCRIBED
from local.functions import load
from shared.domain.dates import DueDate, ValidFrom, parse_day, parse_instant
from shared.domain.identifiers import DebtorCode, Iban, InstitutionCode, Iuv, NoticeNumber
from shared.domain.texts import parse_text, parse_visible_text
from shared.errors import (
    AddressNotFound,
    ArchiveError,
    FileNotThere,
    InternalError,
    InvalidValue,
    ManagedByEc,
    MethodNotAllowed,
    NotConfigured,
    catalogue,
)
from shared.wire import forms
from shared.wire.forms import Form
from shared.wire.positions import refusal
from tests.conftest import PLATFORM_KEY
from tests.openapi_check import (
    ROOT,
    Undocumented,
    as_documented,
    contract,
    defect_expected,
    operations,
    resolved,
    validator,
)
from tests.support import a_body

OF_NO_OPERATION = {InternalError, NotConfigured, AddressNotFound, MethodNotAllowed, ManagedByEc, FileNotThere}
"""Errors of every address, of no address, of the queue, and of the page."""
"""A defect is never promised; and who changes over HTTP is an institution, which ManagedByEc refuses nobody."""

URL = "/creditor-institutions/77777777777/notices/347000000000000124"

PARSERS: list[tuple[Form, Callable[[str], object]]] = [
    (forms.INSTITUTION, InstitutionCode.parse),
    (forms.NUMBER, NoticeNumber.parse),
    (forms.NUMBER, lambda text: NoticeNumber.parse(text, lenient=True)),
    (forms.IUV, Iuv.parse),
    (forms.DEBTOR, DebtorCode.parse),
    (forms.DEBTOR, lambda text: DebtorCode.parse(text, lenient=True)),
    (forms.IBAN, Iban.parse),
    (forms.IBAN, lambda text: Iban.parse(text, lenient=True)),
    (forms.POSTAL_IBAN, Iban.parse_postal),
    (forms.POSTAL_IBAN, lambda text: Iban.parse_postal(text, lenient=True)),
    (forms.DAY, parse_day),
    (forms.DATE_TIME, parse_instant),
    (forms.DAY_OR_DATE_TIME, DueDate.parse),
    (forms.DAY_OR_DATE_TIME, ValidFrom.parse),
]


def test_the_contract_is_valid_openapi() -> None:
    faults = OpenAPIV31SpecValidator(contract()).iter_errors()

    assert [fault.message for fault in faults] == []


def test_every_schema_is_valid_json_schema() -> None:
    for schema in contract()["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_every_http_function_is_an_operation_or_is_named_as_none() -> None:
    functions = {function.name for function in load(ROOT) if function.trigger["type"] == "httpTrigger"}

    assert functions == operations().keys() | UNDESCRIBED


def test_every_error_is_named_by_an_operation() -> None:
    named = {error for operation in OPERATIONS.values() for error in operation.refusals}

    assert named == set(catalogue()) - OF_NO_OPERATION


def test_every_field_is_described() -> None:
    assert [path for path, field in fields(contract()["components"]["schemas"]) if "description" not in field] == []


def test_every_example_is_as_its_schema_says() -> None:
    for name, schema, value in examples():
        assert [fault.message for fault in validator(schema).iter_errors(value)] == [], name


@pytest.mark.parametrize(("form", "parse"), PARSERS)
@given(data=st.data())
def test_a_form_tells_all_that_its_parser_takes(
    form: Form, parse: Callable[[str], object], data: st.DataObject
) -> None:
    # A right value with a few characters changed is often still right, and often just not.
    drawn: str = data.draw(st.one_of(st.sampled_from(form["examples"]), st.from_regex(re.compile(form["pattern"]))))
    place, text = data.draw(st.integers(0, len(drawn))), data.draw(st.text(max_size=2))
    drawn = drawn[:place] + text + drawn[place + len(text) * data.draw(st.integers(0, 1)) :]

    assert fits(form, drawn) or is_refused(parse, drawn)


@pytest.mark.parametrize(("form", "parse"), PARSERS[:2] + PARSERS[3:5] + PARSERS[6:7] + PARSERS[8:9] + PARSERS[10:])
def test_the_examples_of_a_form_are_right_in_every_institution(form: Form, parse: Callable[[str], object]) -> None:
    assert [example for example in form["examples"] if not fits(form, example) or is_refused(parse, example)] == []


@pytest.mark.parametrize("form", [form for form, _ in PARSERS if "maxLength" in form], ids=itemgetter("description"))
def test_a_form_tells_the_shortest_and_the_longest_text_that_is_taken(form: Form) -> None:
    parsers = [parse for other, parse in PARSERS if other is form]
    texts = [text for length in range(50) for text in ("1" * length, "A" * length, "IT00".ljust(length, "A"))]
    taken = {len(text) for text in texts if any(not is_refused(parse, text) for parse in parsers)}

    assert (form["minLength"], form["maxLength"]) == (min(taken), max(taken))


@pytest.mark.parametrize(
    ("pattern", "parse"), [(forms.TEXT, parse_text), (forms.VISIBLE_TEXT, parse_visible_text)], ids=["text", "visible"]
)
def test_the_pattern_of_a_text_tells_each_character_that_is_taken(pattern: str, parse: Callable[[str], object]) -> None:
    is_right = jsonschema_rs.Draft202012Validator({"pattern": pattern}).is_valid
    texts = [f"{character}" for character in map(chr, (*range(0xD800), *range(0xE000, 0x11000)))]

    for text in texts:
        # JSON Schema cannot tell letters from marks; a blank may seem to be visible there.
        assert is_right(text) if not is_refused(parse, text) else (not is_right(text) or parse is parse_visible_text)


def test_every_answer_that_asks_to_wait_says_how_long_and_no_other_does() -> None:
    waiting = {error.code for error in catalogue() if error.retry_after}
    for name, operation in operations().items():
        for status, answer in operation["responses"].items():
            codes = {error.code for error in OPERATIONS[name].refusals if refusal_status(name, error) == status}
            assert ("Retry-After" in answer["headers"]) == bool(codes & waiting), (name, status)


def refusal_status(name: str, error: type[ArchiveError]) -> str:
    """The status with which an operation answers a refusal."""
    return str(refusal(error())[0] if OPERATIONS[name].refused_as_gpd_does else error.status)


async def test_an_answer_that_is_not_promised_is_seen(http: httpx.AsyncClient) -> None:
    answer = await http.put(URL, json=a_body())
    more = {**answer.headers, "X-More": "1"}

    for changed in (
        httpx.Response(418, request=answer.request),
        httpx.Response(500, headers=answer.headers, json=answer.json(), request=answer.request),
        httpx.Response(201, headers=more, json=answer.json(), request=answer.request),
        httpx.Response(201, headers=answer.headers, json={**answer.json(), "version": "1"}, request=answer.request),
        httpx.Response(201, headers=answer.headers, json={**answer.json(), "more": 1}, request=answer.request),
        httpx.Response(201, headers={"X-Request-Id": "1"}, json=answer.json(), request=answer.request),
    ):
        with pytest.raises(Undocumented):
            await as_documented(changed)


async def test_a_defect_is_allowed_where_a_test_expects_it_and_then_in_the_form_of_a_problem(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.put(URL, json=a_body())
    sent = {"X-Request-Id": "1", "X-Error-Code": "internal_error", "Content-Type": "application/problem+json"}
    problem = {"type": "urn:a", "title": "a", "status": 500, "detail": "a", "instance": "/a", "code": "internal_error"}
    right = httpx.Response(500, headers=sent, json=problem, request=answer.request)

    with pytest.raises(Undocumented):
        await as_documented(right)
    with defect_expected():
        await as_documented(right)
        for wrong in ({**problem, "code": "not_done_in_time"}, {**problem, "trace": "a"}, {"code": "internal_error"}):
            with pytest.raises(Undocumented):
                await as_documented(httpx.Response(500, headers=sent, json=wrong, request=answer.request))
    with pytest.raises(Undocumented):
        await as_documented(right)


async def test_every_operation_answers_as_promised(http: httpx.AsyncClient) -> None:
    answers = [
        await http.put(URL, json=a_body()),
        await http.put(URL, json=a_body()),
        await http.patch(URL, json={"amount": 1}),
        await http.post(f"{URL}/events", json={"type": "closed"}),
        await http.get(URL),
        await http.get(URL, headers={"If-None-Match": "*"}),
        await http.get(f"{URL}/events"),
        await http.get(URL.rpartition("/")[0]),
        await http.get(f"{URL}/payability", headers=PLATFORM_KEY),
        await http.get("/debtors/notices", headers={**PLATFORM_KEY, "x-tax-code": "RSSMRA80A01H501U"}),
        await http.post("/../aca/v1/paCreatePosition", json={**POSITION, "iuv": "ANOTHER", "nav": "3ANOTHER"}),
        await http.get("/health"),
        await http.get("/../openapi.json"),
        await http.get("/../openapi.json", headers={"If-None-Match": "*"}),
    ]

    promised = sorted(
        int(status) for operation in operations().values() for status in operation["responses"] if status < "4"
    )
    assert sorted(answer.status_code for answer in answers) == promised


def fits(form: Form, text: str) -> bool:
    return bool(jsonschema_rs.is_valid(dict(form), text))


def is_refused(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except InvalidValue:
        return True
    return False


def fields(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property of every schema; conditions name some of them once more."""
    if isinstance(part, dict):
        for name, inner in part.items():
            if name in ("if", "then", "else"):
                continue
            if name == "properties" and isinstance(inner, dict):
                yield from ((f"{path}.{field}", schema) for field, schema in inner.items())
            yield from fields(inner, f"{path}.{name}")


def examples() -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example of a body or a parameter: where it stands, its schema, its value."""
    for name, operation in operations().items():
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (media_type for part in contents for media_type in part.get("content", {}).values()):
            if "example" in content:
                yield name, content["schema"], content["example"]
            for key, example in content.get("examples", {}).items():
                yield f"{name} {key}", content["schema"], resolved(example)["value"]
        for parameter in map(resolved, operation["parameters"]):
            for value in parameter["schema"].get("examples", [parameter["example"]] if "example" in parameter else []):
                yield f"{name} {parameter['name']}", parameter["schema"], value
    for path, field in fields(contract()["components"]["schemas"]):
        for value in field.get("examples", ()):
            yield path, field, value
