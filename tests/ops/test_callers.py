"""Operators register, show, list, change and remove callers; a key is shown once and kept by nobody."""

import asyncio
import re
from pathlib import Path

import pytest

from shared.adapters.sqlite_registry import SqliteRegistry
from shared.auth import key_hash
from shared.bootstrap import utc_now
from shared.domain.callers import Caller
from tests.ops.command_line import CODE, Operator, rows

KEY = re.compile("[A-Za-z0-9_-]{43}")


def stored(data: Path) -> bytes:
    """Return everything the archive keeps in a folder."""
    return b"".join(file.read_bytes() for file in sorted(data.iterdir()))


def holder(data: Path, key: str) -> Caller | None:
    """Return the caller that a key belongs to."""

    async def find() -> Caller | None:
        registry = SqliteRegistry(data / "archive.db", utc_now)
        try:
            return await registry.caller(key_hash(key))
        finally:
            await registry.close()

    return asyncio.run(find())


def test_the_key_of_a_new_caller_opens(operator: Operator) -> None:
    added = operator.add_caller()

    caller = holder(operator.data, added["key"])

    assert caller is not None
    assert (caller.name, caller.holds(key_hash(added["key"]), utc_now())) == ("an-ec", True)


def test_a_key_is_shown_once_and_neither_it_nor_its_hash_ever_again(operator: Operator) -> None:
    operator.add_institution()
    said = operator.ask(
        *("callers", "add", "an-ec", "--role", "broker", "--scope", "notices:read", "--grant", f"{CODE}:47")
    )
    key = next(line for line in said.stdout.splitlines() if KEY.fullmatch(line))

    later = [
        operator.ask(*command, *json).output
        for command in (["callers", "show", "an-ec"], ["callers", "list"], ["keys", "list", "an-ec"])
        for json in ([], ["--json"])
    ]

    assert said.output.count(key) == 1
    assert key_hash(key) not in said.output
    assert [output for output in later if key in output or key_hash(key) in output] == []
    assert all(key_hash(key)[:12] in output for output in later if "live keys" not in output)
    assert key.encode() not in stored(operator.data)


def test_a_caller_is_shown_as_it_was_registered(operator: Operator) -> None:
    operator.add_institution()
    added = operator.add_caller(
        "a-broker",
        *("--role", "broker", "--scope", "notices:write", "--scope", "notices:read", "--valid-from", "2026-01-01"),
        *("--valid-until", "2996-12-31", "--grant", f"{CODE}:48,47", "--grant", f"{CODE}:49", "--grant", "*:01"),
    )

    shown = operator.read("callers", "show", "a-broker")

    assert shown == {name: value for name, value in added.items() if name != "key"}
    assert shown == {
        "name": "a-broker",
        "role": "broker",
        "scopes": ["notices:read", "notices:write"],
        "grants": {"*": ["01"], CODE: ["47", "48", "49"]},
        "validFrom": "2025-12-31T23:00:00.000Z",
        "validUntil": "2996-12-31T23:00:00.000Z",
        "valid": True,
        "keys": [{"id": key_hash(added["key"])[:12], "expiresAt": None, "live": True}],
    }


def test_a_caller_is_shown_to_people_as_a_table(operator: Operator) -> None:
    operator.add_institution()
    added = operator.add_caller("an-ec", "--grant", f"{CODE}:47,48", "--grant", "*:*", "--valid-until", "2996-12-31")

    shown = operator.ask("callers", "show", "an-ec").stdout

    assert shown == (
        "name    an-ec\n"
        "role    creditor_institution\n"
        "scopes  notices:write\n"
        "grants  *: *\n"
        f"        {CODE}: 47, 48\n"
        "valid   yes, until 2997-01-01 00:00:00+01:00\n"
        f"keys    {added['keys'][0]['id']}, live\n"
    )


def test_callers_are_listed_by_name(operator: Operator) -> None:
    operator.add_caller("the-platform", "--role", "platform", "--grant", "*:*")
    many = [option for serial in range(4) for option in ("--grant", f"{serial:011}:47")]
    operator.add_caller("a-broker", "--role", "broker", *many, "--valid-until", "2026-01-01")

    assert rows(operator.ask("callers", "list").stdout) == [
        ["a-broker", "broker", "4", "not now", "1"],
        ["the-platform", "platform", "*", "yes", "1"],
    ]
    assert [caller["name"] for caller in operator.read("callers", "list")["items"]] == ["a-broker", "the-platform"]


