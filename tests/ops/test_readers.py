"""`readers`: how far the readers of the feed are, and how they are reset after a restore."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from local.cosmos import make_containers, start_double
from shared import bootstrap
from shared.ports import ChangeFeed, FeedPlace
from shared.settings import CosmosStore, Settings
from tests.ops.command_line import Operator, rows
from tests.ops.embedded import Archive
from tests.support import HOUR, a_number, a_publication, an_act, an_institution


class TestList:
    """Shows since when the oldest event waits."""

    def test_a_reader_that_is_behind_shows_since_when(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1, 2, age=HOUR)  # the relay has run, project_debtors has not

        relay, debtors = rows(operator.ask("readers", "list").stdout)

        assert relay == ["relay_events", "nothing waits", "0"]
        assert (debtors[0], 3600 <= int(debtors[-1]) < 3700) == ("project_debtors", True)

    def test_json_has_the_time(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1)

        relay, debtors = operator.read("readers", "list")["items"]

        assert relay == {"reader": "relay_events", "waitingSince": None}
        assert debtors["waitingSince"].endswith("Z")


class TestReset:
    """Lets a reader go on at the beginning or at the end."""

    def test_at_the_beginning_the_relay_sends_every_event_again(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1, 2)
        archive.drain("notice-events/all")
        archive.execute("DELETE FROM message_ids")

        assert operator.ask("readers", "reset", "relay_events", "--to", "beginning", "--yes").stdout == (
            "Reset relay_events to the beginning.\n"
        )

        assert archive.relay() == 2

    def test_at_the_end_what_waits_is_left_out_and_what_comes_later_is_sent(
        self, operator: Operator, archive: Archive
    ) -> None:
        archive.publish(1)
        operator.ask("readers", "reset", "relay_events", "--to", "beginning", "--yes")

        answer = operator.ask("readers", "reset", "relay_events", "--to", "end", "--yes")

        assert answer.stdout == "Reset relay_events to the end.\n"
        assert "`events resend` can send them" in answer.stderr
        assert archive.relay() == 0
        archive.publish(2)
        assert [name.split(".")[1] for name in archive.held("all")] == [a_number(1), a_number(2)]

    def test_a_place_that_the_feed_does_not_understand_is_replaced(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1)
        archive.execute("UPDATE checkpoints SET document = json_set(document, '$.token', '999999')")

        operator.ask("readers", "reset", "relay_events", "--to", "end", "--yes")
        archive.publish(2)

        assert len(archive.held("all")) == 2

    def test_it_is_written_down_who_did_it(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1)

        operator.ask("readers", "reset", "project_debtors", "--to", "end", "--yes")

        [record] = [item for item in operator.read("audit")["items"] if item["reader"]]
        assert (record["action"], record["reader"]) == ("reset", "project_debtors")
        assert record["fields"] == {"to": {"from": None, "to": "end"}}
        assert "reset reader project_debtors" in operator.ask("audit").stdout

    def test_it_is_written_down_before_it_is_done(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1)
        archive.execute("DROP TABLE checkpoints")

        operator.ask("readers", "reset", "relay_events", "--to", "beginning", "--yes", exit_code=3)

        [record] = [item for item in operator.read("audit")["items"] if item["reader"]]
        assert (record["action"], record["reader"]) == ("reset", "relay_events")

    def test_without_a_terminal_it_wants_yes(self, operator: Operator, archive: Archive) -> None:
        archive.publish(1)

        assert "--yes" in operator.refused("readers", "reset", "relay_events", "--to", "end", exit_code=2)

    @pytest.mark.parametrize(
        "command", [("relay", "--to", "end"), ("relay_events", "--to", "start"), ("relay_events",)]
    )
    def test_what_is_not_understood_is_refused(
        self, operator: Operator, archive: Archive, command: tuple[str, ...]
    ) -> None:
        archive.publish(1)

        operator.refused("readers", "reset", *command, "--yes", exit_code=2)


def test_in_cosmos_db_the_place_of_another_account_is_replaced(operator: Operator, tmp_path: Path) -> None:
    here, there = (start_double(tmp_path / name) for name in ("here.db", "there.db"))

    async def end(feed: ChangeFeed) -> FeedPlace:
        [place] = await feed.places("relay_events")
        return (await feed.read(place)).place

    of_another = run_in(there, end)
    run_in(here, lambda feed: feed.keep(of_another))
    assert "The store does not answer" in operator.ask("readers", "list", env={"COSMOS": here}, exit_code=3).stderr

    operator.ask("readers", "reset", "relay_events", "--to", "end", "--yes", env={"COSMOS": here})

    shown = operator.ask("readers", "list", env={"COSMOS": here}).stdout
    assert rows(shown)[0] == ["relay_events", "nothing waits", "0"]


def run_in(account: str, step: Callable[[ChangeFeed], Awaitable[FeedPlace]]) -> FeedPlace:
    """Return the result of a step on the feed of an account that has one notice."""
    settings = Settings.from_environment({"COSMOS": account})
    assert isinstance(settings.store, CosmosStore)
    store = settings.store

    async def run() -> FeedPlace:
        await make_containers(store)
        application = bootstrap.open_application(settings)
        try:
            await application.archive.publish(a_publication(), an_institution(), an_act())
            return await step(application.feed)
        finally:
            await bootstrap.close()

    return asyncio.run(run())
