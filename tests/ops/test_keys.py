"""A caller changes its key without a moment in which none opens; a key that is lost is revoked."""

from datetime import datetime, timedelta

import pytest

from shared.auth import key_hash
from shared.bootstrap import utc_now
from tests.ops.command_line import Operator, rows


def key_id(key: str) -> str:
    """Return what a key is called."""
    return key_hash(key)[:12]


def days_left(moment: str) -> float:
    """Return how far a moment lies ahead."""
    return (datetime.fromisoformat(moment) - utc_now()) / timedelta(days=1)


def test_a_new_key_lives_beside_the_old_one_which_ends_after_thirty_days(operator: Operator) -> None:
    old = operator.add_caller()["key"]

    rotated = operator.read("keys", "rotate", "an-ec")

    listed = operator.read("keys", "list", "an-ec")["items"]
    assert listed == rotated["keys"]
    assert [(key["id"], key["live"]) for key in listed] == [(key_id(old), True), (key_id(rotated["key"]), True)]
    assert days_left(listed[0]["expiresAt"]) == pytest.approx(30, abs=0.01)
    assert listed[1]["expiresAt"] is None


@pytest.mark.parametrize(("time", "days"), [("7d", 7), ("12h", 0.5), ("1440m", 1)])
def test_the_old_key_ends_when_the_operator_says(time: str, days: float, operator: Operator) -> None:
    operator.add_caller()

    old, _ = operator.read("keys", "rotate", "an-ec", "--old-expires-in", time)["keys"]

    assert days_left(old["expiresAt"]) == pytest.approx(days, abs=0.01)


def test_a_key_that_is_lost_is_replaced_at_once(operator: Operator) -> None:
    operator.add_caller()

    old, new = operator.read("keys", "rotate", "an-ec", "--old-expires-in", "0m")["keys"]

    assert (old["live"], new["live"]) == (False, True)


@pytest.mark.parametrize("time", ["30", "soon", "-1d", "401d", "٣d"])
def test_a_time_that_is_none_is_refused(time: str, operator: Operator) -> None:
    operator.add_caller()

    refusal = operator.refused("keys", "rotate", "an-ec", "--old-expires-in", time, exit_code=2)

    assert refusal == f"--old-expires-in {time!r} must be days, hours or minutes, up to 400 days: 30d, 12h, 90m.\n"


def test_a_third_live_key_is_refused_with_what_to_do(operator: Operator) -> None:
    old = operator.add_caller()["key"]
    new = operator.read("keys", "rotate", "an-ec")["key"]
    before = operator.read("keys", "list", "an-ec")

    assert operator.refused("keys", "rotate", "an-ec") == (
        f"an-ec has two live keys, {key_id(old)} and {key_id(new)}. Revoke the one that is not used: "
        "`keys revoke an-ec KEYID`.\n"
    )
    assert operator.read("keys", "list", "an-ec") == before


def test_a_new_key_takes_the_place_of_one_that_ran_out(operator: Operator) -> None:
    operator.add_caller()
    second = operator.read("keys", "rotate", "an-ec", "--old-expires-in", "0m")["key"]

    third = operator.read("keys", "rotate", "an-ec")

    assert [key["id"] for key in third["keys"]] == [key_id(second), key_id(third["key"])]


def test_keys_are_shown_to_people_with_their_end_and_state(operator: Operator) -> None:
    old = operator.add_caller()["key"]
    said = operator.ask("keys", "rotate", "an-ec", "--old-expires-in", "0m").stdout
    new = next(line for line in said.splitlines() if len(line) == 43)

    (old_id, old_end, old_state), *rest = rows(operator.ask("keys", "list", "an-ec").stdout)

    assert said.startswith("Rotated.\nkey id ")
    assert (old_id, old_state, rest) == (key_id(old), "expired", [[key_id(new), "never", "live"]])
    assert datetime.fromisoformat(old_end) <= utc_now()


def test_a_key_that_was_revoked_is_gone(operator: Operator) -> None:
    old = operator.add_caller()["key"]
    new = operator.read("keys", "rotate", "an-ec")["key"]

    revoked = operator.ask("keys", "revoke", "an-ec", key_id(old), "--yes")

    assert revoked.stdout == "Revoked. A running archive sees it within 60 seconds.\n"
    assert revoked.stderr == ""
    assert [key["id"] for key in operator.read("keys", "list", "an-ec")["items"]] == [key_id(new)]


def test_revoking_the_last_live_key_is_warned_of_and_a_new_one_can_be_made(operator: Operator) -> None:
    key = operator.add_caller()["key"]

    revoked = operator.ask("keys", "revoke", "an-ec", key_id(key), "--yes")

    assert revoked.stderr == "an-ec has no other live key. It cannot call until `keys rotate an-ec` makes one.\n"
    assert operator.ask("keys", "list", "an-ec").stdout == "None.\n"
    assert [key["live"] for key in operator.read("keys", "rotate", "an-ec")["keys"]] == [True]


@pytest.mark.parametrize("unknown", ["0123456789ab", "", "*"])
def test_a_key_that_is_not_the_callers_is_not_revoked(unknown: str, operator: Operator) -> None:
    operator.add_caller("another")
    operator.add_caller()
    before = operator.read("keys", "list", "an-ec")

    refusal = operator.refused("keys", "revoke", "an-ec", unknown, "--yes")

    assert refusal == f"an-ec has no key {unknown}. `keys list an-ec` shows its keys.\n"
    assert operator.read("keys", "list", "an-ec") == before


@pytest.mark.parametrize("command", [["rotate"], ["list"], ["revoke", "0123456789ab", "--yes"]])
def test_keys_of_a_caller_nobody_registered_are_not_found(command: list[str], operator: Operator) -> None:
    operator.add_institution()

    verb, *options = command

    sentence = operator.refused("keys", verb, "nobody", *options)
    assert sentence == "nobody is not registered. `callers list` shows the registered callers.\n"


def test_the_caller_of_a_key_is_found_by_the_id_of_the_key(operator: Operator) -> None:
    operator.add_caller("another")
    old = operator.add_caller("an-ec", "--role", "broker", "--valid-until", "2026-01-01")["key"]
    new = operator.read("keys", "rotate", "an-ec", "--old-expires-in", "0m")["key"]

    by_old = operator.read("keys", "find", key_id(old))
    by_new = rows(operator.ask("keys", "find", key_id(new)).stdout)

    (found,) = by_old["items"]
    assert {**found, "expiresAt": None} == {
        "caller": "an-ec",
        "valid": False,
        "id": key_id(old),
        "expiresAt": None,
        "live": False,
    }
    assert by_new == [["an-ec", "broker", "not now, until 2026-01-02 00:00:00+01:00", key_id(new), "never", "live"]]


def test_a_key_that_no_caller_has_is_not_found(operator: Operator) -> None:
    operator.add_caller()

    assert operator.refused("keys", "find", "0123456789ab") == (
        "No caller has the key 0123456789ab. `audit` also shows revoked keys.\n"
    )
    for text in ("", "0123456789AB"):
        refusal = operator.refused("keys", "find", text, exit_code=2)
        assert refusal == f"KEYID {text!r} must be 12 digits of 0-9 a-f, as `keys list` shows them.\n"


@pytest.mark.parametrize("command", [("find",), ("revoke", "an-ec")])
def test_a_key_given_in_place_of_its_id_is_not_repeated(operator: Operator, command: tuple[str, ...]) -> None:
    key = operator.add_caller()["key"]

    said = operator.refused("keys", *command, key, exit_code=2)

    assert key not in said
    assert key_id(key) in said
