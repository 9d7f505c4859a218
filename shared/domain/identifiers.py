"""Decides which codes name an institution, a notice, a debtor and an account.

Each code is a `str`: calling its class trusts the text (the archive stored it), `parse` checks it. Letters
and digits are ASCII, without blanks. `lenient` is for institutions whose test data keep only the form.
"""

import re
from functools import lru_cache
from itertools import product
from string import ascii_uppercase, digits
from typing import Final, Self

from shared.domain.code_faults import characters_fault, form_of, length_fault, parts_fault
from shared.errors import InvalidValue

ANONYMOUS: Final = "ANONIMO"
_ZEROS: Final = "00000000000"  # stands for an unknown debtor in test data, and passes the check digit


class InstitutionCode(str):
    """The fiscal code of a creditor institution."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Accept 11 digits. InvalidValue `institution_code`."""
        # No check digit: 77777777777, the platform's own test institution, fails it. The registry decides.
        if len(text) == 11 and _all_digits(text):
            return cls(text)
        raise InvalidValue("institution_code", f"must be 11 digits: {_digits_fault(text, 11)}")


class Iuv(str):
    """The identifier of a payment within its institution (identificativo univoco di versamento)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Accept 1 to 35 letters and digits of either case. InvalidValue `iuv`."""
        if _letters_and_digits(text):
            return cls(text)
        raise InvalidValue("iuv", f"must be {_UP_TO_35}: {_up_to_35_fault(text)}")

    @property
    def number(self) -> "NoticeNumber":
        """Give the notice number that contains the IUV behind auxiliary digit 3 (SACI 3.2)."""
        return NoticeNumber(f"3{self}")


class NoticeNumber(str):
    """The number by which an institution and its debtor know a notice (codice avviso)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, *, lenient: bool = False) -> Self:
        """Accept 18 digits, auxiliary digit 0-3, check digits modulo 93 except for 1 (SACI 3.2).

        Lenient: 1 to 35 letters and digits of either case. InvalidValue `notice_number`.
        """
        if lenient:
            if _letters_and_digits(text):
                return cls(text)
            raise InvalidValue("notice_number", f"must be {_UP_TO_35}: {_up_to_35_fault(text)}")
        if len(text) == 18 and _all_digits(text) and _has_right_check_digits(text):
            return cls(text)
        raise InvalidValue("notice_number", f"must be 18 digits with right check digits: {_number_fault(text)}")

    @property
    def segregation_code(self) -> str | None:
        """Give digits 2-3 of a number of 18 digits with auxiliary digit 3 (SACI 3.2), None for any other."""
        return self[1:3] if self._is_regular() and self[0] == "3" else None

    @property
    def iuv(self) -> Iuv:
        """Give the IUV that the number contains (SACI 3.2). A lenient number loses only a leading 3."""
        if self._is_regular() and self[0] <= "3":
            # After auxiliary digit 0 comes an application code of two digits, which the IUV leaves out.
            return Iuv(self[3:] if self[0] == "0" else self[1:])
        return Iuv(self[1:] if self[0] == "3" and len(self) > 1 else self)

    def _is_regular(self) -> bool:
        return len(self) == 18 and _all_digits(self)


class DebtorCode(str):
    """The fiscal code of a debtor, person or company, or ANONIMO."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, *, lenient: bool = False) -> Self:
        """Accept a personal code, a company code, or ANONIMO. Lenient: 2 to 16 of A-Z 0-9. Never eleven zeros.

        InvalidValue `debtor_code`. The debtor's type restricts nothing: F may have a provisional code of 11
        digits, and G is also the sole trader, who has a personal code.
        """
        if lenient:
            if _LENIENT_DEBTOR.fullmatch(text) and text != _ZEROS:
                return cls(text)
            reason = _ELEVEN_ZEROS if text == _ZEROS else characters_fault(text) or length_fault(text)
            raise InvalidValue("debtor_code", f"must be 2 to 16 upper-case letters and digits: {reason}")
        if is_personal_code(text) or (is_company_code(text) and text != _ZEROS) or text == ANONYMOUS:
            return cls(text)
        raise InvalidValue(
            "debtor_code", f"must be a fiscal code of 16 characters or 11 digits, or {ANONYMOUS}: {_debtor_fault(text)}"
        )


