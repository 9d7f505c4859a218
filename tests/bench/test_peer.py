"""The peer validates as the archive does, and has the same server: or a comparison would mean nothing."""

import json
from random import Random
from typing import Any

import pytest

from bench import validation
from bench.corpus import CASES
from bench.notices import BODIES, varied_bodies
from bench.peer import identifiers
from bench.sides.serving import server_config
from local.__main__ import server_config as host_config
from shared.domain.identifiers import DebtorCode, Iban, NoticeNumber
from shared.errors import InvalidValue
from tests.functions.fields import REFUSED, TAKEN, whole
from tests.support import IBAN, NOW, POSTAL_IBAN, a_number

ARCHIVE, PYDANTIC = validation.validations(NOW)

CODES = [
    "RSSMRA80A01H501U", "RSSMRA80A01H50MM", "RSSMRA80B29H501L", "BNCLCU85B69F205Z", "12345678903", "ANONIMO",
    IBAN, POSTAL_IBAN, a_number(1), "147000000000000199", "001000000000000141",
]  # fmt: skip


def test_both_accept_and_refuse_the_same_bodies_of_the_corpus() -> None:
    assert len([case for case in CASES if case.method == "PUT"]) > 100
    assert validation.differences([ARCHIVE, PYDANTIC]) == []


def test_a_body_with_two_verdicts_is_named() -> None:
    unlike = validation.Validation("unlike", lambda body: None, ())

    assert "broken: a list: accepted? {'archive': False, 'unlike': True}" in validation.differences([ARCHIVE, unlike])


@pytest.mark.parametrize("where", TAKEN)
def test_both_accept_what_a_field_takes(where: str) -> None:
    bodies = [json.dumps(whole(where, value)).encode() for value in TAKEN[where]]

    assert [body for body in bodies if not (ARCHIVE.accepts(body) and PYDANTIC.accepts(body))] == []


@pytest.mark.parametrize("where", REFUSED)
def test_both_refuse_what_a_field_does_not_take(where: str) -> None:
    values: list[Any] = [value for some in REFUSED[where].values() for value in some]
    bodies = [json.dumps(whole(where, value)).encode() for value in values]

    assert [body for body in bodies if ARCHIVE.accepts(body) or PYDANTIC.accepts(body)] == []


@pytest.mark.parametrize("bodies", [BODIES, varied_bodies(200)])
def test_both_accept_the_notices_of_the_loads(bodies: list[bytes]) -> None:
    assert [body for body in bodies if not (ARCHIVE.accepts(body) and PYDANTIC.accepts(body))] == []


@pytest.mark.parametrize("code", CODES)
def test_both_have_the_same_check_digits(code: str) -> None:
    random = Random(code)
    texts = [code, *(_with_another_character(code, random) for _ in range(500))]

    for plain, parse in (
        (identifiers.debtor_code, DebtorCode.parse),
        (identifiers.iban, Iban.parse),
        (identifiers.notice_number, NoticeNumber.parse),
    ):
        assert [text for text in texts if _accepts(plain, text) != _accepts(parse, text)] == []


def test_the_peer_is_served_with_the_options_of_the_archives_host() -> None:
    ours, theirs = host_config(None), server_config(None)  # type: ignore[arg-type]  # neither is called

    differing = {name for name in vars(ours) if vars(ours)[name] != vars(theirs)[name]}

    # The host has a parser of its own, which makes limits of httptools' parser, and names uvloop by its default.
    assert differing == {"app", "http", "lifespan", "loop"}


def _with_another_character(code: str, random: Random) -> str:
    position = random.randrange(len(code))
    return code[:position] + random.choice("0123456789ABCDEHLMPRSTXZ") + code[position + 1 :]


def _accepts(parse: Any, text: str) -> bool:
    try:
        parse(text)
    except (InvalidValue, ValueError):
        return False
    return True
