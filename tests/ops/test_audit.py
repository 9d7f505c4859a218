"""Each change is listed with who made it, when, and what it changed, but never with a key."""

import asyncio
import json
import os
import pwd
import re
import socket
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from local.cosmos import make_containers, start_double
from ops.audit import PAGE
from ops.operator import current_operator
from shared.auth import key_hash
from shared.bootstrap import utc_now
from shared.domain.dates import decode_instant
from shared.settings import CosmosStore, Settings
from tests.ops.command_line import CODE, IBAN, POSTAL_IBAN, Operator, rows, start

OTHER = "22222222222"
ME = {"user": pwd.getpwuid(os.getuid()).pw_name, "machine": socket.gethostname(), "identity": None}

CHANGES: dict[str, tuple[str, ...]] = {
    "institutions add": (OTHER, "--name", "another"),
    "institutions change": (CODE, "--lenient"),
    "institutions remove": (CODE, "--yes"),
    "callers add": ("another", "--role", "broker", "--scope", "notices:read", "--grant", f"{CODE}:47"),
    "callers change": ("an-ec", "--add-scope", "notices:read"),
    "callers remove": ("an-ec", "--yes"),
    "keys rotate": ("an-ec",),
    "keys revoke": ("an-ec", "KEYID", "--yes"),
}


@pytest.fixture
def key(operator: Operator) -> str:
    """Return the key of a caller of an institution, both registered."""
    operator.add_institution()
    return str(operator.add_caller()["key"])


@pytest.mark.parametrize("command", CHANGES)
def test_each_command_that_changes_something_is_recorded_as_the_operators(
    command: str, operator: Operator, key: str
) -> None:
    before = operator.read("audit")["items"]
    began = utc_now()
    arguments = [key_hash(key)[:12] if argument == "KEYID" else argument for argument in CHANGES[command]]

    operator.ask(*command.split(), *arguments)

    new, *old = operator.read("audit")["items"]
    assert old == before
    assert new["by"] == ME
    assert began <= decode_instant(new["at"]) <= utc_now()
    changed = {"add": "added", "remove": "removed"}.get(command.split()[1], "changed")
    name = CHANGES[command][0]
    of = "institution" if command.startswith("institutions") else "caller"
    assert (new["action"], new[of], len(new["fields"]) > 0) == (changed, name, True)


def test_the_commands_that_change_something_are_all_tested(operator: Operator) -> None:
    looking = {"show", "list", "find"}
    commands = {
        f"{group} {match[1]}"
        for group in ("institutions", "callers", "keys")
        for match in re.finditer(
            r"^  ([a-z]+) ", re.split("Commands:|Exit codes:", operator.ask(group, "--help").stdout)[1], re.MULTILINE
        )
        if match[1] not in looking
    }

    assert commands == set(CHANGES)


def test_a_record_says_what_was_changed_from_what_to_what(operator: Operator, key: str) -> None:
    operator.ask("institutions", "change", CODE, "--name", "Città di Esempio", "--stand-in")
    operator.ask("callers", "change", "an-ec", "--add-grant", f"{OTHER}:47")

    callers, institutions, *_ = operator.read("audit")["items"]

    assert institutions == {
        "id": institutions["id"],
        "at": institutions["at"],
        "by": ME,
        "action": "changed",
        "institution": CODE,
        "caller": None,
        "message": None,
        "reader": None,
        "fields": {
            "name": {"from": "Comune di Esempio", "to": "Città di Esempio"},
            "standIn": {"from": False, "to": True},
        },
    }
    assert (callers["institution"], callers["caller"]) == (None, "an-ec")
    assert callers["fields"] == {"grants": {"from": {}, "to": {OTHER: ["47"]}}}