class Iban(str):
    """The account that is credited."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, *, lenient: bool = False) -> Self:
        """Accept 27 characters of IT or SM with right check digits and CIN (ISO 13616). InvalidValue `iban`.

        Lenient: 15 to 34 characters of any country, check digits not looked at.
        """
        if lenient:
            if _LENIENT_IBAN.fullmatch(text):
                return cls(text)
            reason = characters_fault(text) or parts_fault(text, _LENIENT_IBAN_PARTS) or length_fault(text)
            raise InvalidValue("iban", f"must be two letters, two digits, and 11 to 30 letters and digits: {reason}")
        _check_iban(text)
        return cls(text)

    @classmethod
    def parse_postal(cls, text: str, *, lenient: bool = False) -> Self:
        """Accept an IBAN of Poste Italiane. Lenient: of any bank. InvalidValue `iban`, `postal_iban`."""
        iban = cls.parse(text, lenient=lenient)
        if lenient or iban.is_postal:
            return iban
        raise InvalidValue("postal_iban", "must be an IBAN of Poste Italiane: characters 6 to 10 (ABI) must be 07601")

    @property
    def is_postal(self) -> bool:
        """Return whether the bank (ABI) is Poste Italiane, by the same rule as the Nodo."""
        return self[5:10] == "07601"


def is_personal_code(text: str) -> bool:
    """Return whether the text is a personal codice fiscale: 16 characters, omocodia, birthday, check character."""
    return bool(_PERSONAL_FORM.fullmatch(text)) and _has_birthday(text) and _check_letter(text[:15]) == text[15]


def is_company_code(text: str) -> bool:
    """Return whether the text is a codice fiscale of 11 digits (company or provisional), with Luhn's check digit."""
    if len(text) != 11 or not _all_digits(text):
        return False
    characters = text.encode()
    return (sum(characters[::2].translate(_ALONE)) + sum(characters[1::2].translate(_DOUBLED))) % 10 == 0


# An institution has few accounts and many notices. What raises is not kept: wrong IBANs push out none.
@lru_cache(maxsize=4096)
def _check_iban(text: str) -> None:
    if not (_IBAN_FORM.fullmatch(text) and _has_right_remainder(text) and _has_right_cin(text)):
        raise InvalidValue("iban", f"must be an IBAN of IT or SM, with right check digits and CIN: {_iban_fault(text)}")


def _digits_fault(text: str, length: int) -> str | None:
    if text.isascii() and text.isalnum() and not text.isdigit():
        return "it has letters"
    return characters_fault(text) or (length_fault(text, "digits") if len(text) != length else None)


def _up_to_35_fault(text: str) -> str | None:
    return characters_fault(text, upper_case=False) or length_fault(text)


def _number_fault(text: str) -> str:
    if len(text) == 17 and _all_digits(text):
        return "it has 17, as an IUV has; its first digit, the auxiliary digit, may be missing"
    if fault := _digits_fault(text, 18):
        return fault
    if text[0] not in "0123":
        return "its first digit, the auxiliary digit, must be 0, 1, 2 or 3"
    return "its last two digits must be the first sixteen modulo 93"


def _debtor_fault(text: str) -> str:
    if text == _ZEROS:
        return _ELEVEN_ZEROS
    if fault := characters_fault(text):
        return fault
    if len(text) == 11 and _all_digits(text):
        return "its last digit is not the right check digit"
    if len(text) != 16:
        return length_fault(text)
    if fault := parts_fault(text, _PERSONAL_PARTS):
        return fault
    if not _has_birthday(text):
        return "characters 9 to 11 (month and day of birth) name no day of the calendar"
    return "its last character is not the right check character"


def _iban_fault(text: str) -> str:
    if fault := characters_fault(text):
        return fault
    if text[:2] not in ("IT", "SM"):
        return "it begins with another country than IT or SM"
    if len(text) != 27:
        return f"{length_fault(text)}, not 27"
    if fault := parts_fault(text, _IBAN_PARTS):
        return fault
    if _has_right_remainder(text):
        return "the CIN (character 5) does not fit the account"
    if _has_right_cin(text):
        return "the check digits (characters 3 and 4) do not fit the rest"
    return "neither check digits (characters 3 and 4) nor CIN (character 5) fit: a character is wrong"


def _has_birthday(personal_code: str) -> bool:
    year, month, day = _NUMBERS[personal_code[6:8]], personal_code[8], _NUMBERS[personal_code[9:11]]
    if day > 40:  # a woman's
        day -= 40
    # The century is not in the code: 00 may be 2000, which had a 29 February.
    return 1 <= day <= _DAYS[month] and not (month == "B" and day == 29 and year % 4 != 0)


