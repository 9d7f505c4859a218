"""`uncommunicated` counts per institution the payments whose notices were not communicated within 24 hours."""

from datetime import timedelta
from typing import Any

import pytest

from shared.bootstrap import Application, utc_now
from shared.domain.dates import in_rome
from shared.domain.events import ARCHIVE, WriteContext
from shared.write_ids import new_write_id
from tests.ops.command_line import CODE, Operator, rows
from tests.ops.embedded import UNREGISTERED, Archive, line, receipt
from tests.support import DAY, HOUR, a_number

OTHER = "22222222222"


def late(archive: Archive, *events: dict[str, Any], days: int = 2) -> None:
    """Let events arrive that many days ago."""
    archive.send(*events, age=days * DAY)
    assert set(archive.consume(days * DAY)) == {"applied"}


def ago(days: int) -> dict[str, Any]:
    """Return the option of an event of that many days ago."""
    return {"at": utc_now() - days * DAY}


def day(days: int) -> str:
    """Return the day in Rome of that many days ago."""
    return in_rome(utc_now() - days * DAY).date().isoformat()


def counts(operator: Operator) -> dict[str, int]:
    """Return how many notices each institution has."""
    return {item["institution"]: item["notices"] for item in operator.read("uncommunicated")["items"]}


def numbers(operator: Operator, code: str = CODE) -> list[str]:
    """Return the numbers of the notices of an institution."""
    return [item["noticeNumber"] for item in operator.read("uncommunicated", "--institution", code)["items"]]


def test_an_archive_without_such_payments_has_an_empty_list(operator: Operator, archive: Archive) -> None:
    archive.publish(1)

    assert operator.ask("uncommunicated").stdout == "None.\n"
    assert operator.read("uncommunicated") == {"items": []}
    assert operator.ask("uncommunicated", "--institution", CODE).stdout == "None.\n"
    assert operator.read("uncommunicated", "--institution", CODE) == {"items": []}


def test_they_are_counted_per_institution_by_its_code(operator: Operator, archive: Archive) -> None:
    operator.add_institution(OTHER, "--name", "Comune di Altrove")
    late(archive, receipt(1, OTHER, **ago(2)), receipt(2, OTHER, **ago(2)), receipt(1, **ago(2)))
    late(archive, receipt(3, OTHER, **ago(5)), days=5)

    shown = rows(operator.ask("uncommunicated").stdout)

    assert shown == [[CODE, "Comune di Esempio", "1", day(2)], [OTHER, "Comune di Altrove", "3", day(5)]]
    assert operator.read("uncommunicated")["items"] == [
        {"institution": CODE, "name": "Comune di Esempio", "notices": 1, "oldest": day(2)},
        {"institution": OTHER, "name": "Comune di Altrove", "notices": 3, "oldest": day(5)},
    ]


def test_an_institution_that_is_not_registered_is_counted_too(operator: Operator, archive: Archive) -> None:
    late(archive, receipt(1, UNREGISTERED, **ago(2)))

    assert rows(operator.ask("uncommunicated").stdout) == [[UNREGISTERED, "not registered", "1", day(2)]]
    assert operator.read("uncommunicated")["items"][0]["name"] is None


def test_the_notices_of_one_institution_are_shown_by_number(operator: Operator, archive: Archive) -> None:
    late(archive, receipt(2, **ago(2)), receipt(1, amount=700, **ago(2)), receipt(3, OTHER, **ago(2)))

    shown = rows(operator.ask("uncommunicated", "--institution", CODE).stdout)

    assert shown == [[a_number(1), day(2), "1", "0", "700"], [a_number(2), day(2), "1", "0", "12050"]]
    assert operator.read("uncommunicated", "--institution", CODE)["items"][0] == {
        "noticeNumber": a_number(1),
        "paidOn": day(2),
        "receipts": 1,
        "settlementLines": 0,
        "amount": 700,
    }


def test_one_that_still_has_time_is_left_out(operator: Operator, archive: Archive) -> None:
    archive.send(receipt(1), receipt(2))
    archive.consume(23 * HOUR)
    late(archive, receipt(3, **ago(2)))

    assert numbers(operator) == [a_number(3)]


def test_one_that_came_exactly_a_day_ago_is_shown(operator: Operator, archive: Archive) -> None:
    archive.send(receipt(1), age=DAY)
    archive.consume(DAY)

    assert counts(operator) == {CODE: 1}


def test_one_that_was_communicated_in_the_end_is_left_out(operator: Operator, archive: Archive) -> None:
    late(archive, receipt(1, **ago(2)), receipt(2, **ago(2)))
    archive.publish(1)

    assert numbers(operator) == [a_number(2)]


