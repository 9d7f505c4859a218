"""`dead-letters`: list and show take nothing, replay sends again and is safe to repeat, discard removes."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

import pytest

from shared.bootstrap import Application, utc_now
from shared.dead_letters import DeadLetter, Filter, find, send_again, take
from shared.domain.dates import decode_instant
from shared.messages import INBOUND_EVENTS, INBOUND_REJECTED, Message, QueuedMessage, subscription
from tests.ops.command_line import CODE, Operator, rows, start
from tests.ops.embedded import ATTEMPTS, UNREGISTERED, Archive, event, publication, receipt, without_number
from tests.ops.terminal import Terminal
from tests.server import PATIENCE, running
from tests.support import DAY, HOUR, NOW, SECOND, a_number

MINUTE = timedelta(minutes=1)
REMEMBERED = 1.1
"""Seconds for which a running archive remembers that an institution is not registered."""
ESCAPES = "\x1b[2J\x1b]0;title\x07\x9b31m\x7f\u202e\r"
"""Texts that a terminal would obey."""


def ids(operator: Operator, *options: str) -> list[str]:
    """Return the ids of the dead letters that a list has."""
    return [item["id"] for item in operator.read("dead-letters", "list", *options)["items"]]


def messages(operator: Operator, *options: str) -> list[str]:
    """Return the ids of the messages of the dead letters that a list has."""
    return [item["messageId"] for item in operator.read("dead-letters", "list", *options)["items"]]


def did(operator: Operator) -> list[dict[str, Any]]:
    """Return what was done with messages, oldest first, with the fields as plain values."""
    items = operator.read("audit", "--messages")["items"]
    return [
        {"action": item["action"], "message": item["message"]}
        | {name: field["to"] for name, field in item["fields"].items()}
        for item in reversed(items)
    ]


def unreadable(text: str) -> list[str]:
    """Return the characters of an output that a terminal would obey or not show."""
    return [character for character in text if not character.isprintable() and character != "\n"]


def until(condition: Callable[[], bool]) -> None:
    """Return when a running archive has done what the condition says."""
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline, "The archive does not do it."
        sleep(0.1)


@pytest.fixture
def rejected(archive: Archive) -> Archive:
    """Return an archive that rejected four events: of three days ago, of a day ago, and two of now."""
    archive.reject(receipt(1, amount=0), age=3 * DAY)
    archive.reject(publication(2, UNREGISTERED), age=DAY)
    archive.reject(publication(3, amount=0), b"no JSON")
    return archive


ALL_REJECTED = [f"paid-{CODE}-1", f"publish-{UNREGISTERED}-2", f"publish-{CODE}-3", "no-event-1"]


class TestList:
    """Lists the dead letters."""

    def test_an_archive_without_dead_letters_has_an_empty_list(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1)

        assert operator.ask("dead-letters", "list").stdout == "None.\n"
        assert operator.read("dead-letters", "list") == {"items": [], "more": False}

    def test_rejected_events_are_listed_oldest_first_and_stay_there(
        self, operator: Operator, rejected: Archive
    ) -> None:
        before = rejected.ids(INBOUND_REJECTED)

        shown = rows(operator.ask("dead-letters", "list").stdout)

        assert [row[2:] for row in shown] == [
            ["invalid_data", "paid", CODE, ALL_REJECTED[0]],
            ["unknown_institution", "publish", UNREGISTERED, ALL_REJECTED[1]],
            ["invalid_data", "publish", CODE, ALL_REJECTED[2]],
            ["malformed", "no-event-1"],
        ]
        assert {row[0].partition(":")[0] for row in shown} == {"rejected"}
        assert rejected.ids(INBOUND_REJECTED) == before == ALL_REJECTED

    def test_json_names_everything_but_the_body(self, operator: Operator, rejected: Archive) -> None:
        item = operator.read("dead-letters", "list")["items"][0]

        assert item == {
            "id": item["id"],
            "source": "rejected",
            "since": item["since"],
            "reason": "invalid_data",
            "description": item["description"],
            "type": "paid",
            "institution": CODE,
            "messageId": ALL_REJECTED[0],
            "deliveries": 0,
        }
        assert item["description"].startswith("data.amount: ")
        assert timedelta(0) <= utc_now() - 3 * DAY - decode_instant(item["since"]) < HOUR

    def test_an_event_that_failed_at_every_attempt_is_listed(self, operator: Operator, archive: Archive) -> None:
        archive.send(event("cancel", 1))
        ends = archive.fail_to_apply()

        (item,) = operator.read("dead-letters", "list")["items"]

        assert ends == [["NotApplied"]] * ATTEMPTS
        assert (item["source"], item["reason"]) == ("inbound", "MaxDeliveryCountExceeded")
        assert (item["type"], item["deliveries"]) == ("cancel", ATTEMPTS)

    def test_an_event_that_nobody_took_in_its_time_is_listed_and_can_be_replayed(
        self, operator: Operator, archive: Archive
    ) -> None:
        archive.send(publication(1), age=15 * DAY)
        assert archive.consume() == []

        (item,) = operator.read("dead-letters", "list")["items"]
        operator.ask("dead-letters", "replay", item["id"], "--yes")

        assert (item["source"], item["reason"], item["deliveries"]) == ("inbound", "TTLExpiredException", 0)
        assert archive.consume() == ["applied"]

    @pytest.mark.parametrize(
        "body", [b"null", b"5", b'"text"', b"[1]", b"{}", b'{"type": {}, "subject": 5}', b'{"subject": "1/2"}', b"\xff"]
    )
    def test_of_a_body_that_names_no_event_neither_type_nor_institution_is_shown(
        self, body: bytes, operator: Operator, archive: Archive
    ) -> None:
        archive.reject(body)

        (item,) = operator.read("dead-letters", "list")["items"]

        assert (item["reason"], item["type"], item["institution"]) == ("malformed", None, None)
        assert rows(operator.ask("dead-letters", "list").stdout)[0][2:] == ["malformed", "no-event-0"]

    def test_the_reason_of_the_bus_comes_before_a_property_of_the_producer(
        self, operator: Operator, archive: Archive
    ) -> None:
        body = json.dumps(event("cancel", 1)).encode()
        archive.put(Message("early", body, {"reason": "the producer's", "description": "the producer's"}))
        archive.fail(INBOUND_EVENTS)

        (item,) = operator.read("dead-letters", "list")["items"]

        assert (item["reason"], item["description"]) == ("MaxDeliveryCountExceeded", "The message failed 10 times.")

    def test_an_event_that_a_subscriber_did_not_take_is_listed_for_it_alone(
        self, operator: Operator, archive: Archive
    ) -> None:
        archive.publish(1)
        archive.fail(subscription("stand-in"))

        (item,) = operator.read("dead-letters", "list")["items"]

        assert (item["source"], item["type"], item["institution"]) == ("stand-in", "published", CODE)
        assert len(archive.held("all")) == 1

    def test_a_long_list_ends_at_the_limit_and_says_so(self, operator: Operator, archive: Archive) -> None:
        archive.reject(*(publication(serial, UNREGISTERED) for serial in range(105)))

        table, data = operator.ask("dead-letters", "list"), operator.read("dead-letters", "list")

        assert len(rows(table.stdout)) == len(data["items"]) == 100
        assert table.stderr == "There are more than 100. Use a filter, or --limit.\n"
        assert data["more"] is True
        assert operator.ask("dead-letters", "list", "--limit", "105").stderr == ""
        assert len(ids(operator, "--limit", "1000")) == 105
        assert operator.read("dead-letters", "list", "--limit", "105")["more"] is False


class TestFilters:
    """Each filter alone, and several together."""

    @pytest.mark.parametrize(
        ("options", "found"),
        [
            (["--reason", "invalid_data"], [0, 2]),
            (["--reason", "unknown_type"], []),
            (["--type", "publish"], [1, 2]),
            (["--type", "paid"], [0]),
            (["--type", "it.pagopa.notice.paid.v1"], [0]),
            (["--type", "it.pagopa"], []),
            (["--institution", UNREGISTERED], [1]),
            (["--institution", CODE], [0, 2]),
            (["--older-than", "2d"], [0]),
            (["--older-than", "12h"], [0, 1]),
            (["--older-than", "0m"], [0, 1, 2, 3]),
            (["--younger-than", "12h"], [2, 3]),
            (["--younger-than", "0m"], []),
            (["--older-than", "12h", "--younger-than", "2d"], [1]),
            (["--source", "rejected"], [0, 1, 2, 3]),
            (["--source", "inbound"], []),
            (["--source", "inbound", "--source", "rejected"], [0, 1, 2, 3]),
            (["--reason", "invalid_data", "--type", "publish"], [2]),
            (["--reason", "invalid_data", "--type", "publish", "--older-than", "1h"], []),
            (["--source", "rejected", "--institution", CODE, "--younger-than", "4d", "--type", "paid"], [0]),
        ],
    )
    def test_a_filter_admits_what_it_names(
        self, options: list[str], found: list[int], operator: Operator, rejected: Archive
    ) -> None:
        assert messages(operator, *options) == [ALL_REJECTED[n] for n in found]

    def test_a_command_that_changes_something_takes_the_same_filters(
        self, operator: Operator, rejected: Archive
    ) -> None:
        said = operator.ask("dead-letters", "discard", "--reason", "invalid_data", "--type", "publish", "--yes").stdout

        assert said == "Discarded 1.\n"
        assert messages(operator) == [ALL_REJECTED[n] for n in (0, 1, 3)]

    def test_a_filter_of_no_age_discards_nothing(self, operator: Operator, rejected: Archive) -> None:
        options = ("--source", "rejected", "--younger-than", "0m", "--yes")

        assert operator.ask("dead-letters", "discard", *options).stdout == "None.\n"
        assert messages(operator) == ALL_REJECTED

    def test_the_first_moment_of_a_filter_is_included_and_the_last_is_not(self) -> None:
        letter = DeadLetter("rejected", QueuedMessage(INBOUND_REJECTED, 1, Message("event", b"{}"), NOW))

        assert Filter(since=NOW).admits(letter)
        assert not Filter(since=NOW + SECOND).admits(letter)
        assert Filter(until=NOW + SECOND).admits(letter)
        assert not Filter(until=NOW).admits(letter)

    def test_a_filter_narrows_the_ids_that_are_named(self, operator: Operator, rejected: Archive) -> None:
        first, second, *_ = ids(operator)

        refusal = operator.refused("dead-letters", "discard", first, second, "--type", "paid", "--yes")

        assert refusal == f"There is no dead letter {second}. `dead-letters list` shows them.\n"
        assert messages(operator) == ALL_REJECTED

    def test_every_fault_is_told_at_once(self, operator: Operator, archive: Archive) -> None:
        faults = operator.refused(
            *("dead-letters", "replay", "rejected", "queue:1", "rejected:0", "--source", "nobody"),
            *("--institution", "1", "--older-than", "2 days", "--younger-than", "1w", "--yes"),
            exit_code=2,
        )

        an_id = "must be the id of a dead letter, as `dead-letters list` shows it: rejected:17."
        age = "must be days, hours or minutes, up to 400 days: 30d, 12h, 90m."
        assert faults.splitlines() == [
            "--source 'nobody' must be one of rejected, inbound, all, customer-care, stand-in.",
            *(f"ID '{text}' {an_id}" for text in ("rejected", "queue:1", "rejected:0")),
            "--institution '1' must be 11 digits: it has 1 digit.",
            f"--younger-than '1w' {age}",
            f"--older-than '2 days' {age}",
        ]


class TestShow:
    """Shows one dead letter with its body."""

    def test_a_dead_letter_is_shown_with_its_body(self, operator: Operator, rejected: Archive) -> None:
        letter_id = ids(operator)[0]

        shown, data = (
            operator.ask("dead-letters", "show", letter_id).stdout,
            operator.read("dead-letters", "show", letter_id),
        )

        assert data == operator.read("dead-letters", "list")["items"][0] | {"body": data["body"]}
        assert json.loads(data["body"])["id"] == ALL_REJECTED[0]
        assert shown.splitlines()[0].split() == ["id", letter_id]
        assert shown.splitlines()[-1].startswith(f'body         {{"specversion": "1.0", "id": "{ALL_REJECTED[0]}"')

    @pytest.mark.parametrize("letter_id", ["rejected:999", "inbound:1", "all:1"])
    def test_one_that_is_not_there_is_named(self, letter_id: str, operator: Operator, rejected: Archive) -> None:
        refusal = operator.refused("dead-letters", "show", letter_id)

        assert refusal == f"There is no dead letter {letter_id}. `dead-letters list` shows them.\n"

    def test_what_is_no_id_is_refused(self, operator: Operator, archive: Archive) -> None:
        assert "must be the id of a dead letter" in operator.refused("dead-letters", "show", "17", exit_code=2)

    @pytest.mark.parametrize(
        ("body", "shown"),
        [
            (b"no JSON", "no JSON"),
            (b"\xff\xfe{}", r"\xff\xfe{}"),
            (b"", ""),
            (b"[" * 5000, "[" * 5000),
            ("città".encode(), "città"),
        ],
    )
    def test_a_body_that_is_not_json_or_not_utf_8_is_shown(
        self, body: bytes, shown: str, operator: Operator, archive: Archive
    ) -> None:
        archive.reject(body)

        (letter_id,) = ids(operator)

        assert operator.read("dead-letters", "show", letter_id)["body"] == shown
        assert operator.ask("dead-letters", "show", letter_id).stdout.endswith(f"body         {shown}".rstrip() + "\n")

    def test_a_very_large_body_is_shown_whole_and_listed_like_any_other(
        self, operator: Operator, archive: Archive
    ) -> None:
        archive.reject(publication(1, description="x" * 2_000_000))

        (item,) = operator.read("dead-letters", "list")["items"]

        assert (item["reason"], item["type"]) == ("malformed", "publish")
        assert "x" * 2_000_000 in operator.ask("dead-letters", "show", item["id"]).stdout
        assert max(map(len, operator.ask("dead-letters", "list").stdout.splitlines())) < 200

    def test_a_very_large_body_is_shown_in_a_terminal(self, archive: Archive, operator: Operator) -> None:
        archive.reject(publication(1, description="x" * 1_000_000))
        (letter_id,) = ids(operator)

        shown = Terminal(operator.data, "dead-letters", "show", letter_id, COLUMNS="100").rest()

        assert shown.count("x") >= 1_000_000

    def test_no_text_of_a_message_commands_the_terminal(self, operator: Operator, archive: Archive) -> None:
        body = f'{{"subject": "{ESCAPES}"}}{ESCAPES}'.encode()
        archive.put(Message(f"strange{ESCAPES}", body, {"reason": ESCAPES}))
        assert archive.consume() == ["rejected"]
        (letter_id,) = ids(operator)

        outputs = [
            operator.ask("dead-letters", *command).stdout
            for command in (
                ("list",),
                ("list", "--json"),
                ("show", letter_id),
                ("show", letter_id, "--json"),
                ("replay", "--all", "--dry-run"),
                ("discard", letter_id, "--yes"),
            )
        ] + [operator.ask("audit").stdout, operator.ask("audit", "--json").stdout]

        assert [unreadable(output) for output in outputs] == [[]] * len(outputs)
        assert json.loads(outputs[1])["items"][0]["messageId"] == f"strange{ESCAPES}"
        assert json.loads(outputs[3])["body"] == body.decode()

    def test_the_lines_of_a_body_stay_lines(self, operator: Operator, archive: Archive) -> None:
        archive.reject(b"{\n\t1\n}")
        (letter_id,) = ids(operator)

        shown = operator.ask("dead-letters", "show", letter_id).stdout.splitlines()

        assert shown[-3:] == ["body         {", r"             \t1", "             }"]


class TestReplay:
    """Sends dead letters again."""

    def test_a_rejected_event_goes_back_to_the_archive_under_a_new_message_id(
        self, operator: Operator, archive: Archive
    ) -> None:
        archive.put(Message("publish-1", json.dumps(publication(1, UNREGISTERED)).encode(), {"of": "the producer"}))
        archive.consume()
        operator.add_institution(UNREGISTERED)

        said = operator.ask("dead-letters", "replay", *ids(operator), "--yes")

        assert (said.stdout, said.stderr) == ("Replayed 1.\n", "")
        assert archive.ids(INBOUND_EVENTS) == ["publish-1:r"]
        assert ids(operator) == []
        assert archive.consume() == ["applied"]

    def test_the_message_is_the_one_that_the_producer_sent(self, operator: Operator, archive: Archive) -> None:
        body = json.dumps(publication(1, UNREGISTERED)).encode()
        archive.put(Message("publish-1", body, {"of": "the producer"}, "a session", "application/json"))
        archive.consume()

        operator.ask("dead-letters", "replay", "--all", "--yes")

        [sent] = archive.drain(INBOUND_EVENTS)
        assert sent == Message(sent.id, body, {"of": "the producer"}, "a session", "application/json")

    def test_an_event_that_is_rejected_again_is_replayed_under_another_id(
        self, operator: Operator, archive: Archive
    ) -> None:
        archive.reject(publication(1, UNREGISTERED))
        for _ in range(3):
            operator.ask("dead-letters", "replay", "--source", "rejected", "--yes")
            assert archive.ids(INBOUND_EVENTS) == [f"publish-{UNREGISTERED}-1:r"]
            assert archive.consume() == ["rejected"]

        sent_as = [each["sentAs"] for each in did(operator)]
        assert len({*sent_as}) == 3
        assert all(re.fullmatch(f"publish-{UNREGISTERED}-1:r[0-9]{{1,6}}", each) for each in sent_as)

    @pytest.mark.parametrize(
        "given", ["event:r9", "event:s3", "event:r", ":r1", "a\nb:r1", "e" * 120, "e" * 120 + ":r1"]
    )
    def test_two_dead_letters_of_one_id_are_both_replayed(
        self, given: str, operator: Operator, archive: Archive
    ) -> None:
        for body, age in ((b"no JSON", 2 * HOUR), (b"no JSON either", 0 * HOUR)):
            archive.put(Message(given, body), age=age)
            assert archive.consume(age) == ["rejected"]

        said = operator.ask("dead-letters", "replay", "--all", "--yes").stdout

        assert said == "Replayed 2.\n"
        sent = archive.drain(INBOUND_EVENTS)
        assert [message.body for message in sent] == [b"no JSON", b"no JSON either"]
        assert all(len(message.id) <= 128 for message in sent)

    def test_an_event_that_failed_at_two_subscribers_is_replayed_to_both(
        self, operator: Operator, archive: Archive
    ) -> None:
        archive.publish(1)
        archive.fail(subscription("stand-in"))
        archive.fail(subscription("all"))

        operator.ask("dead-letters", "replay", "--all", "--yes")

        assert archive.held("stand-in") == archive.held("all") == [f"{CODE}.{a_number(1)}.1:r"]

    def test_an_event_that_failed_at_every_attempt_is_applied_once_its_notice_is_there(
        self, operator: Operator, archive: Archive
    ) -> None:
        archive.send(event("cancel", 1))
        archive.fail(INBOUND_EVENTS)
        archive.publish(1)

        operator.ask("dead-letters", "replay", "--source", "inbound", "--yes")

        assert archive.consume() == ["applied"]
        assert ids(operator) == []

    def test_the_dead_letter_of_a_subscriber_reaches_it_alone(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1)
        archive.fail(subscription("stand-in"))
        event_id = f"{CODE}.{a_number(1)}.1"

        operator.ask("dead-letters", "replay", "--source", "stand-in", "--yes")

        assert archive.held("all") == [event_id]
        (message,) = archive.drain(subscription("stand-in"))
        assert (without_number(message.id), message.properties["replayFor"]) == (f"{event_id}:r", "stand-in")
        assert json.loads(message.body)["id"] == event_id
        assert ids(operator) == []

    def test_a_replay_that_a_subscriber_does_not_take_either_is_replayed_to_it_again(
        self, operator: Operator, archive: Archive
    ) -> None:
        archive.publish(1)
        for _ in range(2):
            archive.fail(subscription("all"))
            operator.ask("dead-letters", "replay", "--source", "all", "--yes")
            assert archive.held("all") == [f"{CODE}.{a_number(1)}.1:r"]

        assert archive.held("stand-in") == [f"{CODE}.{a_number(1)}.1"]

    def test_events_with_an_anomaly_are_replayed_to_customer_care(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1)
        archive.send(receipt(1), receipt(1, receiptId="another") | {"id": "another"})
        archive.consume()
        archive.relay()
        archive.fail(subscription("customer-care"))

        others = (archive.held("all"), archive.held("stand-in"))

        operator.ask("dead-letters", "replay", "--source", "customer-care", "--yes")

        assert archive.held("customer-care") == [f"{CODE}.{a_number(1)}.3:r"]
        assert (archive.held("all"), archive.held("stand-in")) == others

    def test_a_dry_run_shows_them_and_changes_nothing(self, operator: Operator, rejected: Archive) -> None:
        said = operator.ask("dead-letters", "replay", "--reason", "invalid_data", "--dry-run").stdout

        assert [row[-1] for row in rows(said)[:-1]] == [ALL_REJECTED[0], ALL_REJECTED[2]]
        assert said.endswith("\nWould replay 2.\n")
        assert messages(operator) == ALL_REJECTED
        assert (rejected.ids(INBOUND_EVENTS), did(operator)) == ([], [])

    def test_a_dry_run_of_nothing_says_so(self, operator: Operator, archive: Archive) -> None:
        assert operator.ask("dead-letters", "replay", "--all", "--dry-run").stdout == "None.\nWould replay 0.\n"

    def test_where_there_is_none_nothing_is_asked_and_nothing_done(self, operator: Operator, archive: Archive) -> None:
        assert operator.ask("dead-letters", "replay", "--all", "--yes").stdout == "None.\n"
        assert did(operator) == []

    def test_each_is_recorded(self, operator: Operator, rejected: Archive) -> None:
        first, *_ = ids(operator)

        operator.ask("dead-letters", "replay", "--all", "--yes")

        recorded = did(operator)
        assert recorded[0] == {
            "action": "replayed",
            "message": ALL_REJECTED[0],
            "id": first,
            "reason": "invalid_data",
            "type": "paid",
            "sentAs": recorded[0]["sentAs"],
        }
        assert [each["message"] for each in recorded] == ALL_REJECTED
        assert "type" not in recorded[3]

    def test_one_that_cannot_be_sent_is_not_recorded(self, operator: Operator, rejected: Archive) -> None:
        rejected.execute(
            "CREATE TRIGGER full BEFORE INSERT ON messages"
            " BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END"
        )

        operator.refused("dead-letters", "replay", "--all", "--yes", exit_code=3)

        assert did(operator) == []
        assert rejected.ids(INBOUND_REJECTED) == ALL_REJECTED

    def test_one_hundred_and_more_are_replayed_at_once(self, operator: Operator, archive: Archive) -> None:
        archive.reject(*(publication(serial, UNREGISTERED) for serial in range(130)))

        assert operator.ask("dead-letters", "replay", "--all", "--yes").stdout == "Replayed 130.\n"
        assert len(archive.ids(INBOUND_EVENTS)) == len(operator.read("audit", "--messages", "--limit", "1000")["items"])

    def test_a_running_archive_applies_it_while_the_operator_goes_on(
        self, operator: Operator, archive: Archive
    ) -> None:
        with running(operator.data):
            archive.send(*(publication(serial, UNREGISTERED) for serial in range(20)))
            until(lambda: len(messages(operator)) == 20)
            operator.add_institution(UNREGISTERED)
            sleep(REMEMBERED)

            said = operator.ask("dead-letters", "replay", "--all", "--yes").stdout

            assert said == "Replayed 20.\n"
            until(lambda: len(operator.read("events", "tail")["items"]) == 20)
        assert (messages(operator), archive.ids(INBOUND_EVENTS)) == ([], [])


class TestDiscard:
    """Removes dead letters."""

    def test_a_discarded_dead_letter_is_gone_and_recorded(self, operator: Operator, rejected: Archive) -> None:
        _, second, *_ = ids(operator)

        said = operator.ask("dead-letters", "discard", second, "--yes").stdout

        assert said == "Discarded 1.\n"
        assert messages(operator) == [ALL_REJECTED[n] for n in (0, 2, 3)]
        assert rejected.ids(INBOUND_EVENTS) == []
        assert did(operator) == [
            {
                "action": "discarded",
                "message": ALL_REJECTED[1],
                "id": second,
                "reason": "unknown_institution",
                "type": "publish",
            }
        ]

    def test_that_of_a_subscriber_leaves_the_others_theirs(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1)
        for name in ("all", "stand-in"):
            archive.fail(subscription(name))

        operator.ask("dead-letters", "discard", "--source", "stand-in", "--yes")

        assert [each.partition(":")[0] for each in ids(operator)] == ["all"]
        assert "body" in operator.read("dead-letters", "show", *ids(operator))

    def test_a_dry_run_changes_nothing(self, operator: Operator, rejected: Archive) -> None:
        said = operator.ask("dead-letters", "discard", "--all", "--dry-run").stdout

        assert said.endswith("\nWould discard 4.\n")
        assert (messages(operator), did(operator)) == (ALL_REJECTED, [])


WORDS = {"replay": ("Replaying", "Replayed"), "discard": ("Discarding", "Discarded")}


@pytest.mark.parametrize("command", WORDS)
class TestBoth:
    """Holds for replay and for discard."""

    def test_without_a_choice_nothing_is_done(self, command: str, operator: Operator, rejected: Archive) -> None:
        refusal = operator.refused("dead-letters", command, "--yes", exit_code=2)

        assert refusal == "Name ids, or use a filter, or --all for every dead letter.\n"
        assert messages(operator) == ALL_REJECTED

    def test_with_two_choices_nothing_is_done(self, command: str, operator: Operator, rejected: Archive) -> None:
        refusal = operator.refused("dead-letters", command, ids(operator)[0], "--all", "--yes", exit_code=2)

        assert refusal == "Name ids, or --all, not both.\n"
        assert messages(operator) == ALL_REJECTED

    def test_where_nobody_can_be_asked_nothing_is_done(
        self, command: str, operator: Operator, rejected: Archive
    ) -> None:
        refusal = operator.refused("dead-letters", command, "--all", exit_code=2)

        assert refusal == "This cannot be undone, and there is no terminal to ask: add --yes.\n"
        assert messages(operator) == ALL_REJECTED

    def test_if_one_id_is_not_there_nothing_is_done(self, command: str, operator: Operator, rejected: Archive) -> None:
        first, *_ = ids(operator)

        refusal = operator.refused("dead-letters", command, "rejected:998", first, "inbound:999", "--yes")

        assert refusal == "There is no dead letter inbound:999, rejected:998. `dead-letters list` shows them.\n"
        assert (messages(operator), did(operator)) == (ALL_REJECTED, [])

    @pytest.mark.parametrize(("answer", "left"), [("y", 2), ("n", 4), ("", 4)])
    def test_in_a_terminal_the_operator_is_asked(
        self, command: str, answer: str, left: int, operator: Operator, rejected: Archive
    ) -> None:
        terminal = Terminal(operator.data, "dead-letters", command, "--reason", "invalid_data")

        question = terminal.read_until("[y/N]: ")
        terminal.type(answer)
        rest = terminal.rest()

        assert f"{command.capitalize()} 2 dead letters?" in question
        assert (f"{WORDS[command][1]} 2.\n" if left == 2 else "Nothing was done.") in rest
        assert len(messages(operator)) == left
        assert len(did(operator)) == 4 - left

    def test_in_a_terminal_the_progress_is_shown(self, command: str, operator: Operator, rejected: Archive) -> None:
        shown = Terminal(operator.data, "dead-letters", command, "--all", "--yes", COLUMNS="100").rest()

        assert WORDS[command][0] in shown
        assert "100%" in shown

    def test_if_it_is_stopped_the_operator_is_not_assured_that_nothing_was_done(
        self, command: str, operator: Operator, archive: Archive
    ) -> None:
        archive.reject(*(publication(serial, UNREGISTERED) for serial in range(1000)))
        before = set(archive.ids(INBOUND_REJECTED))
        terminal = Terminal(operator.data, "dead-letters", command, "--all", "--yes", COLUMNS="100")

        terminal.read_until("Replaying" if command == "replay" else "Discarding")
        # A look through the command line would take longer than the rest of the work.
        while archive.rows("SELECT count(*) FROM deliveries WHERE queue = 'inbound-rejected'") == [(1000,)]:
            pass
        terminal.press("\x03")
        rest = terminal.rest()

        assert "Stopped. Before you repeat a change, look in `audit` whether it was made." in rest
        assert "Nothing was done" not in rest
        assert terminal.process.returncode == 1
        left = set(archive.ids(INBOUND_REJECTED))
        assert 0 < len(left) < 1000
        recorded = {item["message"] for item in operator.read("audit", "--messages", "--limit", "10000")["items"]}
        assert left | recorded == before
        if command == "replay":
            assert left | {name.removesuffix(":r") for name in archive.ids(INBOUND_EVENTS)} == before

    def test_one_that_vanishes_while_the_operator_is_asked_is_named(
        self, command: str, operator: Operator, rejected: Archive
    ) -> None:
        first, *_ = ids(operator)
        terminal = Terminal(operator.data, "dead-letters", command, "--reason", "invalid_data")
        terminal.read_until("[y/N]: ")

        operator.ask("dead-letters", "discard", first, "--yes")
        terminal.type("y")
        rest = terminal.rest()

        assert f"{WORDS[command][1]} 1.\n" in rest
        assert "1 of them is gone, or in the hands of another operator." in rest
        assert terminal.process.returncode == 1
        assert [each["message"] for each in did(operator)] == [ALL_REJECTED[0], ALL_REJECTED[2]]

    def test_of_operators_at_once_exactly_one_does_it(self, command: str, operator: Operator, archive: Archive) -> None:
        archive.reject(publication(1, UNREGISTERED))
        (letter_id,) = ids(operator)
        processes = [start(operator.data, "dead-letters", command, letter_id, "--yes") for _ in range(3)]

        said = [process.communicate(timeout=60) for process in processes]

        assert sorted(process.returncode for process in processes) == [0, 1, 1], said
        assert "Traceback" not in str(said)
        assert len(did(operator)) == 1
        assert len(archive.ids(INBOUND_EVENTS)) == (1 if command == "replay" else 0)
        assert ids(operator) == []

    def test_a_bus_that_does_not_answer_is_named(self, command: str, operator: Operator, rejected: Archive) -> None:
        rejected.execute("DROP TABLE messages")

        refusal = operator.refused("dead-letters", command, "--all", "--yes", exit_code=3)

        assert refusal.startswith("The bus does not answer (BusUnavailable caused by StoreUnavailable")

    def test_what_cannot_be_recorded_stays_a_dead_letter(
        self, command: str, operator: Operator, rejected: Archive
    ) -> None:
        rejected.execute("DROP TABLE registry")

        refusal = operator.refused("dead-letters", command, "--all", "--yes", exit_code=3)

        assert refusal.startswith("The store does not answer (")
        assert rejected.ids(INBOUND_REJECTED) == ALL_REJECTED

    def test_an_archive_that_is_not_there_is_named(self, command: str, operator: Operator) -> None:
        refusal = operator.refused("dead-letters", command, "--all", "--yes")

        assert refusal.startswith(f"There is no archive in {operator.data}. ")
        assert not operator.data.exists()


def test_of_a_replay_and_a_discard_at_once_one_is_done(operator: Operator, archive: Archive) -> None:
    archive.reject(publication(1, UNREGISTERED))
    commands = ["replay", "discard"]
    processes = [start(operator.data, "dead-letters", command, "--all", "--yes") for command in commands]

    said = [process.communicate(timeout=60) for process in processes]

    assert "Traceback" not in str(said)
    (done,) = did(operator)
    assert archive.ids(INBOUND_EVENTS) == ([f"publish-{UNREGISTERED}-1:r"] if done["action"] == "replayed" else [])
    assert ids(operator) == []


class TestRepetition:
    """A replay may be repeated, also where an earlier one broke off between the send and the removal."""

    @staticmethod
    def break_off(archive: Archive, ago: timedelta) -> None:
        """Send the first dead letter again and end before it is removed, as a process that is killed then."""

        async def step(application: Application) -> None:
            assert application.bus is not None
            letters = [letter async for letter in find(application.bus, Filter())]
            taken = take(application.bus, letters)
            await send_again(application.bus, await anext(taken))

        archive.run(step, age=ago)

    def test_an_inbound_event_is_swallowed_as_a_duplicate_and_its_dead_letter_is_removed(
        self, operator: Operator, archive: Archive
    ) -> None:
        archive.reject(publication(1, UNREGISTERED), age=HOUR)
        self.break_off(archive, 2 * MINUTE)
        assert archive.ids(INBOUND_EVENTS) == [f"publish-{UNREGISTERED}-1:r"]
        assert len(ids(operator)) == 1

        said = operator.ask("dead-letters", "replay", "--all", "--yes").stdout

        assert said == "Replayed 1.\n"
        assert archive.ids(INBOUND_EVENTS) == [f"publish-{UNREGISTERED}-1:r"]
        assert ids(operator) == []

    def test_also_when_the_first_replay_was_applied_meanwhile(self, operator: Operator, archive: Archive) -> None:
        archive.reject(publication(1, UNREGISTERED), age=HOUR)
        operator.add_institution(UNREGISTERED)
        self.break_off(archive, 2 * MINUTE)
        assert archive.consume() == ["applied"]

        operator.ask("dead-letters", "replay", "--all", "--yes")

        assert (archive.consume(), ids(operator)) == ([], [])

    def test_after_the_hour_of_duplicate_detection_the_archive_itself_recognises_it(
        self, operator: Operator, archive: Archive
    ) -> None:
        archive.reject(publication(1, UNREGISTERED), age=4 * HOUR)
        operator.add_institution(UNREGISTERED)
        self.break_off(archive, 3 * HOUR)
        assert archive.consume() == ["applied"]

        operator.ask("dead-letters", "replay", "--all", "--yes")

        assert (archive.consume(), ids(operator)) == (["repeated"], [])

    def test_the_event_of_a_subscriber_is_swallowed_too(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1, age=HOUR)
        archive.fail(subscription("stand-in"))
        self.break_off(archive, 2 * MINUTE)

        operator.ask("dead-letters", "replay", "--all", "--yes")

        assert archive.held("stand-in") == [f"{CODE}.{a_number(1)}.1:r"]
        assert ids(operator) == []

    def test_within_a_minute_it_is_still_in_the_hands_of_the_first(self, operator: Operator, archive: Archive) -> None:
        archive.reject(publication(1, UNREGISTERED))
        self.break_off(archive, timedelta(0))

        said = operator.ask("dead-letters", "replay", "--all", "--yes", exit_code=1)

        assert said.stdout == "Replayed 0.\n"
        assert said.stderr == (
            "1 of them is gone, or in the hands of another operator. `dead-letters list` shows those that are left.\n"
        )
        assert len(ids(operator)) == 1