def test_every_fault_of_a_caller_is_told_at_once(operator: Operator) -> None:
    faults = operator.refused(
        *("callers", "add", "An EC", "--role", "archive", "--scope", "notices:erase", "--grant", CODE),
        *("--grant", "123:47", "--grant", f"{CODE}:4", "--grant", f"{CODE}:", "--valid-until", "tomorrow"),
        exit_code=2,
    )

    assert faults.splitlines() == [
        "NAME 'An EC' must be 1 to 50 of a-z 0-9 . _ - and begin with a letter or digit.",
        "--role 'archive' must be one of creditor_institution, broker, platform.",
        "--scope 'notices:erase' must be one of notices:write, notices:read, stand-in:read, debtors:read.",
        f"--grant '{CODE}' must be written EC:CODE,CODE or EC:*, such as 15376371009:47,48.",
        "--grant '123:47' must be 11 digits: it has 3 digits.",
        f"--grant '{CODE}:4' must name segregation codes of two digits.",
        f"--grant '{CODE}:' must name segregation codes of two digits.",
        "--valid-until 'tomorrow' must be a day such as 2026-12-16, or a date-time such as 2026-12-16T10:00:00+01:00:"
        " year, month and day come first, with hyphens between them.",
    ]
    assert not operator.data.exists()


def test_a_caller_cannot_cease_to_be_valid_before_it_begins(operator: Operator) -> None:
    operator.add_caller("an-ec", "--valid-from", "2026-06-01")

    refusal = operator.refused("callers", "change", "an-ec", "--valid-until", "2026-05-31", exit_code=2)

    assert refusal == "The access would end before it starts.\n"
    assert operator.read("callers", "change", "an-ec", "--valid-until", "2026-06-01")["valid"] is False


def test_a_caller_that_is_registered_is_not_registered_again(operator: Operator) -> None:
    operator.add_caller()
    before = operator.read("callers", "show", "an-ec")

    refusal = operator.refused(
        *("callers", "add", "an-ec", "--role", "broker", "--scope", "notices:read", "--grant", "*:*")
    )

    assert refusal.startswith("an-ec is already registered. `callers change an-ec`")
    assert operator.read("callers", "show", "an-ec") == before


def test_a_grant_for_an_institution_nobody_registered_is_warned_of_and_kept(operator: Operator) -> None:
    operator.add_institution()

    said = operator.ask(
        *("callers", "add", "a-broker", "--role", "broker", "--scope", "notices:write"),
        *("--grant", f"{CODE}:47", "--grant", "22222222222:47", "--grant", "*:01"),
    )

    assert said.stderr == "22222222222 is not registered yet. Until then, calls for it are answered 404.\n"
    assert set(operator.read("callers", "show", "a-broker")["grants"]) == {"*", CODE, "22222222222"}


def test_a_change_names_what_changes_and_the_rest_stays(operator: Operator) -> None:
    operator.add_caller()
    before = operator.read("callers", "show", "an-ec")

    steps = {
        "role": operator.read("callers", "change", "an-ec", "--role", "broker"),
        "scopes": operator.read("callers", "change", "an-ec", "--add-scope", "notices:read"),
        "grants": operator.read("callers", "change", "an-ec", "--add-grant", "22222222222:47"),
        "validFrom": operator.read("callers", "change", "an-ec", "--valid-from", "2026-01-01"),
        "validUntil": operator.read("callers", "change", "an-ec", "--valid-until", "2996-12-31"),
    }

    for field, after in steps.items():
        assert [name for name in after if after[name] != before[name]] == [field]
        before = after


def test_a_limit_of_time_is_taken_away_with_none(operator: Operator) -> None:
    operator.add_caller("an-ec", "--valid-from", "2026-01-01", "--valid-until", "2026-01-31")

    changed = operator.read("callers", "change", "an-ec", "--valid-from", "none", "--valid-until", "none")

    assert (changed["validFrom"], changed["validUntil"], changed["valid"]) == (None, None, True)


@pytest.mark.parametrize(
    ("options", "grants"),
    [
        (["--add-grant", f"{CODE}:49"], {CODE: ["47", "48", "49"]}),
        (["--add-grant", f"{CODE}:*"], {CODE: ["*"]}),
        (["--remove-grant", f"{CODE}:47"], {CODE: ["48"]}),
        (["--remove-grant", f"{CODE}:47,48"], {}),
        (["--remove-grant", CODE], {}),
        (["--remove-grant", f"{CODE}:*"], {}),
        (["--add-grant", f"{CODE}:01", "--remove-grant", CODE], {CODE: ["01"]}),
    ],
)
def test_grants_are_added_and_removed_by_institution_and_code(
    options: list[str], grants: dict[str, list[str]], operator: Operator
) -> None:
    operator.add_caller("an-ec", "--grant", f"{CODE}:47,48")

    assert operator.read("callers", "change", "an-ec", *options)["grants"] == grants


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--remove-grant", f"{CODE}:47"], f"This grant for {CODE} cannot be removed. Its grant is: {CODE}:*."),
        (["--remove-grant", "22222222222"], "This grant for 22222222222 cannot be removed. Its grant is: none."),
        (
            ["--remove-scope", "debtors:read"],
            "an-ec does not have the scope debtors:read. `callers show an-ec` shows its scopes.",
        ),
    ],
)
def test_what_was_not_granted_is_not_taken_away(options: list[str], sentence: str, operator: Operator) -> None:
    operator.add_caller()
    before = operator.read("callers", "show", "an-ec")

    assert operator.refused("callers", "change", "an-ec", "--role", "broker", *options) == f"{sentence}\n"
    assert operator.read("callers", "show", "an-ec") == before