def test_one_stays_also_after_its_event_was_written(operator: Operator, archive: Archive) -> None:
    late(archive, receipt(1, **ago(2)))

    async def write(application: Application) -> None:
        now = utc_now()
        by_time = WriteContext(now, ARCHIVE, new_write_id())
        assert await application.archive.apply_due_changes(by_time, now + timedelta(minutes=1)) == 1

    archive.run(write)
    archive.relay()

    assert [item["event"]["type"] for item in operator.read("events", "tail")["items"]] == [
        "it.pagopa.notice.awaited.v1",
        "it.pagopa.notice.uncommunicated.v1",
    ]
    assert operator.read("uncommunicated")["items"][0] == {
        "institution": CODE,
        "name": "Comune di Esempio",
        "notices": 1,
        "oldest": day(2),
    }


def test_the_first_of_several_payments_counts(operator: Operator, archive: Archive) -> None:
    late(archive, receipt(1, **ago(4)), days=4)
    archive.send(receipt(1, receiptId="second", **ago(1)) | {"id": "second"})
    archive.consume()

    assert operator.read("uncommunicated", "--institution", CODE)["items"] == [
        {"noticeNumber": a_number(1), "paidOn": day(4), "receipts": 2, "settlementLines": 0, "amount": 24100}
    ]
    assert operator.read("uncommunicated")["items"][0]["oldest"] == day(4)


class TestSettlementLines:
    """Show payments too, with or without a receipt."""

    def test_a_line_alone_is_a_payment(self, operator: Operator, archive: Archive) -> None:
        late(archive, line(1, **ago(3)))

        assert operator.read("uncommunicated", "--institution", CODE)["items"] == [
            {"noticeNumber": a_number(1), "paidOn": day(3), "receipts": 0, "settlementLines": 1, "amount": 12050}
        ]

    def test_a_receipt_and_its_line_are_one_payment(self, operator: Operator, archive: Archive) -> None:
        late(archive, receipt(1, **ago(3)), line(1, **ago(3)))

        (item,) = operator.read("uncommunicated", "--institution", CODE)["items"]
        assert (item["receipts"], item["settlementLines"], item["amount"]) == (1, 1, 12050)

    def test_a_revoked_line_adds_no_money(self, operator: Operator, archive: Archive) -> None:
        late(archive, line(1, amount=500, **ago(3)), line(1, flowId="b", outcomeCode=3, **ago(3)) | {"id": "revoked"})

        (item,) = operator.read("uncommunicated", "--institution", CODE)["items"]
        assert (item["settlementLines"], item["amount"]) == (2, 500)


class TestExclusionRules:
    """What the rules of an institution cover is left out."""

    def test_a_payment_within_a_rule_is_left_out(self, operator: Operator, archive: Archive) -> None:
        late(archive, receipt(1, **ago(2)), line(2, **ago(2)))

        operator.ask("institutions", "change", CODE, "--add-exclusion", f"47:{day(30)}")

        assert (counts(operator), numbers(operator)) == ({}, [])

    @pytest.mark.parametrize(
        ("first", "last", "is_covered"), [(5, 3, True), (3, 3, True), (9, 4, False), (2, 1, False)]
    )
    def test_the_day_of_the_payment_decides(
        self, first: int, last: int, is_covered: bool, operator: Operator, archive: Archive
    ) -> None:
        late(archive, receipt(1, **ago(3)), days=3)

        operator.ask("institutions", "change", CODE, "--add-exclusion", f"47:{day(first)}:{day(last)}")

        assert counts(operator) == ({} if is_covered else {CODE: 1})

    def test_a_payment_is_shown_once_the_rule_that_covered_it_is_gone(
        self, operator: Operator, archive: Archive
    ) -> None:
        operator.ask("institutions", "change", CODE, "--add-exclusion", f"47:{day(30)}")
        late(archive, receipt(1, **ago(2)))
        before = counts(operator)

        operator.ask("institutions", "change", CODE, "--remove-exclusion", f"47:{day(30)}")

        assert (before, counts(operator)) == ({}, {CODE: 1})

    def test_a_rule_of_another_segregation_code_covers_nothing(self, operator: Operator, archive: Archive) -> None:
        late(archive, receipt(1, **ago(2)))

        operator.ask("institutions", "change", CODE, "--add-exclusion", f"48:{day(30)}")

        assert counts(operator) == {CODE: 1}

    def test_a_rule_covers_only_its_institution(self, operator: Operator, archive: Archive) -> None:
        operator.add_institution(OTHER, "--exclude", f"47:{day(30)}")
        late(archive, receipt(1, **ago(2)), receipt(2, OTHER, **ago(2)))

        assert counts(operator) == {CODE: 1}


def test_a_code_that_is_none_is_refused(operator: Operator, archive: Archive) -> None:
    refusal = operator.refused("uncommunicated", "--institution", "1", exit_code=2)

    assert refusal == "--institution '1' must be 11 digits: it has 1 digit.\n"


def test_an_archive_that_is_not_there_is_named(operator: Operator) -> None:
    assert operator.refused("uncommunicated").startswith(f"There is no archive in {operator.data}. ")
    assert not operator.data.exists()


def test_a_store_that_does_not_answer_is_named(operator: Operator, archive: Archive) -> None:
    archive.execute("DROP TABLE notices")

    assert operator.refused("uncommunicated", exit_code=3).startswith("The store does not answer (")
