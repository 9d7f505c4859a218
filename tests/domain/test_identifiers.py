"""Identifiers: the vectors of the specifications, with python-stdnum as a second opinion."""

from collections.abc import Callable
from string import ascii_uppercase, digits

import pytest
from hypothesis import example, given, strategies as st
from stdnum import iban as stdnum_iban, luhn
from stdnum.it import codicefiscale, iva

from shared.domain.identifiers import (
    DebtorCode,
    Iban,
    InstitutionCode,
    Iuv,
    NoticeNumber,
    is_company_code,
    is_personal_code,
)
from shared.errors import InvalidValue

Parse = Callable[[str], str]


def lenient_number(text: str) -> NoticeNumber:
    return NoticeNumber.parse(text, lenient=True)


def lenient_debtor(text: str) -> DebtorCode:
    return DebtorCode.parse(text, lenient=True)


def lenient_iban(text: str) -> Iban:
    return Iban.parse(text, lenient=True)


def lenient_postal_iban(text: str) -> Iban:
    return Iban.parse_postal(text, lenient=True)


EXAMPLES: list[tuple[Parse, str, str]] = [
    (InstitutionCode.parse, "15376371009", "institution_code"),
    (NoticeNumber.parse, "347000000000000124", "notice_number"),
    (lenient_number, "3ABC45678901234567", "notice_number"),
    (Iuv.parse, "RF18539007547034", "iuv"),
    (DebtorCode.parse, "RSSMRA80A01H501U", "debtor_code"),
    (DebtorCode.parse, "12345678903", "debtor_code"),
    (DebtorCode.parse, "ANONIMO", "debtor_code"),
    (lenient_debtor, "XX0000000000", "debtor_code"),
    (Iban.parse, "IT60X0542811101000000123456", "iban"),
    (Iban.parse_postal, "IT96H0760112100001036880332", "iban"),
    (lenient_iban, "IT0000000000000000000000000", "iban"),
    (lenient_postal_iban, "IT0000000000000000000000000", "iban"),
]
PARSERS = [parse for parse, _, _ in EXAMPLES]


def code_of_refusal(parse: Parse, text: str) -> str:
    with pytest.raises(InvalidValue) as refusal:
        parse(text)
    return refusal.value.code


def is_accepted(parse: Parse, text: str) -> bool:
    try:
        return parse(text) == text
    except InvalidValue:
        return False


def reason_of_refusal(parse: Parse, text: str) -> str:
    """Which rule the text breaks, as the refusal says it behind the form that is expected."""
    with pytest.raises(InvalidValue) as refusal:
        parse(text)
    expected, _, reason = refusal.value.message.partition(": ")
    assert expected.startswith("must be ")
    return reason


# Every identifier


@pytest.mark.parametrize(("parse", "text", "code"), EXAMPLES)
def test_a_right_identifier_is_accepted_and_is_still_text(parse: Parse, text: str, code: str) -> None:
    assert parse(text) == text
    assert type(parse(text)).__mro__[1] is str


@pytest.mark.parametrize(("parse", "text", "code"), EXAMPLES)
def test_blanks_and_controls_are_refused_wherever_they_stand(parse: Parse, text: str, code: str) -> None:
    for blank in " \n\t\0\u00a0":
        for spoilt in (blank + text, text + blank, text[:4] + blank + text[4:], text[:-1] + blank):
            assert code_of_refusal(parse, spoilt) == code