def _has_right_remainder(iban: str) -> bool:
    # ISO 13616: country and check digits go last, letters are read as 10 to 35.
    return int("".join(map(_AS_NUMBER.__getitem__, iban[4:] + iban[:4]))) % 97 == 1


def _has_right_cin(iban: str) -> bool:
    return _check_letter(iban[5:]) == iban[4]


def _has_right_check_digits(number: str) -> bool:
    return number[0] == "1" or (number[0] in "023" and int(number[:16]) % 93 == int(number[16:]))


def _check_letter(text: str) -> str:
    """Computes the check character of a codice fiscale or the CIN of an account: the tables are the same."""
    characters = text.encode()
    total = sum(characters[::2].translate(_ODD)) + sum(characters[1::2].translate(_EVEN))
    return ascii_uppercase[total % 26]


def _all_digits(text: str) -> bool:
    # str.isdigit alone would take the digits of every script.
    return text.isascii() and text.isdigit()


def _letters_and_digits(text: str) -> bool:
    return len(text) <= 35 and text.isascii() and text.isalnum()


_LENIENT_DEBTOR: Final = re.compile("[A-Z0-9]{2,16}")
_LENIENT_IBAN: Final = re.compile("[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")

_UP_TO_35: Final = "1 to 35 letters and digits"
_ELEVEN_ZEROS: Final = f"eleven zeros are not a code. If the debtor is unknown, send {ANONYMOUS}"
_DIGIT: Final = f"{digits}LMNPQRSTUV"
_PERSONAL_PARTS: Final = (
    (0, 6, ascii_uppercase, "characters 1 to 6 must be letters"),
    (6, 8, _DIGIT, "characters 7 and 8 must be digits, or letters that stand for digits"),
    (8, 9, "ABCDEHLMPRST", "character 9 must be the letter of a month"),
    (9, 11, _DIGIT, "characters 10 and 11 must be digits, or letters that stand for digits"),
    (11, 12, ascii_uppercase, "character 12 must be a letter"),
    (12, 15, _DIGIT, "characters 13 to 15 must be digits, or letters that stand for digits"),
    (15, 16, ascii_uppercase, "character 16 must be a letter"),
)
_PERSONAL_FORM: Final = re.compile(form_of(_PERSONAL_PARTS))
_IBAN_PARTS: Final = (
    (2, 4, digits, "characters 3 and 4 (check digits) must be digits"),
    (4, 5, ascii_uppercase, "character 5 (CIN) must be a letter"),
    (5, 15, digits, "characters 6 to 15 (ABI and CAB) must be digits"),
)
_IBAN_FORM: Final = re.compile(f"(?:IT|SM){form_of(_IBAN_PARTS)}[0-9A-Z]{{12}}")
_LENIENT_IBAN_PARTS: Final = (
    (0, 2, ascii_uppercase, "characters 1 and 2 must be letters"),
    (2, 4, digits, "characters 3 and 4 must be digits"),
)

# Where two persons would share a code, letters stand for digits (omocodia): each pair here is one digit.
_OMOCODIA: Final = ("0L", "1M", "2N", "3P", "4Q", "5R", "6S", "7T", "8U", "9V")
_NUMBERS: Final = {
    tens + units: 10 * _OMOCODIA.index(ten) + _OMOCODIA.index(unit)
    for ten, unit in product(_OMOCODIA, repeat=2)
    for tens, units in product(ten, unit)
}
_DAYS: Final = {letter: days for days, letters in ((31, "ACELMRT"), (30, "DHPS"), (29, "B")) for letter in letters}

# Values of characters for bytes.translate: to sum its result is several times faster than a loop.
_CHARACTERS: Final = (digits + ascii_uppercase).encode()
_EVEN: Final = bytes.maketrans(_CHARACTERS, bytes((*range(10), *range(26))))
_ODD_TEN: Final = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)  # 0-9, and A-J alike
_ODD: Final = bytes.maketrans(
    _CHARACTERS,
    bytes((*_ODD_TEN, *_ODD_TEN, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)),
)
_ALONE: Final = bytes.maketrans(digits.encode(), bytes(range(10)))
_DOUBLED: Final = bytes.maketrans(digits.encode(), bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))

_AS_NUMBER: Final = {character: str(value) for value, character in enumerate(digits + ascii_uppercase)}
