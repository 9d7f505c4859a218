"""`events`: tail shows what a subscription holds, resend sends again what was recorded, gaps lists the unreadable."""

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from local.cosmos import make_containers, start_double
from shared import bootstrap
from shared.bootstrap import Application, utc_now
from shared.domain.dates import decode_instant, format_instant, in_rome
from shared.domain.notice import Address
from shared.messages import Message, subscription
from shared.ports import Gap
from shared.resend import Resend, resend
from shared.settings import CosmosStore, Settings
from tests.ops.command_line import CODE, Operator, rows, start
from tests.ops.embedded import Archive, a_message, publication, receipt
from tests.stores import COSMOS, SQLITE
from tests.support import DAY, HOUR, INSTITUTION, NOW, StillClock, a_number, a_publication, an_act

OTHER = "22222222222"
ESCAPES = "\x1b[2J\x07\x9b31m\u202e"
"""Texts that a terminal would obey."""


def sequence_ids(messages: list[Message]) -> list[str]:
    """Return the ids of the CloudEvents that messages carry."""
    return [json.loads(message.body)["id"] for message in messages]


def checkpoints(archive: Archive) -> list[Any]:
    """Return the stored places of the readers of the feed."""
    return list(archive.rows("SELECT id, document FROM checkpoints WHERE id NOT LIKE 'gap:%'"))


