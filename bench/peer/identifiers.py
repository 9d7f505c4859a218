"""Validates the codes of a notice. Each function returns the code, or raises ValueError."""

import re

from bench.peer.check_digits import check_letter, has_company_digit, has_iban_digits, has_notice_digits

_INSTITUTION = re.compile(r"[0-9]{11}")
_LETTERS_AND_DIGITS = re.compile(r"[A-Za-z0-9]{1,35}")
_NUMBER = re.compile(r"[0-3][0-9]{17}")
_PERSON = re.compile(r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]")
_COMPANY = re.compile(r"[0-9]{11}")
_LENIENT_DEBTOR = re.compile(r"[A-Z0-9]{2,16}")
_IBAN = re.compile(r"(?:IT|SM)[0-9]{2}[A-Z][0-9]{10}[0-9A-Z]{12}")
_LENIENT_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")

_DIGITS_OF_LETTERS = str.maketrans("LMNPQRSTUV", "0123456789")
_DAYS_OF_MONTHS = {
    "A": 31,
    "B": 29,
    "C": 31,
    "D": 30,
    "E": 31,
    "H": 30,
    "L": 31,
    "M": 31,
    "P": 30,
    "R": 31,
    "S": 30,
    "T": 31,
}


def institution_code(text: str) -> str:
    """Accept 11 digits."""
    if not _INSTITUTION.fullmatch(text):
        raise ValueError("must be 11 digits")
    return text


def notice_number(text: str, *, lenient: bool = False) -> str:
    """Accept 18 digits with the right check digits. Lenient: 1 to 35 letters and digits."""
    if lenient:
        if not _LETTERS_AND_DIGITS.fullmatch(text):
            raise ValueError("must be 1 to 35 letters and digits")
    elif not _NUMBER.fullmatch(text) or (text[0] != "1" and not has_notice_digits(text)):
        raise ValueError("must be 18 digits with right check digits")
    return text


def iuv(text: str) -> str:
    """Accept 1 to 35 letters and digits."""
    if not _LETTERS_AND_DIGITS.fullmatch(text):
        raise ValueError("must be 1 to 35 letters and digits")
    return text


def iuv_of(number: str) -> str:
    """Return the IUV that a notice number contains."""
    if len(number) == 18 and number.isdigit() and number[0] in "0123":
        return number[3:] if number[0] == "0" else number[1:]
    return number[1:] if number[0] == "3" and len(number) > 1 else number


def segregation_code_of(number: str) -> str | None:
    """Return the segregation code of a notice number, None for a number that has none."""
    return number[1:3] if len(number) == 18 and number.isdigit() and number[0] == "3" else None


def debtor_code(text: str, *, lenient: bool = False) -> str:
    """Accept the code of a person or a company, or ANONIMO. Lenient: 2 to 16 letters and digits. Never 11 zeros."""
    if text == "00000000000":
        raise ValueError("eleven zeros are not a code")
    if lenient:
        if not _LENIENT_DEBTOR.fullmatch(text):
            raise ValueError("must be 2 to 16 upper-case letters and digits")
    elif text != "ANONIMO" and not _is_person(text) and not _is_company(text):
        raise ValueError("must be a fiscal code of 16 characters or 11 digits, or ANONIMO")
    return text


def iban(text: str, *, lenient: bool = False) -> str:
    """Accept an IBAN of Italy or San Marino with right check digits. Lenient: of any country, by its form."""
    if lenient:
        if not _LENIENT_IBAN.fullmatch(text):
            raise ValueError("must be an IBAN")
    elif not (_IBAN.fullmatch(text) and has_iban_digits(text) and check_letter(text[5:]) == text[4]):
        raise ValueError("must be an IBAN of IT or SM, with right check digits and CIN")
    return text


def postal_iban(text: str, *, lenient: bool = False) -> str:
    """Accept an IBAN of Poste Italiane. Lenient: of any bank."""
    iban(text, lenient=lenient)
    if not lenient and text[5:10] != "07601":
        raise ValueError("must be an IBAN of Poste Italiane")
    return text


def _is_person(text: str) -> bool:
    return bool(_PERSON.fullmatch(text)) and _has_birthday(text) and check_letter(text[:15]) == text[15]


def _is_company(text: str) -> bool:
    return bool(_COMPANY.fullmatch(text)) and has_company_digit(text)


def _has_birthday(code: str) -> bool:
    year = int(code[6:8].translate(_DIGITS_OF_LETTERS))
    day = int(code[9:11].translate(_DIGITS_OF_LETTERS))
    month = code[8]
    if day > 40:  # a woman's
        day -= 40
    if month == "B" and day == 29 and year % 4 != 0:
        return False
    return 1 <= day <= _DAYS_OF_MONTHS[month]