def test_no_record_holds_a_key_or_its_hash(operator: Operator, key: str) -> None:
    new = operator.read("keys", "rotate", "an-ec")["key"]
    operator.ask("keys", "revoke", "an-ec", key_hash(key)[:12], "--yes")
    operator.ask("callers", "remove", "an-ec", "--yes")

    said = operator.ask("audit", "--json").stdout + operator.ask("audit").stdout

    for each in (key, new):
        assert key_hash(each)[:12] in said
        assert key_hash(each)[:13] not in said
        assert each not in said


@pytest.mark.parametrize(
    "command",
    [
        ("institutions", "add", CODE, "--name", "another"),
        ("institutions", "change", OTHER, "--lenient"),
        ("institutions", "change", CODE, "--remove-iban", POSTAL_IBAN),
        ("callers", "add", "an-ec", "--role", "broker", "--scope", "notices:read", "--grant", "*:*"),
        ("callers", "remove", "nobody", "--yes"),
        ("keys", "revoke", "an-ec", "0123456789ab", "--yes"),
    ],
)
def test_what_was_refused_is_not_recorded(command: tuple[str, ...], operator: Operator, key: str) -> None:
    before = operator.read("audit")

    operator.refused(*command)

    assert operator.read("audit") == before


def test_what_changed_nothing_is_not_recorded(operator: Operator, key: str) -> None:
    before = operator.read("audit")

    operator.ask("institutions", "change", CODE, "--strict")
    operator.ask("callers", "change", "an-ec", "--add-scope", "notices:write")

    assert operator.read("audit") == before