class TestTail:
    """Shows the last events that a subscription holds."""

    def test_the_events_of_a_subscription_are_shown_oldest_first_and_stay_there(
        self, operator: Operator, archive: Archive
    ) -> None:
        archive.publish(1, 2)
        before = archive.held("all")

        shown = rows(operator.ask("events", "tail").stdout)

        assert [row[2:] for row in shown] == [
            ["it.pagopa.notice.published.v1", f"{CODE}/{a_number(serial)}", "1", "ACTIVE"] for serial in (1, 2)
        ]
        assert archive.held("all") == before == [f"{CODE}.{a_number(serial)}.1" for serial in (1, 2)]

    def test_json_has_the_whole_event_with_its_properties(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1)

        (item,) = operator.read("events", "tail")["items"]

        assert list(item) == ["position", "messageId", "enqueuedAt", "properties", "event"]
        assert item["messageId"] == item["event"]["id"] == f"{CODE}.{a_number(1)}.1"
        assert item["properties"]["status"] == item["event"]["data"]["statusAfter"] == "ACTIVE"

    def test_a_subscription_without_events_is_an_empty_list(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1)

        assert operator.ask("events", "tail", "--subscription", "customer-care").stdout == "None.\n"
        assert operator.read("events", "tail", "--subscription", "customer-care") == {"items": []}

    def test_of_many_events_the_last_are_shown(self, operator: Operator, archive: Archive) -> None:
        archive.publish(*range(1, 26))

        def numbers(*options: str) -> list[str]:
            return [
                item["event"]["data"]["noticeNumber"] for item in operator.read("events", "tail", *options)["items"]
            ]

        assert numbers("-n", "2") == numbers("--limit", "2") == [a_number(24), a_number(25)]
        assert numbers() == [a_number(serial) for serial in range(6, 26)]
        assert len(numbers("-n", "1000")) == 25

    def test_more_events_than_a_page_of_the_bus_are_all_seen(self, operator: Operator, archive: Archive) -> None:
        archive.emit(*(a_message(f"message-{n}", b"{}", type="any") for n in range(230)))

        found = operator.read("events", "tail", "-n", "1000")["items"]

        assert [item["messageId"] for item in found] == [f"message-{n}" for n in range(230)]

    def test_another_subscription_shows_what_its_filter_admits(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1)
        archive.send(receipt(1), receipt(1, receiptId="another") | {"id": "another"})
        archive.consume()
        archive.relay()

        shown = rows(operator.ask("events", "tail", "--subscription", "customer-care").stdout)

        assert [row[2:] for row in shown] == [
            ["it.pagopa.notice.paid.v1", f"{CODE}/{a_number(1)}", "3", "PAID", "paid_twice"]
        ]

    def test_only_events_after_a_position_are_shown(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1, 2, 3)
        first, *others = operator.read("events", "tail")["items"]

        assert operator.read("events", "tail", "--after", str(first["position"]))["items"] == others
        assert operator.read("events", "tail", "--after", str(others[-1]["position"]))["items"] == []

    @pytest.mark.parametrize("position", ["-1", str(2**63), "9" * 40])
    def test_a_position_that_cannot_be_is_refused(self, position: str, operator: Operator, archive: Archive) -> None:
        refusal = operator.refused("events", "tail", f"--after={position}", exit_code=2)

        assert refusal.startswith("Invalid value for '--after'")

    def test_a_subscription_that_is_not_there_is_refused(self, operator: Operator, archive: Archive) -> None:
        refusal = operator.refused("events", "tail", "--subscription", "nobody", exit_code=2)

        assert refusal == "--subscription 'nobody' must be one of all, customer-care, stand-in.\n"

    @pytest.mark.parametrize("body", [b"no JSON", b"\xff\xfe", b"[1]", b"{}", b'{"type": 5, "sequence": null}'])
    def test_a_message_that_is_no_event_is_shown_all_the_same(
        self, body: bytes, operator: Operator, archive: Archive
    ) -> None:
        archive.emit(a_message("strange", body, type="strange"))

        (item,) = operator.read("events", "tail")["items"]

        assert item["messageId"] == "strange"
        assert len(rows(operator.ask("events", "tail").stdout)) == 1

    def test_no_text_of_a_message_commands_the_terminal(self, operator: Operator, archive: Archive) -> None:
        body = json.dumps({"type": ESCAPES, "subject": ESCAPES}).encode()
        archive.emit(a_message(f"strange{ESCAPES}", body, status=ESCAPES))

        table, data = operator.ask("events", "tail").stdout, operator.ask("events", "tail", "--json").stdout

        assert [character for character in table + data if not character.isprintable() and character != "\n"] == []
        assert json.loads(data)["items"][0]["event"]["type"] == ESCAPES

    def test_an_archive_that_is_not_there_is_named(self, operator: Operator) -> None:
        for command in (
            ["events", "tail"],
            ["events", "gaps"],
            ["events", "resend", "--from", "2026-01-01", "--to", "2026-01-02", "--yes"],
        ):
            assert operator.refused(*command).startswith(f"There is no archive in {operator.data}. ")
        assert not operator.data.exists()

    def test_a_bus_that_does_not_answer_is_named(self, operator: Operator, archive: Archive) -> None:
        archive.execute("DROP TABLE deliveries")

        assert operator.refused("events", "tail", exit_code=3) == (
            "The bus does not answer (BusUnavailable caused by StoreUnavailable caused by "
            "OperationalError(SQLITE_ERROR)). A repetition does no harm.\n"
        )

    def test_an_archive_whose_settings_name_no_bus_says_so(self, operator: Operator, tmp_path: Path) -> None:
        account = start_double(tmp_path / "cosmos.db")

        said = operator.ask("events", "tail", exit_code=2, env={"COSMOS": account})

        assert said.stderr == "No bus is named: set SERVICEBUS__fullyQualifiedNamespace or SERVICEBUS.\n"


