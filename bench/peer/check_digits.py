"""Check digits, computed as their specifications describe them."""

_TEN = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_ODD_VALUES = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (*_TEN, *_TEN, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)
"""Values of the first, third, fifth character in a codice fiscale and in the account part of an Italian IBAN."""


def check_letter(text: str) -> str:
    """Return the check character of a codice fiscale, or the CIN of an account."""
    total = 0
    for position, character in enumerate(text):
        if position % 2 == 0:
            total += _ODD_VALUES[character]
        elif character.isdigit():
            total += int(character)
        else:
            total += ord(character) - ord("A")
    return chr(ord("A") + total % 26)


def has_company_digit(code: str) -> bool:
    """Return whether 11 digits end with the check digit of a company code (Luhn)."""
    total = 0
    for position, digit in enumerate(map(int, code)):
        value = digit
        if position % 2 == 1:
            value = digit * 2
            if value > 9:
                value -= 9
        total += value
    return total % 10 == 0


def has_iban_digits(iban: str) -> bool:
    """Return whether an IBAN has the right check digits (ISO 13616)."""
    digits = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
    return int(digits) % 97 == 1


def has_notice_digits(number: str) -> bool:
    """Return whether the last two of 18 digits are the first 16 modulo 93."""
    return int(number[:16]) % 93 == int(number[16:])
