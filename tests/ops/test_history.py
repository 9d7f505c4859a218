"""`history` shows what happened to a notice in the words of a clerk."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.cosmos import make_containers, start_double
from ops.differences import differences
from ops.history import status_since
from shared import bootstrap
from shared.bootstrap import Application, utc_now
from shared.domain import facts
from shared.domain.content import Changes, DebtorType, Stamp
from shared.domain.dates import DueDate, ValidFrom, decode_instant, format_instant, in_rome
from shared.domain.declarations import amend, cancel, publish, restore
from shared.domain.events import ARCHIVE, Actor, NoticeEvent, Role, WriteContext
from shared.domain.identifiers import DebtorCode, InstitutionCode
from shared.domain.lifecycle import EventType, Status
from shared.domain.money import OutcomeCode
from shared.domain.notice import Address, Change
from shared.settings import CosmosStore, Settings
from shared.write_ids import new_write_id
from tests.ops.command_line import CODE, IBAN, POSTAL_IBAN, Operator
from tests.ops.embedded import UNREGISTERED, Archive, event, line, receipt
from tests.ops.test_terminal_attacks import CONTROLS
from tests.support import (
    DAY,
    HOUR,
    NOW,
    a_line,
    a_notice,
    a_number,
    a_payment,
    a_publication,
    a_transfer,
    an_act,
    an_institution,
)

ADDRESS = Address(InstitutionCode(CODE), a_number(1))
Step = Callable[[Application], Awaitable[object]]


def context(application: Application, **changes: Any) -> WriteContext:
    """Return a request of the institution, at the time of the archive."""
    return an_act(application.archive.clock(), **{"write_id": new_write_id(), **changes})


def published(**content: Any) -> Step:
    """Return the step that publishes the notice."""

    async def step(application: Application) -> None:
        institution = an_institution(fiscal_code=ADDRESS.creditor_institution)
        await application.archive.publish(a_publication(ADDRESS, **content), institution, context(application))

    return step


def amended(changes: Changes) -> Step:
    """Return the step that changes fields of the notice."""

    async def step(application: Application) -> None:
        institution = an_institution(fiscal_code=ADDRESS.creditor_institution)
        await application.archive.amend(ADDRESS, changes, institution, context(application))

    return step


def cancelled(**changes: Any) -> Step:
    """Return the step that cancels the notice."""
    return lambda application: application.archive.declare(
        ADDRESS, EventType.CANCELLED, context(application, **changes)
    )


def paid(**changes: Any) -> Step:
    """Return the step in which a receipt comes."""
    node = Actor(Role.PLATFORM, "nodo")
    return lambda application: application.archive.record_payment(
        ADDRESS, a_payment(**changes), context(application, actor=node)
    )


async def by_timer(application: Application) -> None:
    """Write down what time has done."""
    now = application.archive.clock()
    await application.archive.apply_due_changes(WriteContext(now, ARCHIVE, new_write_id()), now + HOUR)


def shown(operator: Operator, number: str = ADDRESS.number, code: str = CODE) -> list[str]:
    """Return the lines that the command prints."""
    return operator.ask("history", code, number).stdout.splitlines()


def block(lines: list[str], version: int) -> dict[str, list[str]]:
    """Return the fields of one event, each with its lines."""
    begin = next(n for n, each in enumerate(lines) if each.startswith(f"event {version} "))
    found: dict[str, list[str]] = {}
    name = ""
    for each in lines[begin:]:
        if not each:
            break
        label, _, text = each.partition("  ")
        name = label.strip() or name
        found.setdefault(name, []).append(text.strip())
    return found


def local(text: str) -> str:
    """Return a time of the JSON as the command prints it."""
    return in_rome(decode_instant(text)).isoformat(" ", "seconds")


class TestText:
    """The answer for people."""

    def test_the_head_says_which_notice_it_is_and_its_status(self, operator: Operator, archive: Archive) -> None:
        archive.run(published())

        head = shown(operator)[:4]

        since = local(operator.read("history", CODE, a_number(1))["since"])
        assert head == [
            f"institution  {CODE}, Comune di Esempio",
            f"notice       {a_number(1)}",
            f"status       ACTIVE since {since}: payable",
            "times        in Rome",
        ]

    def test_each_event_says_what_happened_when_and_who_by(self, operator: Operator, archive: Archive) -> None:
        archive.run(published(), 2 * HOUR)
        archive.run(cancelled(occurred_at=utc_now() - 90 * timedelta(minutes=1), reason="Doppio"), HOUR)

        lines = shown(operator)

        first, second = operator.read("history", CODE, a_number(1))["items"]
        assert block(lines, 1) == {
            "event 1": ["published: the whole notice was communicated, for the first time"],
            "recorded": [local(first["recordedAt"])],
            "by": ["creditor institution an-ec"],
            "changes": ["status: none → ACTIVE", "amount: € 120.50", "due date: 2026-12-16"],
        }
        assert block(lines, 2) == {
            "event 2": ["cancelled: the institution took the notice back"],
            "recorded": [local(second["recordedAt"])],
            "occurred": [local(second["occurredAt"])],
            "by": ["creditor institution an-ec"],
            "reason": ["Doppio"],
            "changes": ["status: ACTIVE → CANCELLED", "end reason: none → cancelled"],
        }

    def test_a_time_of_occurrence_is_left_out_if_it_differs_by_less_than_a_second(
        self, operator: Operator, archive: Archive
    ) -> None:
        async def step(application: Application) -> None:
            now = application.archive.clock().replace(microsecond=900_000)
            occurred = now.replace(microsecond=100_000)
            await application.archive.record_payment(ADDRESS, a_payment(), an_act(now, occurred_at=occurred))

        archive.run(step)

        assert "occurred" not in block(shown(operator), 1)

    def test_a_change_is_shown_field_by_field(self, operator: Operator, archive: Archive) -> None:
        archive.run(published())
        archive.run(amended({"amount": 13000, "debtor": {"full_name": "Maria Rossi"}}))

        assert block(shown(operator), 2)["changes"] == [
            "amount: € 120.50 → € 130.00",
            "debtor full name: Mario Rossi → Maria Rossi",
        ]

    def test_an_anomaly_is_shown_in_words(self, operator: Operator, archive: Archive) -> None:
        archive.run(published())
        archive.run(cancelled())
        archive.run(paid())

        event_3 = block(shown(operator), 3)

        assert event_3["anomaly"] == ["paid_after_cancellation: a receipt came for a cancelled notice"]
        assert event_3["by"] == ["platform nodo"]
        assert event_3["changes"] == [
            "status: CANCELLED → PAID",
            "payments: + € 120.50 paid 2026-11-23 11:00:00+01:00 at ABI03069, receipt receipt-1",
            "anomalies: + paid after cancellation",
        ]

    def test_a_change_that_time_made_occurred_before_it_was_recorded(
        self, operator: Operator, archive: Archive
    ) -> None:
        start = ValidFrom(utc_now().replace(microsecond=0) - HOUR, whole_day=False)
        archive.run(published(valid_from=start), DAY)
        archive.run(by_timer)

        lines = shown(operator)

        begin = in_rome(start.instant).isoformat(" ", "seconds")
        assert lines[2] == f"status       ACTIVE since {begin}: payable"
        assert block(lines, 2)["event 2"] == ["activated: validFrom was reached"]
        assert block(lines, 2)["occurred"] == [begin]
        assert block(lines, 2)["by"] == ["archive archive"]

    def test_the_status_is_the_one_true_now_although_it_is_not_recorded(
        self, operator: Operator, archive: Archive
    ) -> None:
        end = DueDate(utc_now().replace(microsecond=0) - HOUR, whole_day=False)
        archive.run(published(due_date=end, switch_to_expired=True), DAY)

        lines = shown(operator)

        assert lines[2].startswith(f"status       EXPIRED since {in_rome(end.instant).isoformat(' ', 'seconds')}: ")
        assert [each for each in lines if each.startswith("event")] == [
            "event 1      published: the whole notice was communicated, for the first time"
        ]

    def test_texts_of_a_notice_write_no_control_characters_to_the_terminal(
        self, operator: Operator, archive: Archive
    ) -> None:
        attack = "\x1b]0;owned\x07\u009b2J\u202e\nevent 9  paid: a receipt came"
        archive.run(published(description=attack, metadata={attack: attack}))
        archive.run(amended({"description": "x", "metadata": {attack: "x"}, "debtor": {"full_name": attack}}))
        archive.run(cancelled(reason=attack, actor=Actor(Role.BROKER, attack)))
        archive.run(paid(receipt_id=attack, psp_name=attack))

        printed = operator.ask("history", CODE, a_number(1)).stdout
        as_json = operator.ask("history", CODE, a_number(1), "--json").stdout

        assert CONTROLS.findall(printed + as_json) == []
        assert sum(each.startswith("event") for each in printed.splitlines()) == 4


class TestPages:
    """A history is read whole."""

    def test_a_history_of_many_pages_is_shown_whole(self, operator: Operator, archive: Archive) -> None:
        async def many(application: Application) -> None:
            await published()(application)
            for amount in range(2, 602):
                await amended({"amount": amount})(application)

        archive.run(many)

        items = operator.read("history", CODE, a_number(1))["items"]

        assert [item["version"] for item in items] == [*range(1, 602)]
        assert block(shown(operator), 601)["changes"] == ["amount: € 6.00 → € 6.01"]


class TestNoticesThatWereOnlyPaid:
    """They are 404 for callers, and operators see them."""

    def test_their_history_is_shown_and_says_so(self, operator: Operator, archive: Archive) -> None:
        archive.send(receipt(1, at=utc_now() - 2 * DAY), age=2 * DAY)
        archive.consume(2 * DAY)
        archive.run(by_timer)

        lines = shown(operator)

        assert lines[0] == "The institution has not communicated this notice. Callers do not find it (404)."
        assert lines[3].startswith("status       AWAITED since ")
        assert block(lines, 1)["event 1"] == ["awaited: money came for a number that was not communicated"]
        status, payment = block(lines, 1)["changes"]
        assert (status, payment[:27]) == ("status: none → AWAITED", "payments: + € 120.50 paid 2")
        assert block(lines, 2)["event 2"] == ["uncommunicated: the notice was not communicated in the given time"]
        assert operator.read("history", CODE, a_number(1))["communicated"] is False

    def test_a_settlement_line_is_shown_too(self, operator: Operator, archive: Archive) -> None:
        archive.send(line(1, at=NOW))
        archive.consume()

        assert block(shown(operator), 1)["changes"] == [
            "status: none → AWAITED",
            "settlements: + € 120.50 of transfer 1 paid 2026-11-23, paid (code 0), flow flow-1",
        ]

    def test_that_of_an_institution_that_is_not_registered_is_shown(self, operator: Operator, archive: Archive) -> None:
        archive.send(receipt(1, UNREGISTERED))
        archive.consume()

        assert shown(operator, code=UNREGISTERED)[1] == f"institution  {UNREGISTERED}, not registered"
        assert operator.read("history", UNREGISTERED, a_number(1))["name"] is None

    def test_that_of_a_number_that_breaks_the_rules_is_shown(self, operator: Operator, archive: Archive) -> None:
        paid_number = "347000000000000199"  # its check digits are wrong
        message = event("paid", 1, receiptId="r", amount=1, paidAt=format_instant(utc_now()), pspId="ABI03069")
        message["subject"], message["data"]["noticeNumber"] = f"{CODE}/{paid_number}", paid_number
        archive.send(message)
        archive.consume()

        assert shown(operator, paid_number)[2] == f"notice       {paid_number}"


class TestJson:
    """The answer for programs."""

    def test_it_has_the_notice_and_its_events_as_over_http(self, operator: Operator, archive: Archive) -> None:
        archive.run(published())
        archive.run(amended({"amount": 13000}))

        answer = operator.read("history", CODE, a_number(1))

        first, second = answer.pop("items")
        assert answer == {
            "institution": CODE,
            "name": "Comune di Esempio",
            "noticeNumber": a_number(1),
            "communicated": True,
            "status": "ACTIVE",
            "since": first["recordedAt"],
        }
        assert second == {
            "version": 2,
            "type": "amended",
            "recordedAt": second["recordedAt"],
            "occurredAt": second["recordedAt"],
            "actor": {"role": "creditor_institution", "name": "an-ec"},
            "statusBefore": "ACTIVE",
            "statusAfter": "ACTIVE",
            "changed": {"amount": {"from": 12050, "to": 13000}},
        }

    def test_the_history_in_cosmos_db_is_shown_too(self, operator: Operator, tmp_path: Path) -> None:
        account = start_double(tmp_path / "cosmos.db")
        settings = Settings.from_environment({"COSMOS": account})
        assert isinstance(settings.store, CosmosStore)
        asyncio.run(make_containers(settings.store))
        environment = {"COSMOS": account}
        operator.ask("institutions", "add", CODE, "--name", "Comune di Esempio", env=environment)

        async def live() -> None:
            application = bootstrap.open_application(settings)
            await published()(application)
            await cancelled()(application)
            await bootstrap.close()

        asyncio.run(live())

        answer = json.loads(operator.ask("history", CODE, a_number(1), "--json", env=environment).stdout)
        assert [item["type"] for item in answer["items"]] == ["published", "cancelled"]


class TestRefusals:
    """Arguments that name no notice."""

    def test_a_number_that_is_not_known_is_named(self, operator: Operator, archive: Archive) -> None:
        refusal = operator.refused("history", CODE, a_number(1))

        assert refusal == f"The archive has no notice {a_number(1)} of {CODE}, Comune di Esempio.\n"

    def test_an_institution_that_is_not_registered_is_named(self, operator: Operator, archive: Archive) -> None:
        refusal = operator.refused("history", UNREGISTERED, a_number(1))

        assert refusal.startswith(f"{UNREGISTERED} is not registered. ")

    def test_a_notice_of_an_institution_that_was_removed_is_not_shown(
        self, operator: Operator, archive: Archive
    ) -> None:
        archive.run(published())
        operator.ask("institutions", "remove", CODE, "--yes")

        assert operator.refused("history", CODE, a_number(1)).startswith(f"{CODE} is not registered. ")

    def test_both_arguments_are_named_if_they_are_wrong(self, operator: Operator, archive: Archive) -> None:
        refusal = operator.refused("history", "1", "3-4", exit_code=2).splitlines()

        assert [each.split()[0] for each in refusal] == ["EC", "NUMBER"]

    def test_a_number_with_wrong_check_digits_is_refused(self, operator: Operator, archive: Archive) -> None:
        refusal = operator.refused("history", CODE, "347000000000000125", exit_code=2)

        assert refusal.startswith("NUMBER '347000000000000125' must be 18 digits with right check digits: ")

    def test_a_lenient_institution_has_numbers_of_any_form(self, operator: Operator, archive: Archive) -> None:
        operator.add_institution("22222222222", "--lenient")

        assert operator.refused("history", "22222222222", "A1").startswith("The archive has no notice A1 of ")

    def test_missing_arguments_are_named(self, operator: Operator) -> None:
        refusal = operator.refused("history", exit_code=2)

        assert refusal == "Missing argument 'EC'.\nMissing argument 'NUMBER'.\n"

    def test_an_archive_that_is_not_there_is_named(self, operator: Operator) -> None:
        assert operator.refused("history", CODE, a_number(1)).startswith(f"There is no archive in {operator.data}. ")
        assert not operator.data.exists()

    def test_a_store_that_does_not_answer_is_named(self, operator: Operator, archive: Archive) -> None:
        archive.execute("DROP TABLE notices")

        assert operator.refused("history", CODE, a_number(1), exit_code=3).startswith("The store does not answer (")

    def test_an_event_that_is_damaged_is_no_traceback(self, operator: Operator, archive: Archive) -> None:
        archive.run(published())
        archive.damage(1)

        assert operator.refused("history", CODE, a_number(1)).splitlines() == [
            "A document of this notice cannot be read (JSONDecodeError): call the developers.",
            "`events gaps` lists the events that could not be sent.",
        ]

    def test_a_store_that_lost_events_does_not_answer(self, operator: Operator, archive: Archive) -> None:
        archive.run(published())
        archive.execute("DELETE FROM events")

        assert operator.refused("history", CODE, a_number(1), exit_code=3).startswith("The store does not answer (")


def amendment(changes: Changes, **content: Any) -> NoticeEvent:
    """Return the event of a change of a notice."""
    [made] = amend(a_notice(**content), changes, None, an_act(NOW + HOUR)).events
    return made


TWO_TRANSFERS = (a_transfer(1, 12000), a_transfer(2, 50))
A_STAMP = Stamp("hash", "01", "RM")


@pytest.mark.parametrize(
    ("changes", "content", "lines"),
    [
        ({"amount": 112050}, {}, ["amount: € 120.50 → € 1,120.50"]),
        ({"amount": 5}, {}, ["amount: € 120.50 → € 0.05"]),
        ({"due_date": DueDate.parse("2027-01-31")}, {}, ["due date: 2026-12-16 → 2027-01-31"]),
        (
            {"due_date": DueDate.parse("2027-01-31T10:00:00Z")},
            {},
            ["due date: 2026-12-16 → 2027-01-31 11:00:00+01:00"],
        ),
        (
            {"valid_from": ValidFrom.parse("2026-11-30")},
            {},
            ["status: ACTIVE → SCHEDULED", "valid from: none → 2026-11-30"],
        ),
        ({"description": "TASI"}, {}, ["description: TARI 2026 prima rata → TASI"]),
        ({"switch_to_expired": True}, {}, ["switch to expired: no → yes"]),
        ({"pay_stand_in": False}, {}, ["pay Stand-In: yes → no"]),
        ({"iupd": None}, {"iupd": "x_y"}, ["IUPD: x_y → none"]),
        ({"postal_iban": POSTAL_IBAN}, {}, [f"postal IBAN: none → {POSTAL_IBAN}"]),
        ({"iban": POSTAL_IBAN}, {}, [f"IBAN: {IBAN} → {POSTAL_IBAN}"]),
        (
            {"debtor": {"type": DebtorType.G, "fiscal_code": DebtorCode("ANONIMO")}},
            {},
            ["debtor type: F → G", "debtor fiscal code: RSSMRA80A01H501U → ANONIMO"],
        ),
        (
            {"metadata": {"a_b": None, "c": "2"}},
            {"metadata": {"a_b": "1", "d": "3"}},
            ["metadata a_b: 1 → none", "metadata c: none → 2"],
        ),
        (
            {"transfers": TWO_TRANSFERS},
            {},
            [
                f"IBAN: {IBAN} → none",
                "IBAN source: given → none",
                f"transfers: none → 1: € 120.00 to 15376371009, {IBAN}; 2: € 0.50 to 15376371009, {IBAN}",
            ],
        ),
        (
            {"transfers": (a_transfer(1, 12000), a_transfer(2, 50, remittance_information="TASI"))},
            {"transfers": TWO_TRANSFERS, "iban": None},
            ["transfer 2 remittance information: TARI → TASI"],
        ),
        (
            {"transfers": (a_transfer(1, 11900, metadata={"k": "v"}), a_transfer(2, 150))},
            {"transfers": TWO_TRANSFERS, "iban": None},
            [
                "transfer 1 amount: € 120.00 → € 119.00",
                "transfer 1 metadata k: none → v",
                "transfer 2 amount: € 0.50 → € 1.50",
            ],
        ),
        (
            {"transfers": (a_transfer(iban=None, stamp=A_STAMP),)},
            {"transfers": (a_transfer(),), "iban": None},
            [f"transfer 1 IBAN: {IBAN} → none", "transfer 1 stamp: none → type 01, RM, hash"],
        ),
        (
            {"transfers": (a_transfer(2, iban=None, stamp=A_STAMP),)},
            {"transfers": (a_transfer(),), "iban": None},
            [f"transfers: 1: € 120.50 to 15376371009, {IBAN} → 2: € 120.50 to 15376371009, a stamp"],
        ),
    ],
)
def test_each_field_that_changed_has_words(changes: Changes, content: dict[str, Any], lines: list[str]) -> None:
    assert differences(amendment(changes, **content)) == lines


def test_a_receipt_through_stand_in_and_a_revoked_line_have_words() -> None:
    paid_by_archive = a_payment(stand_in=True, psp_name="Banca di Prova")
    [receipt_came] = facts.record_payment(a_notice(), ADDRESS, paid_by_archive, an_act(NOW + HOUR)).events
    revoked = a_line(outcome_code=OutcomeCode.REVOKED)
    [line_came] = facts.record_settlement(a_notice(), ADDRESS, revoked, an_act(NOW + HOUR)).events

    assert differences(receipt_came)[1] == (
        "payments: + € 120.50 paid 2026-11-23 11:00:00+01:00 through Stand-In at Banca di Prova, receipt receipt-1"
    )
    assert differences(line_came) == [
        "settlements: + € 120.50 of transfer 1 paid 2026-11-23, revoked (code 3), flow flow-1",
        "anomalies: + payment revoked",
    ]


def test_of_several_receipts_an_event_shows_the_one_that_came() -> None:
    first = facts.record_payment(a_notice(), ADDRESS, a_payment("receipt-1"), an_act(NOW + HOUR)).notice
    [second_came] = facts.record_payment(first, ADDRESS, a_payment("receipt-2"), an_act(NOW + DAY)).events

    assert differences(second_came) == [
        "payments: + € 120.50 paid 2026-11-23 11:00:00+01:00 at ABI03069, receipt receipt-2",
        "anomalies: + paid twice",
    ]


class TestStatusSince:
    """The time from which a status is true."""

    def since(self, *changes: Change, now: datetime = NOW + 9 * DAY) -> tuple[Status, datetime]:
        """Return the status of a notice after these changes, and its time."""
        notice = changes[-1].notice
        events = [made for change in changes for made in change.events]
        return notice.status_at(now), status_since(notice, events, now)

    def test_a_change_that_keeps_the_status_does_not_count(self) -> None:
        first = publish(None, a_publication(), an_act(NOW))
        second = amend(first.notice, {"amount": 1}, None, an_act(NOW + HOUR))

        assert self.since(first, second) == (Status.ACTIVE, NOW)

    def test_a_status_that_comes_back_counts_from_then(self) -> None:
        first = publish(None, a_publication(), an_act(NOW))
        second = cancel(first.notice, an_act(NOW + HOUR))
        third = restore(second.notice, an_act(NOW + DAY))

        assert self.since(first, second, third) == (Status.ACTIVE, NOW + DAY)

    def test_a_declaration_counts_from_when_it_was_recorded(self) -> None:
        first = publish(None, a_publication(), an_act(NOW))
        second = cancel(first.notice, an_act(NOW + DAY, occurred_at=NOW + HOUR))

        assert self.since(first, second) == (Status.CANCELLED, NOW + DAY)

    def test_a_change_that_time_made_counts_from_when_it_became_true(self) -> None:
        start = ValidFrom(NOW + HOUR, whole_day=False)
        first = publish(None, a_publication(valid_from=start), an_act(NOW))

        assert self.since(first) == (Status.ACTIVE, NOW + HOUR)
        assert self.since(first, facts.catch_up(first.notice, an_act(NOW + DAY))) == (Status.ACTIVE, NOW + HOUR)

    def test_of_two_changes_that_time_made_the_last_counts(self) -> None:
        start, end = ValidFrom(NOW + HOUR, whole_day=False), DueDate(NOW + 2 * HOUR, whole_day=False)
        brief = a_publication(valid_from=start, due_date=end, switch_to_expired=True)
        first = publish(None, brief, an_act(NOW))

        assert self.since(first) == (Status.EXPIRED, NOW + 2 * HOUR)
        assert self.since(first, facts.catch_up(first.notice, an_act(NOW + DAY))) == (Status.EXPIRED, NOW + 2 * HOUR)