class TestFollow:
    """Shows each new event, until the operator ends it."""

    @contextmanager
    def following(self, archive: Archive, *options: str) -> Iterator["Popen[str]"]:
        """Yield a process that follows a subscription."""
        process = start(archive.file.parent, "events", "tail", "--follow", *options)
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def test_new_events_appear_until_ctrl_c_which_is_a_success(self, archive: Archive) -> None:
        archive.publish(1)
        with self.following(archive) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            head, first = process.stdout.readline(), process.stdout.readline()

            archive.publish(2)

            second = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert (process.wait(20), process.stdout.read(), process.stderr.read()) == (0, "", "")
        assert head.split()[:2] == ["position", "sent"]
        assert (a_number(1) in first, a_number(2) in second) == (True, True)

    def test_where_there_is_no_event_yet_only_the_head_is_shown(self, archive: Archive) -> None:
        with self.following(archive) as process:
            assert process.stdout is not None
            head = process.stdout.readline()

            archive.publish(1)

            first = process.stdout.readline()
        assert (head.split()[0], a_number(1) in first) == ("position", True)

    def test_only_events_after_a_position_appear(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1, 2)
        last = operator.read("events", "tail")["items"][-1]["position"]
        with self.following(archive, "--after", str(last)) as process:
            assert process.stdout is not None
            process.stdout.readline()  # the head

            archive.publish(3)

            assert a_number(3) in process.stdout.readline()

    def test_json_is_one_event_a_line_also_where_it_began_with_none(self, archive: Archive) -> None:
        with self.following(archive, "--json") as process:
            assert process.stdout is not None

            archive.publish(1)
            first = json.loads(process.stdout.readline())
            archive.publish(2)
            second = json.loads(process.stdout.readline())

            process.terminate()
            assert (process.wait(20), process.stdout.read()) == (-signal.SIGTERM, "")
        assert [each["event"]["data"]["noticeNumber"] for each in (first, second)] == [a_number(1), a_number(2)]

    def test_json_of_the_events_before_is_also_one_a_line(self, archive: Archive) -> None:
        archive.publish(1, 2, 3)
        with self.following(archive, "--json", "-n", "2") as process:
            assert process.stdout is not None

            shown = [json.loads(process.stdout.readline()) for _ in range(2)]

        assert [each["event"]["data"]["noticeNumber"] for each in shown] == [a_number(2), a_number(3)]

    def test_a_reader_that_goes_away_is_no_error(self, archive: Archive) -> None:
        archive.publish(1)
        with self.following(archive) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()

            archive.publish(2)

            assert process.stderr.read() == ""
            process.wait(20)
            process.stdout = None  # It is closed, so nothing more can be read.


