"""What callers may do, and how their keys follow one another."""

import pytest

from shared.domain.callers import EVERY, Key, TooManyKeys
from tests.support import DAY, INSTITUTION, NOW, a_caller

MONTH = NOW + 30 * DAY


def test_a_key_opens_until_it_ends() -> None:
    caller = a_caller(keys=(Key("old", NOW), Key("new", NOW + DAY)))

    assert not caller.holds("old", NOW)
    assert caller.holds("new", NOW)
    assert not caller.holds("new", NOW + DAY)
    assert not caller.holds("unknown", NOW)


def test_a_key_opens_only_while_its_caller_is_valid() -> None:
    caller = a_caller(valid_from=NOW, valid_until=NOW + DAY)

    assert [caller.holds("a-hash", at) for at in (NOW - DAY, NOW, NOW + DAY)] == [False, True, False]


def test_a_new_key_lives_beside_the_old_one_which_then_ends() -> None:
    rotated = a_caller(keys=(Key("old"),)).with_new_key("new", MONTH, NOW)

    assert rotated.keys == (Key("old", MONTH), Key("new"))


def test_a_new_key_never_prolongs_the_old_one() -> None:
    rotated = a_caller(keys=(Key("old", NOW + DAY),)).with_new_key("new", MONTH, NOW)

    assert rotated.keys == (Key("old", NOW + DAY), Key("new"))


def test_an_old_key_that_would_end_later_ends_when_the_new_one_has_replaced_it() -> None:
    rotated = a_caller(keys=(Key("old", MONTH + DAY),)).with_new_key("new", MONTH, NOW)

    assert rotated.keys == (Key("old", MONTH), Key("new"))


def test_a_new_key_takes_the_place_of_those_that_ran_out() -> None:
    rotated = a_caller(keys=(Key("older", NOW), Key("old"))).with_new_key("new", MONTH, NOW)

    assert rotated.keys == (Key("old", MONTH), Key("new"))


def test_a_caller_without_a_live_key_gets_one() -> None:
    assert a_caller(keys=()).with_new_key("new", MONTH, NOW).keys == (Key("new"),)


def test_a_third_live_key_is_refused() -> None:
    with pytest.raises(TooManyKeys):
        a_caller(keys=(Key("old", MONTH), Key("new"))).with_new_key("newer", MONTH, NOW)


def test_a_key_is_called_by_the_first_digits_of_its_hash() -> None:
    assert Key("0123456789abcdef").id == "0123456789ab"


def test_a_grant_of_every_institution_adds_to_that_of_one() -> None:
    caller = a_caller(grants={INSTITUTION: frozenset({"47"}), EVERY: frozenset({"48"})})

    assert caller.segregation_codes(INSTITUTION) == {"47", "48"}
    assert caller.segregation_codes("77777777777") == {"48"}
    assert not caller.acts_for(INSTITUTION, None)
