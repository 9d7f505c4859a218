"""Free texts: which a notice may hold, what of them can be seen, and which two are the same."""

import sys
import xml.etree.ElementTree as ET
from contextlib import suppress
from dataclasses import replace
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given, strategies as st

from shared.domain.amounts import Amount
from shared.domain.content import Content, Stamp
from shared.domain.dates import DueDate
from shared.domain.texts import as_known, is_same_text, parse_text, parse_visible_text
from shared.errors import InvalidValue
from tests.support import POSTAL_IBAN, a_content, a_transfer

EVERY_CHARACTER = [chr(code) for code in range(sys.maxunicode + 1)]


def refused(text: str) -> InvalidValue | None:
    """The refusal of a text, if it is refused."""
    try:
        parse_text(text)
    except InvalidValue as refusal:
        return refusal
    return None


# Control characters


def test_control_characters_and_separators_are_refused_and_no_others() -> None:
    forbidden = {*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF}

    assert {ord(character) for character in EVERY_CHARACTER if refused(f"a{character}b")} == forbidden


def test_what_is_taken_can_be_carried_by_xml() -> None:
    taken = "".join(character for character in EVERY_CHARACTER if not refused(character))

    # A parser that is strict about XML 1.0 reads back what it was given.
    element = ET.Element("text")
    element.text = taken
    assert ET.fromstring(ET.tostring(element, encoding="utf-8")).text == taken


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Ordine\r\n", "U+000D as character 7"),
        ("a\tb", "U+0009 as character 2"),
        ("\0", "U+0000 as character 1"),
        ("\N{CLASSICAL BUILDING}\u2028", "U+2028 as character 2"),
        ("perch\u00e9\x9f", "U+009F as character 7"),
        ("a\ufffe", "U+FFFE as character 2"),
        ("a\ud800", "U+D800 as character 2"),
    ],
)
def test_the_first_control_character_is_named_by_its_code_point_and_place(text: str, named: str) -> None:
    refusal = refused(text)

    assert refusal is not None
    assert refusal.code == "control_character"
    assert refusal.message == f"must be one line without control characters: it has {named}"


def test_a_text_is_kept_as_it_is() -> None:
    for text in ("", " a ", "e\u0301", "\u00a0\u200b\u202e\ufeff", "Universit\u00e0", "\U0001fffe"):
        assert parse_text(text) is text


# What can be seen


@pytest.mark.parametrize(
    "text",
    [
        "T",
        "7",
        ".",
        "\N{EURO SIGN}",
        "e\u0301",
        "\N{CLASSICAL BUILDING}",
        "\u200b!",
        "  x  ",
        "\u0301\u0301a",
        "\u4e2d",
    ],
)
def test_a_letter_a_digit_or_a_sign_is_visible(text: str) -> None:
    assert parse_visible_text(text) is text


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "   ", "\u00a0", "\u3000", "\u200b", "\u200b" * 255, "\u00ad", "\ufeff", "\u2060", "\u202e", "\u0301",
        " \u0301\u0308", "\ufe0f", "\u2800", "\u3164", "\u115f\u1160", "\uffa0", "\U000e0041", "\U0001fffe", "\ue000",
    ],
)  # fmt: skip
def test_blanks_joiners_marks_and_fillers_alone_are_not_visible(text: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        parse_visible_text(text)
    assert refusal.value.code == "nothing_visible"


def test_a_control_character_is_named_before_the_missing_visible_one() -> None:
    for text in ("\n", " \t ", "\u2028"):
        with pytest.raises(InvalidValue) as refusal:
            parse_visible_text(text)
        assert refusal.value.code == "control_character"


@given(st.text())
def test_a_text_with_something_visible_is_a_text_and_not_blank(text: str) -> None:
    with suppress(InvalidValue):
        assert parse_visible_text(text) == parse_text(text)
        assert text.strip()


# The same text

COMPOSED, DECOMPOSED = "Nicol\u00f2", "Nicolo\u0300"


def test_two_ways_to_write_an_accent_are_the_same_text() -> None:
    assert is_same_text(COMPOSED, DECOMPOSED)
    assert is_same_text(DECOMPOSED, COMPOSED)
    assert not is_same_text(COMPOSED, "Nicolo")
    # Only the accents: a ligature, a full-width letter and another case are other texts.
    for text, other in (("\ufb01", "fi"), ("\uff21", "A"), ("A", "a"), ("a ", "a")):
        assert not is_same_text(text, other)


@given(st.text(), st.text())
def test_two_texts_are_the_same_when_their_nfc_forms_are(text: str, other: str) -> None:
    assert is_same_text(text, normalize("NFD", text))
    assert is_same_text(text, other) == (normalize("NFC", text) == normalize("NFC", other))


def a_wordy_content(accented: str, **changes: Any) -> Content:
    """A content with a text in every place that has one."""
    debtor = replace(a_content().debtor, full_name=accented)
    transfer = a_transfer(remittance_information=accented, category=accented, metadata={accented: accented})
    stamp = replace(transfer, id=2, iban=None, stamp=Stamp(accented, "01", "RM"))
    content = a_content(
        description=accented, debtor=debtor, iban=None, iban_source=None, transfers=(transfer, stamp), iupd=accented,
        company_name=accented, office_name=accented, metadata={accented: accented, "k": accented},
    )  # fmt: skip
    return replace(content, **changes)


def test_a_content_whose_accents_are_written_in_another_way_is_the_known_one() -> None:
    known = a_wordy_content(COMPOSED)

    assert a_wordy_content(DECOMPOSED) != known
    assert as_known(a_wordy_content(DECOMPOSED), known) == known


def test_what_differs_is_kept_and_all_other_texts_are_as_known() -> None:
    known = a_wordy_content(COMPOSED)
    changes: dict[str, Any] = {
        "amount": Amount(7),
        "due_date": DueDate.parse("2027-01-01"),
        "office_name": None,
        "iban": POSTAL_IBAN,
    }

    assert as_known(a_wordy_content(DECOMPOSED, **changes), known) == replace(known, **changes)
    longer = as_known(a_wordy_content(DECOMPOSED, description=f"{DECOMPOSED}!"), known)
    assert longer == replace(known, description=f"{DECOMPOSED}!")


def test_a_transfer_or_a_key_that_is_added_or_left_out_is_a_change() -> None:
    known = a_wordy_content(COMPOSED)
    more = a_wordy_content(DECOMPOSED, transfers=(*a_wordy_content(DECOMPOSED).transfers, a_transfer(3)))
    other_keys = a_wordy_content(DECOMPOSED, metadata={DECOMPOSED: "x", "l": DECOMPOSED})

    assert as_known(more, known).transfers == (*known.transfers, a_transfer(3))
    assert as_known(a_wordy_content(DECOMPOSED, transfers=()), known).transfers == ()
    assert as_known(other_keys, known).metadata == {COMPOSED: "x", "l": DECOMPOSED}