class TestResend:
    """Sends again the events that were recorded in a given time."""

    @pytest.fixture
    def three_days(self, archive: Archive) -> Archive:
        """Return an archive whose topic is empty, with an event of each of three days: 1 two days ago … 3 today."""
        for serial, age in enumerate((2 * DAY, DAY, timedelta(0)), start=1):
            archive.publish(serial, age=age)
        for name in ("all", "stand-in"):
            archive.drain(subscription(name))
        return archive

    def day(self, days_ago: int) -> str:
        """Return a day in Rome."""
        return in_rome(utc_now() - days_ago * DAY).date().isoformat()

    def at(self, ago: timedelta) -> str:
        """Return a date-time."""
        return format_instant(utc_now() - ago)

    def test_no_event_overtakes_the_relay(self, operator: Operator, three_days: Archive) -> None:
        three_days.send(publication(4, at=utc_now() - DAY), age=DAY)
        assert three_days.consume(DAY) == ["applied"]  # and the relay has not sent it

        said = operator.ask("events", "resend", "--from", self.day(3), "--to", self.day(0), "--yes")

        assert said.stdout == "Resent 2.\n"
        assert said.stderr.startswith("The relay has not sent the events since ")

    def test_the_events_of_a_time_are_sent_with_new_message_ids_and_their_own_event_ids(
        self, operator: Operator, three_days: Archive
    ) -> None:
        before = checkpoints(three_days)

        said = operator.ask("events", "resend", "--from", self.day(2), "--to", self.day(0), "--yes")

        assert (said.stdout, said.stderr) == ("Resent 3.\n", "")
        sent = three_days.drain(subscription("all"))
        ids = [f"{CODE}.{a_number(serial)}.1" for serial in (1, 2, 3)]
        assert sequence_ids(sent) == ids
        (serial,) = {message.id.rpartition(":s")[2] for message in sent}
        assert serial.isdigit()
        assert [message.id for message in sent] == [f"{event_id}:s{serial}" for event_id in ids]
        assert len(three_days.held("stand-in")) == 3
        assert checkpoints(three_days) == before
        assert three_days.relay() == 0

    @pytest.mark.parametrize(
        ("since", "until", "serials"),
        [(2, 2, [1]), (2, 1, [1, 2]), (1, 1, [2]), (1, 0, [2, 3]), (0, 0, [3]), (9, 3, [])],
    )
    def test_a_day_at_either_end_is_included(
        self, since: int, until: int, serials: list[int], operator: Operator, three_days: Archive
    ) -> None:
        operator.ask("events", "resend", "--from", self.day(since), "--to", self.day(until), "--yes")

        sent = sequence_ids(three_days.drain(subscription("all")))
        assert sent == [f"{CODE}.{a_number(serial)}.1" for serial in serials]

    def test_of_date_times_the_first_is_included_and_the_last_is_not(
        self, operator: Operator, three_days: Archive
    ) -> None:
        (document,) = three_days.rows(f"SELECT document FROM events WHERE number = '{a_number(2)}'")
        recorded = json.loads(document[0])["recordedAt"]

        def count(since: str, until: str) -> str:
            return operator.ask("events", "resend", "--from", since, "--to", until, "--dry-run").stdout

        assert count(recorded, self.at(HOUR)) == "Would resend 1.\n"
        assert count(self.at(3 * DAY), recorded) == "Would resend 1.\n"
        assert count(self.at(3 * DAY), self.at(HOUR)) == "Would resend 2.\n"

    def test_one_subscription_gets_them_and_the_others_do_not(self, operator: Operator, three_days: Archive) -> None:
        operator.ask("events", "resend", "--from", self.day(2), "--to", self.day(0), "--subscription", "stand-in")

        sent = three_days.drain(subscription("stand-in"))
        assert {message.properties["replayFor"] for message in sent} == {"stand-in"}
        assert (len(sent), three_days.held("all")) == (3, [])

    def test_a_subscription_gets_only_the_events_of_its_filter(self, operator: Operator, three_days: Archive) -> None:
        operator.ask("events", "resend", "--from", self.day(2), "--to", self.day(0), "--subscription", "customer-care")

        assert three_days.held("customer-care") == three_days.held("all") == []

    def test_the_events_of_one_institution_are_sent(self, operator: Operator, three_days: Archive) -> None:
        operator.add_institution(OTHER)
        three_days.publish(7, code=OTHER)
        three_days.drain(subscription("all"))

        operator.ask("events", "resend", "--from", self.day(2), "--to", self.day(0), "--institution", OTHER, "--yes")

        assert sequence_ids(three_days.drain(subscription("all"))) == [f"{OTHER}.{a_number(7)}.1"]

    @pytest.mark.parametrize("ends", [("2000-01-01", "9999-12-31"), ("2000-01-01T00:00:00Z", "9999-12-31T23:59:59Z")])
    def test_all_of_time_is_everything(self, ends: tuple[str, str], operator: Operator, three_days: Archive) -> None:
        said = operator.ask("events", "resend", "--from", ends[0], "--to", ends[1], "--dry-run").stdout

        assert said == "Would resend 3.\n"

    def test_a_second_resend_is_not_taken_for_the_first(self, operator: Operator, three_days: Archive) -> None:
        command = ("events", "resend", "--from", self.day(0), "--to", self.day(0), "--yes")

        operator.ask(*command, "--subscription", "all")
        operator.ask(*command, "--subscription", "stand-in")
        operator.ask(*command)

        assert [len(three_days.held(name)) for name in ("all", "stand-in")] == [2, 2]

    def test_a_dry_run_counts_and_sends_and_records_nothing(self, operator: Operator, three_days: Archive) -> None:
        before = operator.read("audit")

        said = operator.ask("events", "resend", "--from", self.day(2), "--to", self.day(0), "--dry-run").stdout

        assert said == "Would resend 3.\n"
        assert three_days.held("all") == []
        assert operator.read("audit") == before

    def test_it_is_recorded_with_what_was_chosen(self, operator: Operator, three_days: Archive) -> None:
        operator.ask(
            *("events", "resend", "--from", "2026-01-01", "--to", "2026-01-31"),
            *("--subscription", "all", "--institution", CODE),
        )
        operator.ask("events", "resend", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T01:00:00Z", "--yes")

        plain, chosen = operator.read("audit", "--messages")["items"]
        assert (chosen["action"], chosen["message"]) == ("resent", "notice-events")
        assert {name: each["to"] for name, each in chosen["fields"].items()} == {
            "from": "2025-12-31T23:00:00.000Z",
            "to": "2026-01-31T23:00:00.000Z",
            "subscription": "all",
            "institution": CODE,
        }
        assert set(plain["fields"]) == {"from", "to"}

    @pytest.mark.parametrize(
        ("options", "refusal"),
        [
            (["--from", "2026-02-02", "--to", "2026-02-01"], "--from must be before --to.\n"),
            (
                ["--from", "2026-02-01T10:00:00Z", "--to", "2026-02-01T10:00:00Z"],
                "--from must be before --to.\n",
            ),
            (["--from", "none", "--to", "2026-02-01"], "--from and --to must be a day or a date-time.\n"),
            (["--from", "2026-02-01", "--to", "none"], "--from and --to must be a day or a date-time.\n"),
            (["--from", "2026-02-01"], "Missing option '--to'.\n"),
            ([], "Missing option '--from'.\nMissing option '--to'.\n"),
            (
                ["--from", "2026-02-01", "--to", "2026-02-02", "--subscription", "x", "--institution", "1"],
                "--subscription 'x' must be one of all, customer-care, stand-in.\n"
                "--institution '1' must be 11 digits: it has 1 digit.\n",
            ),
        ],
    )
    def test_what_is_not_understood_is_refused(
        self, options: list[str], refusal: str, operator: Operator, archive: Archive
    ) -> None:
        assert operator.refused("events", "resend", *options, exit_code=2) == refusal

    def test_sending_to_every_subscription_needs_a_confirmation(self, operator: Operator, three_days: Archive) -> None:
        command = ("events", "resend", "--from", self.day(2), "--to", self.day(0))

        refusal = operator.refused(*command, exit_code=2)

        assert refusal == "This cannot be undone, and there is no terminal to ask: add --yes.\n"
        assert three_days.held("all") == []
        assert operator.ask(*command, "--subscription", "all").stdout == "Resent 3.\n"

    @pytest.mark.parametrize("damage", ["not JSON", "no field", "a time without offset"])
    def test_a_damaged_event_in_between_is_left_out(self, damage: str, operator: Operator, three_days: Archive) -> None:
        (row,) = three_days.rows(f"SELECT document FROM events WHERE number = '{a_number(2)}'")
        document = json.loads(row[0])
        broken = {
            "not JSON": b"{",
            "no field": b"{}",
            "a time without offset": json.dumps(document | {"recordedAt": document["recordedAt"][:-1]}).encode(),
        }
        three_days.damage(2, broken[damage])

        said = operator.ask("events", "resend", "--from", self.day(2), "--to", self.day(0), "--yes").stdout

        assert said == "Resent 2.\n"
        assert sequence_ids(three_days.drain(subscription("all"))) == [
            f"{CODE}.{a_number(serial)}.1" for serial in (1, 3)
        ]

    def test_more_events_than_a_page_of_the_feed_are_all_sent(self, operator: Operator, archive: Archive) -> None:
        archive.publish(*range(1, 251))
        archive.drain(subscription("all"))

        said = operator.ask("events", "resend", "--from", self.day(0), "--to", self.day(0), "--yes").stdout

        assert said == "Resent 250.\n"
        assert len(archive.held("all")) == 250

    @pytest.mark.parametrize("kept_in", [SQLITE, COSMOS], indirect=True)
    async def test_it_ends_although_new_events_come_all_the_time(
        self, application: Application, clock: StillClock
    ) -> None:
        async def publish(serial: int) -> None:
            institution = await application.archive.registry.institution(INSTITUTION)
            publication = a_publication(Address(INSTITUTION, a_number(serial)))
            await application.archive.publish(publication, institution, an_act(clock.now))
            clock.advance(HOUR)

        for serial in range(10):
            await publish(serial)
        wanted = Resend(NOW + 2 * HOUR, NOW + 5 * HOUR, serial=1, began=clock.now)

        counts = [0]
        async for sent, _ in resend(application.feed, None, wanted):
            counts.append(sent)
            assert len(counts) < 50, "It does not end."
            await publish(10 + len(counts))

        assert counts[-1] == 3

    def test_a_store_that_does_not_answer_is_named(self, operator: Operator, archive: Archive) -> None:
        archive.execute("DROP TABLE events")

        refusal = operator.refused("events", "resend", "--from", self.day(0), "--to", self.day(0), "--yes", exit_code=3)

        assert refusal.startswith("The store does not answer (StoreUnavailable caused by OperationalError")


class TestGaps:
    """Lists the events that the relay could not read."""

    def test_an_archive_without_gaps_has_an_empty_list(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1)

        assert operator.ask("events", "gaps").stdout == "None.\n"
        assert operator.read("events", "gaps") == {"items": []}

    def test_the_gaps_of_cosmos_db_are_listed_too(self, operator: Operator, tmp_path: Path) -> None:
        account = start_double(tmp_path / "cosmos.db")
        settings = Settings.from_environment({"COSMOS": account})
        assert isinstance(settings.store, CosmosStore)
        asyncio.run(make_containers(settings.store))
        gap = Gap(CODE, a_number(1), 3, "JSONDecodeError", utc_now())

        async def keep() -> None:
            await bootstrap.open_application(settings).feed.keep_gap(gap)
            await bootstrap.close()

        asyncio.run(keep())

        ((*shown, _, _),) = rows(operator.ask("events", "gaps", env={"COSMOS": account}).stdout)
        assert shown == [CODE, a_number(1), "3"]

    def test_a_damaged_event_is_listed_once_the_relay_met_it(self, operator: Operator, archive: Archive) -> None:
        began = utc_now()
        archive.send(*({**receipt(serial)} for serial in (1, 2)))
        archive.consume()
        archive.damage(1)
        archive.relay()

        (item,) = operator.read("events", "gaps")["items"]

        assert began <= decode_instant(item["foundAt"]) <= utc_now()
        assert item == {
            "id": f"{CODE}.{a_number(1)}.1",
            "institution": CODE,
            "noticeNumber": a_number(1),
            "sequence": 1,
            "foundAt": item["foundAt"],
            "error": "JSONDecodeError",
        }
        ((institution, number, sequence, _, error),) = rows(operator.ask("events", "gaps").stdout)
        assert [institution, number, sequence, error] == [CODE, a_number(1), "1", "JSONDecodeError"]

    def test_subscribers_see_a_gap_with_the_sequence_of_the_event(self, operator: Operator, archive: Archive) -> None:
        archive.send(receipt(1))
        archive.consume()
        archive.damage(1)
        archive.relay()

        ((_, _, *shown),) = rows(operator.ask("events", "tail").stdout)

        assert shown == ["it.pagopa.notice.gap.v1", f"{CODE}/{a_number(1)}", "1"]

    def test_a_store_that_does_not_answer_is_named(self, operator: Operator, archive: Archive) -> None:
        archive.execute("DROP TABLE checkpoints")

        assert operator.refused("events", "gaps", exit_code=3).startswith("The store does not answer (")