def test_changes_are_shown_to_people_as_a_table_the_newest_first(operator: Operator, key: str) -> None:
    key_id = key_hash(key)[:12]
    operator.ask("institutions", "change", CODE, "--lenient", "--remove-iban", IBAN, "--add-iban", f"{POSTAL_IBAN}:CUP")
    operator.ask("institutions", "change", CODE, "--add-exclusion", "47:2026-01-01")
    operator.ask("callers", "change", "an-ec", "--remove-grant", CODE, "--add-grant", f"{OTHER}:47,48")
    operator.ask("keys", "revoke", "an-ec", key_id, "--yes")
    operator.ask("callers", "remove", "an-ec", "--yes")

    shown = rows(operator.ask("audit").stdout)

    who = f"{ME['user']}@{ME['machine']}"
    assert [row[1:] for row in shown] == [
        [who, "removed caller an-ec"],
        [who, "changed caller an-ec", f"keys - {key_id}"],
        [who, "changed caller an-ec", f"grants {CODE}: * → none, {OTHER}: none → 47,48"],
        [who, f"changed institution {CODE}", "exclusions + 47 from 2026-01-01"],
        [who, f"changed institution {CODE}", f"ibans - {IBAN} ACA + {POSTAL_IBAN} CUP; lenient no → yes"],
        [
            *(who, "added caller an-ec"),
            f"grants {CODE}: *; keys {key_id}; role creditor_institution; scopes notices:write",
        ],
        [who, f"added institution {CODE}", f"ibans {IBAN} ACA; name Comune di Esempio"],
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+0[12]:00", shown[0][0])


def test_changes_are_found_by_institution_and_by_caller_also_when_they_were_removed(
    operator: Operator, key: str
) -> None:
    operator.add_institution(OTHER)
    operator.add_caller("another")
    operator.ask("institutions", "remove", OTHER, "--yes")
    operator.ask("callers", "remove", "another", "--yes")

    institutions = operator.read("audit", "--institution", OTHER)["items"]
    callers = operator.read("audit", "--caller", "another")["items"]

    assert [(each["action"], each["institution"]) for each in institutions] == [("removed", OTHER), ("added", OTHER)]
    assert [(each["action"], each["caller"]) for each in callers] == [("removed", "another"), ("added", "another")]
    assert operator.ask("audit", "--caller", "nobody").stdout == "None.\n"
    assert operator.read("audit", "--caller", "nobody") == {"items": [], "next": None}


def test_changes_are_found_by_time(operator: Operator, key: str) -> None:
    caller, institution = operator.read("audit")["items"]
    tomorrow = (utc_now() + timedelta(days=2)).date().isoformat()

    def found(*options: str) -> list[str]:
        return [each["id"] for each in operator.read("audit", *options)["items"]]

    assert found("--since", caller["at"]) == [caller["id"]]
    assert found("--until", caller["at"]) == [institution["id"]]
    assert found("--since", tomorrow) == found("--until", "2026-01-01") == []
    assert found("--since", "2026-01-01", "--until", tomorrow) == [caller["id"], institution["id"]]


def test_a_long_list_is_read_on_where_it_ended(operator: Operator) -> None:
    for serial in range(5):
        operator.add_institution(f"{serial:011}")
    every = [each["id"] for each in operator.read("audit")["items"]]

    first = operator.read("audit", "--limit", "2")
    second = operator.read("audit", "--limit", "2", "--older-than", first["next"])
    third = operator.read("audit", "--limit", "2", "--older-than", second["next"])

    assert [each["id"] for page in (first, second, third) for each in page["items"]] == every
    assert (len(every), third["next"]) == (5, None)
    shown = operator.ask("audit", "--limit", "2")
    assert len(rows(shown.stdout)) == 2
    assert shown.stderr == f"There are older changes. --older-than {first['next']} lists them.\n"
    assert operator.ask("audit", "--limit", "5").stderr == ""


def test_every_fault_of_a_question_is_told_at_once(operator: Operator) -> None:
    faults = operator.refused(
        *("audit", "--institution", "1", "--caller", "an-ec", "--since", "yesterday", "--until", "2026-02-30"),
        *("--older-than", "the last one"),
        exit_code=2,
    )

    assert faults.splitlines() == [
        "Use only one of --institution, --caller and --messages.",
        "--institution '1' must be 11 digits: it has 1 digit.",
        "--since 'yesterday' must be a day such as 2026-12-16, or a date-time such as 2026-12-16T10:00:00+01:00:"
        " year, month and day come first, with hyphens between them.",
        "--until '2026-02-30' must be a day such as 2026-12-16, or a date-time such as 2026-12-16T10:00:00+01:00:"
        " the month has no such day.",
        "--older-than 'the last one' must be the id of a change, as `audit` shows it.",
    ]


def test_of_operators_who_rotate_at_once_one_succeeds_and_is_recorded(operator: Operator, key: str) -> None:
    processes = [start(operator.data, "keys", "rotate", "an-ec") for _ in range(3)]

    said = [process.communicate(timeout=60) for process in processes]

    assert sorted(process.returncode for process in processes) == [0, 1, 1], said
    assert len(operator.read("keys", "list", "an-ec")["items"]) == 2
    assert [each["action"] for each in operator.read("audit", "--caller", "an-ec")["items"]] == ["changed", "added"]


def test_in_cosmos_db_a_record_names_how_the_operator_was_let_in(operator: Operator, tmp_path: Path) -> None:
    account = start_double(tmp_path / "cosmos.db")
    settings = Settings.from_environment({"COSMOS": account})
    assert isinstance(settings.store, CosmosStore)
    asyncio.run(make_containers(settings.store))

    operator.ask("institutions", "add", CODE, "--name", "Comune di Esempio", "--iban", IBAN, env={"COSMOS": account})

    (added,) = json.loads(operator.ask("audit", "--json", env={"COSMOS": account}).stdout)["items"]
    assert (added["by"], added["institution"]) == ({**ME, "identity": "account key"}, CODE)
    assert f"{ME['user']}@{ME['machine']}, account key" in operator.ask("audit", env={"COSMOS": account}).stdout


@pytest.mark.parametrize(
    ("client_id", "identity"),
    [("0f0f", "managed identity 0f0f"), (None, "managed identity of the machine")],
)
def test_a_managed_identity_is_named_by_its_client_id(client_id: str | None, identity: str) -> None:
    settings = Settings(CosmosStore("https://archive.documents.azure.com/", "archive", client_id=client_id))

    assert current_operator(settings).identity == identity


class TestMessages:
    """What operators did with messages is in the same list."""

    @pytest.fixture
    def sent(self, operator: Operator, key: str, tmp_path: Path) -> list[str]:
        """Return the ids of three events that the operator sent, one after the other."""
        file = tmp_path / "event.json"
        for serial in range(3):
            file.write_text(json.dumps({"id": f"event-{serial}"}), encoding="utf-8")
            operator.ask("send", str(file))
        return [f"event-{serial}" for serial in range(3)]

    def test_a_message_is_named_with_what_was_done_with_it(self, operator: Operator, sent: list[str]) -> None:
        newest, *_ = operator.read("audit")["items"]

        assert newest == {
            "id": newest["id"],
            "at": newest["at"],
            "by": ME,
            "action": "sent",
            "institution": None,
            "caller": None,
            "message": sent[-1],
            "reader": None,
            "fields": {"queue": {"from": None, "to": "inbound-events"}},
        }
        who = f"{ME['user']}@{ME['machine']}"
        assert rows(operator.ask("audit").stdout)[0][1:] == [who, "sent message event-2", "queue inbound-events"]

    def test_only_what_was_done_with_messages_is_listed_if_asked(self, operator: Operator, sent: list[str]) -> None:
        operator.ask("institutions", "change", CODE, "--lenient")

        items = operator.read("audit", "--messages")["items"]

        assert [item["message"] for item in items] == [*reversed(sent)]
        assert len(rows(operator.ask("audit", "--messages").stdout)) == 3
        assert len(operator.read("audit")["items"]) == 6

    def test_a_long_list_of_messages_is_read_on_where_it_ended(self, operator: Operator, sent: list[str]) -> None:
        operator.ask("institutions", "change", CODE, "--lenient")

        first = operator.read("audit", "--messages", "--limit", "2")
        operator.ask("institutions", "change", CODE, "--strict")
        second = operator.read("audit", "--messages", "--limit", "2", "--older-than", first["next"])

        assert [item["message"] for page in (first, second) for item in page["items"]] == [*reversed(sent)]
        assert second["next"] is None

    def test_messages_are_found_by_time(self, operator: Operator, sent: list[str]) -> None:
        second = operator.read("audit", "--messages")["items"][1]

        since = operator.read("audit", "--messages", "--since", second["at"])["items"]
        until = operator.read("audit", "--messages", "--until", second["at"])["items"]

        assert [item["message"] for item in (*since, *until)] == [*reversed(sent)]

    def test_among_more_changes_than_a_page_a_message_is_found(self, operator: Operator, sent: list[str]) -> None:
        with closing(sqlite3.connect(operator.data / "archive.db")) as db, db:
            (document,) = db.execute("SELECT document FROM registry WHERE id LIKE 'change:%' ORDER BY id").fetchone()
            for n in range(PAGE + 1):
                name = f"change:9999-01-01T00:00:{n % 60:02}.{n % 1000:03}Z-{n:08x}"
                db.execute(
                    "INSERT INTO registry VALUES (?, ?)", (name, json.dumps(json.loads(document) | {"id": name}))
                )

        items = operator.read("audit", "--messages")["items"]

        assert [item["message"] for item in items] == [*reversed(sent)]

    def test_an_archive_in_which_nothing_was_done_with_messages_has_an_empty_list(
        self, operator: Operator, key: str
    ) -> None:
        assert operator.ask("audit", "--messages").stdout == "None.\n"
        assert operator.read("audit", "--messages") == {"items": [], "next": None}

    @pytest.mark.parametrize("other", [("--institution", CODE), ("--caller", "an-ec")])
    def test_it_is_not_combined_with_an_entry(self, other: tuple[str, str], operator: Operator, key: str) -> None:
        refusal = operator.refused("audit", "--messages", *other, exit_code=2)

        assert refusal == "Use only one of --institution, --caller and --messages.\n"