@pytest.mark.parametrize(("parse", "text", "code"), EXAMPLES)
def test_digits_and_letters_of_other_scripts_are_refused(parse: Parse, text: str, code: str) -> None:
    for foreign in ("\u0663", "\uff13", "\u00b3", "\u0417", "\uff21", "\u00c0", "\u0131", "\ud800"):
        for at in (0, len(text) // 2, len(text) - 1):
            assert code_of_refusal(parse, text[:at] + foreign + text[at + 1 :]) == code


@pytest.mark.parametrize(("parse", "text", "code"), EXAMPLES)
def test_a_refusal_does_not_repeat_the_text(parse: Parse, text: str, code: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        parse(text + "#")
    assert refusal.value.code == code
    assert text + "#" not in refusal.value.message


@pytest.mark.parametrize(("parse", "text", "code"), EXAMPLES)
def test_nothing_and_far_too_much_are_refused(parse: Parse, text: str, code: str) -> None:
    assert code_of_refusal(parse, "") == code
    assert code_of_refusal(parse, text * 1000) == code


@pytest.mark.parametrize(("parse", "text", "code"), [row for row in EXAMPLES if row[2] in ("debtor_code", "iban")])
def test_lower_case_is_refused_in_fiscal_codes_and_ibans(parse: Parse, text: str, code: str) -> None:
    if text.lower() != text:
        assert code_of_refusal(parse, text.lower()) == code


@given(st.sampled_from(PARSERS), st.text())
def test_any_text_is_accepted_as_it_stands_or_refused_as_invalid(parse: Parse, text: str) -> None:
    if is_accepted(parse, text):
        assert text.isascii()
        assert text.isalnum()


@given(st.sampled_from(PARSERS), st.from_regex(r"\w{10,40}", fullmatch=True))
def test_any_word_is_accepted_as_it_stands_or_refused_as_invalid(parse: Parse, text: str) -> None:
    if is_accepted(parse, text):
        assert text.isascii()
        assert text.isalnum()


# Creditor institutions


@pytest.mark.parametrize("code", ["77777777777", "12345678910", "15376371009", "00000000000"])
def test_the_check_digit_of_an_institution_is_left_to_the_registry(code: str) -> None:
    assert InstitutionCode.parse(code) == code


@pytest.mark.parametrize("code", ["1537637100", "153763710090", "1537637100A", "+5376371009", "1_376371009"])
def test_an_institution_code_that_is_not_11_digits_is_refused(code: str) -> None:
    assert code_of_refusal(InstitutionCode.parse, code) == "institution_code"


# Notice numbers


def remainder(number: str, divisor: int) -> int:
    """Divides by hand, digit by digit."""
    rest = 0
    for digit in number:
        rest = (10 * rest + digits.index(digit)) % divisor
    return rest


@pytest.mark.parametrize(
    ("number", "iuv", "segregation_code"),
    [
        ("347000000000000124", "47000000000000124", "47"),
        ("312000000000000725", "12000000000000725", "12"),
        ("212000000000004259", "12000000000004259", None),
        ("001000000000000141", "000000000000141", None),
        ("100000000000000102", "00000000000000102", None),
    ],
)
def test_a_notice_number_contains_its_iuv(number: str, iuv: str, segregation_code: str | None) -> None:
    notice_number = NoticeNumber.parse(number)
    assert notice_number.iuv == iuv
    assert notice_number.segregation_code == segregation_code


@pytest.mark.parametrize(
    ("number", "iuv", "segregation_code"),
    [
        ("312345678901234567", "12345678901234567", "12"),
        ("012345678901234567", "345678901234567", None),
        ("912345678901234567", "912345678901234567", None),
        ("3ABC", "ABC", None),
        ("31234567890123456789", "1234567890123456789", None),
        ("3ABCDEFGHIJKLMNOPQ", "ABCDEFGHIJKLMNOPQ", None),
        ("012", "012", None),
        ("A3", "A3", None),
        ("3", "3", None),
    ],
)
def test_a_lenient_notice_number_outside_the_rules_loses_only_a_leading_3(
    number: str, iuv: str, segregation_code: str | None
) -> None:
    notice_number = NoticeNumber.parse(number, lenient=True)
    assert notice_number.iuv == iuv
    assert notice_number.segregation_code == segregation_code


@given(st.sampled_from("023"), st.from_regex("[0-9]{15}", fullmatch=True), st.integers(0, 99))
def test_the_check_digits_of_a_notice_number_are_its_remainder_modulo_93(aux: str, rest: str, cd: int) -> None:
    right = remainder(aux + rest, 93)
    assert is_accepted(NoticeNumber.parse, f"{aux}{rest}{right:02d}")
    assert is_accepted(NoticeNumber.parse, f"{aux}{rest}{cd:02d}") == (cd == right)


@given(st.from_regex("[0-9]{17}", fullmatch=True))
def test_a_notice_number_with_auxiliary_digit_1_has_no_check_digits(rest: str) -> None:
    assert is_accepted(NoticeNumber.parse, "1" + rest)


@given(st.sampled_from("456789"), st.from_regex("[0-9]{15}", fullmatch=True))
def test_a_notice_number_with_another_auxiliary_digit_is_refused(aux: str, rest: str) -> None:
    number = f"{aux}{rest}{remainder(aux + rest, 93):02d}"
    assert code_of_refusal(NoticeNumber.parse, number) == "notice_number"


@pytest.mark.parametrize("number", ["34700000000000124", "3470000000000000124", "3470000000000001A4"])
def test_a_strict_notice_number_that_is_not_18_digits_is_refused(number: str) -> None:
    assert code_of_refusal(NoticeNumber.parse, number) == "notice_number"


@pytest.mark.parametrize("parse", [Iuv.parse, lenient_number])
def test_an_iuv_and_a_lenient_number_have_1_to_35_letters_and_digits_of_either_case(parse: Parse) -> None:
    for text in ("0", "A", "aB3", "X" * 35):
        assert is_accepted(parse, text)
    for text in ("", "X" * 36, "A-B", "A_B", "A/B"):
        assert not is_accepted(parse, text)


def test_a_stored_identifier_is_trusted() -> None:
    assert NoticeNumber("347000000000000199").iuv == "47000000000000199"


# Debtors

CHARACTERS = digits + ascii_uppercase
OMOCODIA = str.maketrans(digits, "LMNPQRSTUV")


def last_day(month: str, year: int) -> int:
    return (29 if year % 4 == 0 else 28) if month == "B" else 30 if month in "DHPS" else 31


@st.composite
def personal_codes(draw: st.DrawFn) -> str:
    """Right codes of men and women, any of their digits replaced by letters."""
    year = draw(st.integers(0, 99))
    month = draw(st.sampled_from("ABCDEHLMPRST"))
    day = draw(st.integers(1, last_day(month, year))) + draw(st.sampled_from((0, 40)))
    names = draw(st.text(ascii_uppercase, min_size=6, max_size=6))
    place = draw(st.from_regex("[A-Z][0-9]{3}", fullmatch=True))
    code = f"{names}{year:02d}{month}{day:02d}{place}"
    replaced = draw(st.sets(st.sampled_from((6, 7, 9, 10, 12, 13, 14))))
    code = "".join(c.translate(OMOCODIA) if at in replaced else c for at, c in enumerate(code))
    return code + codicefiscale.calc_check_digit(code)


def is_personal_for_stdnum(text: str) -> bool:
    # python-stdnum takes the day modulo 40, and so accepts 81 to 99.
    return codicefiscale.is_valid(text) and text[9] not in "89UV"


@pytest.mark.parametrize("code", ["RCCMNL83S18D969H", "RSSMRA80A01H501U", "RSSMRA80A01H50MM", "RSSMRA80A01H5LMX"])
def test_the_personal_codes_of_the_specifications_are_right(code: str) -> None:
    assert is_personal_code(code)
    assert codicefiscale.is_valid(code)


@given(personal_codes())
def test_a_personal_code_is_right_with_digits_or_with_their_letters(code: str) -> None:
    assert is_personal_code(code)
    assert is_personal_for_stdnum(code)


@given(personal_codes(), st.integers(0, 15), st.sampled_from(CHARACTERS))
def test_a_changed_personal_code_is_judged_as_by_stdnum(code: str, at: int, character: str) -> None:
    changed = code[:at] + character + code[at + 1 :]
    assert is_personal_code(changed) == is_personal_for_stdnum(changed)


@given(st.sampled_from("ABCDEHLMPRST"), st.integers(0, 99), st.integers(0, 99))
@example("B", 29, 0)
@example("B", 69, 80)
@example("B", 29, 81)
@example("D", 71, 80)
@example("A", 72, 80)
@example("A", 40, 80)
def test_a_personal_code_has_a_day_of_its_month_or_40_more(month: str, day: int, year: int) -> None:
    code = f"RSSMRA{year:02d}{month}{day:02d}H501"
    is_real = 1 <= day <= last_day(month, year) or 41 <= day <= last_day(month, year) + 40
    assert is_personal_code(code + codicefiscale.calc_check_digit(code)) == is_real


@pytest.mark.parametrize("code", ["00743110157", "15376371009", "12345678903"])
def test_the_company_codes_of_the_specifications_are_right(code: str) -> None:
    assert is_company_code(code)


@pytest.mark.parametrize("code", ["77777777777", "12345678910", "00743110158"])
def test_a_company_code_with_another_check_digit_is_wrong(code: str) -> None:
    assert not is_company_code(code)
    assert code_of_refusal(DebtorCode.parse, code) == "debtor_code"


@given(st.from_regex("[0-9]{11}", fullmatch=True))
def test_a_company_code_is_judged_as_by_luhn(code: str) -> None:
    assert is_company_code(code) == luhn.is_valid(code)
    right = code[:10] + luhn.calc_check_digit(code[:10])
    assert is_company_code(right)
    # The rest of the rule for VAT numbers, the province of the office, does not hold for fiscal codes.
    if code[:7] != "0000000" and "001" <= code[7:10] <= "100":
        assert iva.is_valid(right)


@pytest.mark.parametrize("code", ["RSSMRA80A01H501U", "12345678903", "ANONIMO"])
def test_a_debtor_is_a_person_a_company_or_anonymous(code: str) -> None:
    assert DebtorCode.parse(code) == code


@pytest.mark.parametrize("code", ["RSSMRA80A01H501X", "RSSMRA80A01H501", "1234567890", "ANONIMA", "anonimo"])
def test_any_other_debtor_code_is_refused(code: str) -> None:
    assert code_of_refusal(DebtorCode.parse, code) == "debtor_code"


def test_a_lenient_debtor_code_has_2_to_16_characters() -> None:
    for text in ("A1", "XX", "77777777777", "RSSMRA80A01H501X", "ANONIMO"):
        assert is_accepted(lenient_debtor, text)
    for text in ("A", "RSSMRA80A01H501XX", "RSS-MRA", "RSS_MRA"):
        assert not is_accepted(lenient_debtor, text)


def test_eleven_zeros_are_nobody_in_lenient_institutions_too() -> None:
    reason = "eleven zeros are not a code. If the debtor is unknown, send ANONIMO"
    assert reason_of_refusal(DebtorCode.parse, "00000000000") == reason
    assert reason_of_refusal(lenient_debtor, "00000000000") == reason
    assert lenient_debtor("0000000000") == "0000000000"


# IBANs


@st.composite
def ibans(draw: st.DrawFn) -> str:
    """Right IBANs of Italy and San Marino, with letters in some account numbers."""
    country = draw(st.sampled_from(("IT", "SM")))
    bank = draw(st.from_regex("[0-9]{10}", fullmatch=True))
    account = draw(st.text(digits, min_size=12, max_size=12) | st.text(CHARACTERS, min_size=12, max_size=12))
    # CIN and codice fiscale share their tables.
    cin = codicefiscale.calc_check_digit(bank + account)
    unchecked = f"{country}00{cin}{bank}{account}"
    return country + stdnum_iban.calc_check_digits(unchecked) + unchecked[4:]


@pytest.mark.parametrize("iban", ["IT60X0542811101000000123456", "IT96H0760112100001036880332"])
def test_the_ibans_of_the_specifications_are_right(iban: str) -> None:
    assert Iban.parse(iban) == iban


@given(ibans())
def test_an_iban_of_italy_or_san_marino_is_accepted_each_time_it_comes(iban: str) -> None:
    assert Iban.parse(iban) == Iban.parse(iban) == iban
    assert stdnum_iban.is_valid(iban)


@given(ibans(), st.integers(0, 26), st.data())
def test_an_iban_with_another_digit_or_letter_is_refused_each_time_it_comes(
    iban: str, at: int, data: st.DataObject
) -> None:
    others = (digits if iban[at] in digits else ascii_uppercase).replace(iban[at], "")
    changed = iban[:at] + data.draw(st.sampled_from(others)) + iban[at + 1 :]
    assert code_of_refusal(Iban.parse, changed) == "iban"
    assert code_of_refusal(Iban.parse, changed) == "iban"


@given(ibans(), st.integers(0, 26), st.sampled_from(CHARACTERS))
@example("IT13F0610091601000000000000", 3, "L")
def test_a_changed_iban_is_judged_as_by_stdnum_and_cin(iban: str, at: int, character: str) -> None:
    changed = iban[:at] + character + iban[at + 1 :]
    is_right = (
        changed[:2] in ("IT", "SM")
        # python-stdnum takes letters for check digits.
        and changed[2:4].isdigit()
        and stdnum_iban.is_valid(changed)
        and changed[4] == codicefiscale.calc_check_digit(changed[5:])
    )
    assert is_accepted(Iban.parse, changed) == is_right


@given(ibans(), st.sampled_from(ascii_uppercase))
def test_an_iban_with_another_cin_is_refused_even_if_its_check_digits_are_right(iban: str, cin: str) -> None:
    changed = iban[:4] + cin + iban[5:]
    changed = iban[:2] + stdnum_iban.calc_check_digits(changed) + changed[4:]
    assert stdnum_iban.is_valid(changed)
    assert is_accepted(Iban.parse, changed) == (cin == iban[4])


@pytest.mark.parametrize(
    "iban", ["IT0000000000000000000000000", "DE89370400440532013000", "FR1420041010050500013M02606"]
)
def test_an_iban_of_another_form_or_country_is_refused(iban: str) -> None:
    assert code_of_refusal(Iban.parse, iban) == "iban"


def test_a_lenient_iban_has_15_to_34_characters_of_any_country() -> None:
    for text in (
        "IT0000000000000000000000000",
        "NO9386011117947",
        "DE89370400440532013000",
        "MT84" + "X" * 30,
    ):
        assert is_accepted(lenient_iban, text)
    for text in ("NO938601111794", "MT84" + "X" * 31, "1T000000000000000", "ITA00000000000000"):
        assert not is_accepted(lenient_iban, text)


def test_an_iban_of_poste_italiane_is_postal() -> None:
    assert Iban.parse_postal("IT96H0760112100001036880332").is_postal
    assert not Iban.parse("IT60X0542811101000000123456").is_postal


def test_a_postal_iban_of_another_bank_is_refused_unless_lenient() -> None:
    assert code_of_refusal(Iban.parse_postal, "IT60X0542811101000000123456") == "postal_iban"
    assert lenient_postal_iban("IT60X0542811101000000123456") == "IT60X0542811101000000123456"


def test_a_postal_iban_that_is_no_iban_is_refused_as_such() -> None:
    assert code_of_refusal(Iban.parse_postal, "IT97H0760112100001036880332") == "iban"


# The sentence of a refusal


@pytest.mark.parametrize(("parse", "text", "code"), EXAMPLES)
def test_a_refusal_names_blanks_and_foreign_characters(parse: Parse, text: str, code: str) -> None:
    for blank in " \n\t\u00a0":
        assert reason_of_refusal(parse, text[:2] + blank + text[2:]) == "it has blanks"
    for foreign in "-/\u0663\u00c0\0":
        assert (
            reason_of_refusal(parse, text[:2] + foreign + text[3:]) == "it has characters other than letters and digits"
        )
    assert reason_of_refusal(parse, "") == "it is empty"


@pytest.mark.parametrize(("parse", "text", "code"), [row for row in EXAMPLES if row[2] in ("debtor_code", "iban")])
def test_a_refusal_names_lower_case(parse: Parse, text: str, code: str) -> None:
    if text.lower() != text:
        assert reason_of_refusal(parse, text.lower()) == "it has letters in lower case"
        assert reason_of_refusal(parse, text.replace(text.strip(digits)[0], text.strip(digits)[0].lower(), 1)) == (
            "it has letters in lower case"
        )


@pytest.mark.parametrize(
    ("parse", "text", "reason"),
    [
        (InstitutionCode.parse, "1537637100", "it has 10 digits"),
        (InstitutionCode.parse, "153763710090", "it has 12 digits"),
        (InstitutionCode.parse, "1537637100A", "it has letters"),
        (Iuv.parse, "X" * 36, "it has 36 characters"),
        (lenient_number, "X" * 36, "it has 36 characters"),
        (NoticeNumber.parse, "3470000000000000124", "it has 19 digits"),
        (NoticeNumber.parse, "3", "it has 1 digit"),
        (NoticeNumber.parse, "47000000000000124",
         "it has 17, as an IUV has; its first digit, the auxiliary digit, may be missing"),
        (NoticeNumber.parse, "RF18539007547034", "it has letters"),
        (NoticeNumber.parse, "447000000000000124", "its first digit, the auxiliary digit, must be 0, 1, 2 or 3"),
        (NoticeNumber.parse, "347000000000000125", "its last two digits must be the first sixteen modulo 93"),
        (DebtorCode.parse, "RSSMRA80A01H501", "it has 15 characters"),
        (DebtorCode.parse, "1234567890", "it has 10 characters"),
        (DebtorCode.parse, "ANONIMA", "it has 7 characters"),
        (DebtorCode.parse, "12345678910", "its last digit is not the right check digit"),
        (DebtorCode.parse, "RSSMR180A01H501U", "characters 1 to 6 must be letters"),
        (DebtorCode.parse, "RSSMRA8AA01H501U", "characters 7 and 8 must be digits, or letters that stand for digits"),
        (DebtorCode.parse, "RSSMRA80F01H501U", "character 9 must be the letter of a month"),
        (DebtorCode.parse, "RSSMRA80A0XH501U", "characters 10 and 11 must be digits, or letters that stand for digits"),
        (DebtorCode.parse, "RSSMRA80A011501U", "character 12 must be a letter"),
        (DebtorCode.parse, "RSSMRA80A01HA01U", "characters 13 to 15 must be digits, or letters that stand for digits"),
        (DebtorCode.parse, "RSSMRA80A01H5011", "character 16 must be a letter"),
        (DebtorCode.parse, "RSSMRA80A32H501U",
         "characters 9 to 11 (month and day of birth) name no day of the calendar"),
        (DebtorCode.parse, "RSSMRA81B29H501U",
         "characters 9 to 11 (month and day of birth) name no day of the calendar"),
        (DebtorCode.parse, "RSSMRA80A01H501X", "its last character is not the right check character"),
        (lenient_debtor, "A", "it has 1 character"),
        (lenient_debtor, "A" * 17, "it has 17 characters"),
        (Iban.parse, "DE89370400440532013000", "it begins with another country than IT or SM"),
        (Iban.parse, "FR1420041010050500013M02606", "it begins with another country than IT or SM"),
        (Iban.parse, "IT60X054281110100000012345", "it has 26 characters, not 27"),
        (Iban.parse, "ITX0X0542811101000000123456", "characters 3 and 4 (check digits) must be digits"),
        (Iban.parse, "IT6010542811101000000123456", "character 5 (CIN) must be a letter"),
        (Iban.parse, "IT60XA542811101000000123456", "characters 6 to 15 (ABI and CAB) must be digits"),
        (Iban.parse, "IT61X0542811101000000123456", "the check digits (characters 3 and 4) do not fit the rest"),
        (Iban.parse, "IT64Y0542811101000000123456", "the CIN (character 5) does not fit the account"),
        (Iban.parse, "IT60X0542811101000000123457",
         "neither check digits (characters 3 and 4) nor CIN (character 5) fit: a character is wrong"),
        (Iban.parse_postal, "IT60X0542811101000000123456", "characters 6 to 10 (ABI) must be 07601"),
        (lenient_iban, "1T00000000000000000", "characters 1 and 2 must be letters"),
        (lenient_iban, "ITA0000000000000000", "characters 3 and 4 must be digits"),
        (lenient_iban, "NO938601111794", "it has 14 characters"),
        (lenient_iban, "MT84" + "X" * 31, "it has 35 characters"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_rule_that_is_broken(parse: Parse, text: str, reason: str) -> None:
    assert reason_of_refusal(parse, text) == reason


@given(st.sampled_from(PARSERS), st.text(CHARACTERS + "a -", max_size=36))
def test_a_refusal_names_a_rule_and_never_the_code(parse: Parse, text: str) -> None:
    if not is_accepted(parse, text):
        reason = reason_of_refusal(parse, text)
        assert reason
        assert len(text) < 4 or text not in reason