def test_removals_come_before_additions_so_one_command_replaces(operator: Operator) -> None:
    operator.add_caller("an-ec", "--grant", f"{CODE}:47,48")

    changed = operator.read(
        *("callers", "change", "an-ec", "--add-scope", "notices:write", "--remove-scope", "notices:write"),
        *("--add-grant", f"{CODE}:47", "--remove-grant", f"{CODE}:47,48"),
    )

    assert (changed["scopes"], changed["grants"]) == (["notices:write"], {CODE: ["47"]})


def test_the_callers_that_may_call_for_an_institution_are_listed_with_its_codes(operator: Operator) -> None:
    operator.add_institution()
    operator.add_caller("a-broker", "--role", "broker", "--grant", f"{CODE}:47,48", "--grant", "22222222222:49")
    operator.add_caller("another", "--role", "broker", "--grant", "22222222222:*")
    operator.add_caller("of-one-code", "--role", "broker", "--grant", "*:49", "--valid-until", "2026-01-01")
    operator.add_caller("the-platform", "--role", "platform", "--grant", "*:*")

    listed = operator.ask("callers", "list", "--institution", CODE)

    assert listed.stderr == ""
    assert listed.stdout.splitlines()[0].split() == ["name", "role", "codes", "valid", "live", "keys"]
    assert rows(listed.stdout) == [
        ["a-broker", "broker", "47, 48", "yes", "1"],
        ["of-one-code", "broker", "49", "not now", "1"],
        ["the-platform", "platform", "*", "yes", "1"],
    ]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("47", ["a-broker", "the-platform"]),
        ("49", ["of-one-code", "the-platform"]),
        ("50", ["the-platform"]),
    ],
)
def test_the_callers_that_may_call_for_a_segregation_code_are_listed(
    code: str, names: list[str], operator: Operator
) -> None:
    operator.add_institution()
    operator.add_caller("a-broker", "--role", "broker", "--grant", f"{CODE}:47,48")
    operator.add_caller("of-one-code", "--role", "broker", "--grant", "*:49")
    operator.add_caller("the-platform", "--role", "platform", "--grant", "*:*")

    listed = operator.read("callers", "list", "--institution", CODE, "--code", code)

    assert [caller["name"] for caller in listed["items"]] == names


def test_of_an_institution_that_is_not_registered_the_callers_are_listed_with_a_warning(operator: Operator) -> None:
    operator.add_caller()

    listed = operator.ask("callers", "list", "--institution", CODE)

    assert listed.stderr == f"{CODE} is not registered yet. Until then, calls for it are answered 404.\n"
    assert [row[0] for row in rows(listed.stdout)] == ["an-ec"]


def test_every_fault_of_a_question_about_callers_is_told_at_once(operator: Operator) -> None:
    refusals = operator.refused("callers", "list", "--code", "4", exit_code=2)
    of_both = operator.refused("callers", "list", "--institution", "1", "--code", "4", exit_code=2)

    assert refusals.splitlines() == [
        "--code '4' must name segregation codes of two digits.",
        "--code needs --institution.",
    ]
    assert of_both.splitlines() == [
        "--institution '1' must be 11 digits: it has 1 digit.",
        "--code '4' must name segregation codes of two digits.",
    ]


def test_a_caller_that_can_do_nothing_any_more_is_warned_of(operator: Operator) -> None:
    operator.add_caller()

    said = operator.ask(
        *("callers", "change", "an-ec", "--remove-grant", CODE, "--remove-scope", "notices:write"),
        *("--valid-until", "2026-01-01"),
    )

    assert said.stderr == (
        "an-ec has no grant: it cannot call for any institution.\n"
        "an-ec has no scope: it cannot send any request.\n"
        "an-ec has expired: its keys are not accepted.\n"
    )


def test_the_keys_of_a_caller_that_was_removed_open_nothing(operator: Operator) -> None:
    added = operator.add_caller()

    removed = operator.ask("callers", "remove", "an-ec", "--yes")

    assert removed.stdout == "Removed an-ec. A running archive sees it within 60 seconds.\n"
    assert (
        operator.refused("callers", "show", "an-ec")
        == "an-ec is not registered. `callers list` shows the registered callers.\n"
    )
    assert holder(operator.data, added["key"]) is None


@pytest.mark.parametrize("command", [["show"], ["change", "--role", "broker"], ["remove", "--yes"]])
def test_a_caller_nobody_registered_is_not_found(command: list[str], operator: Operator) -> None:
    operator.add_institution()

    verb, *options = command

    sentence = operator.refused("callers", verb, "nobody", *options)
    assert sentence == "nobody is not registered. `callers list` shows the registered callers.\n"
    assert "NAME" in operator.refused("callers", verb, "\udc80", *options, exit_code=2)
