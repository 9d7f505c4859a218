"""Dates: what they mean in Europe/Rome, on the days of the clock change and at the bounds above all."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, strategies as st

from shared.domain.date_faults import A_DATE_TIME, A_DAY, A_DAY_OR_DATE_TIME
from shared.domain.dates import (
    LAST_INSTANT,
    ROME,
    DueDate,
    ValidFrom,
    decode_instant,
    first_instant,
    format_instant,
    in_rome,
    parse_day,
    parse_instant,
)
from shared.errors import InvalidValue

MILLISECOND = timedelta(milliseconds=1)

days = st.dates(date(2000, 1, 1), date(9999, 12, 31))
# Two days from the bounds, so that the year is the same at every offset.
FIRST, LAST = datetime(2000, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)
instants = st.integers(0, (LAST - FIRST) // MILLISECOND).map(lambda count: FIRST + count * MILLISECOND)
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def code_of_refusal(text: str) -> str:
    """The code with which the text is refused, alike as a due date and as a validity date."""
    with pytest.raises(InvalidValue) as due_date:
        DueDate.parse(text)
    with pytest.raises(InvalidValue) as valid_from:
        ValidFrom.parse(text)
    assert due_date.value.code == valid_from.value.code
    return due_date.value.code


# A day


def test_a_due_date_without_time_is_payable_through_the_end_of_the_day_in_rome() -> None:
    due_date = DueDate.parse("2026-12-16")
    end = datetime(2026, 12, 16, 23, tzinfo=UTC)
    assert due_date == DueDate(end, whole_day=True)
    assert not due_date.has_passed(end - MILLISECOND)
    assert due_date.has_passed(end)


def test_a_validity_date_without_time_begins_at_the_first_instant_of_the_day_in_rome() -> None:
    valid_from = ValidFrom.parse("2026-12-16")
    beginning = datetime(2026, 12, 15, 23, tzinfo=UTC)
    assert valid_from == ValidFrom(beginning, whole_day=True)


def test_a_day_of_summer_begins_at_22_utc() -> None:
    assert first_instant(date(2026, 7, 1)) == datetime(2026, 6, 30, 22, tzinfo=UTC)


@given(days)
@example(date(1966, 5, 22))  # Here the clock skipped midnight itself.
@example(date(2026, 3, 29))
@example(date(2026, 10, 25))
@example(date(2000, 1, 1))
@example(date(9999, 12, 31))
def test_the_first_instant_of_a_day_is_the_first_that_is_of_that_day_in_rome(day: date) -> None:
    at = first_instant(day)
    assert at.astimezone(ROME).date() == day
    assert (at - MILLISECOND).astimezone(ROME).date() == day - timedelta(days=1)


@given(days)
@example(date(9999, 12, 31))
@example(date(9999, 12, 30))
@example(date(2026, 3, 29))
@example(date(2026, 10, 25))
def test_a_day_is_shown_and_read_as_it_was_given(day: date) -> None:
    text = day.isoformat()
    for boundary in (DueDate.parse(text), ValidFrom.parse(text)):
        assert str(boundary) == text
        assert boundary.day == day
        assert type(boundary).decode(text) == type(boundary).of_day(day) == boundary


# The days of the clock change


def length_of(day: str) -> timedelta:
    return DueDate.parse(day).instant - ValidFrom.parse(day).instant


def test_a_day_of_the_clock_change_in_march_has_23_hours() -> None:
    assert length_of("2026-03-29") == timedelta(hours=23)


def test_a_day_of_the_clock_change_in_october_has_25_hours() -> None:
    assert length_of("2026-10-25") == timedelta(hours=25)


def test_the_days_around_a_clock_change_have_24_hours() -> None:
    for day in ("2026-03-28", "2026-03-30", "2026-10-24", "2026-10-26"):
        assert length_of(day) == timedelta(hours=24)


@pytest.mark.parametrize("time", ["02:00:00", "02:30:00", "02:59:59.999999999"])
def test_an_hour_that_the_clock_skips_is_refused(time: str) -> None:
    assert code_of_refusal(f"2026-03-29T{time}") == "missing_hour"


def test_the_instants_before_and_after_the_missing_hour_are_next_to_each_other() -> None:
    before, after = parse_instant("2026-03-29T01:59:59.999"), parse_instant("2026-03-29T03:00:00")
    assert after - before == MILLISECOND


def test_a_missing_hour_with_an_offset_is_accepted() -> None:
    assert parse_instant("2026-03-29T02:30:00+01:00") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_an_ambiguous_hour_is_the_first_one() -> None:
    assert parse_instant("2026-10-25T02:30:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_the_second_of_two_ambiguous_hours_is_named_by_its_offset() -> None:
    assert parse_instant("2026-10-25T02:30:00+01:00") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


# A date-time


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T14:42:49.123Z",
        "2026-11-24t14:42:49.123z",
        "2026-11-24T14:42:49.123+00:00",
        "2026-11-24T14:42:49.123-00:00",
        "2026-11-24T15:42:49.123+01:00",
        "2026-11-24T15:42:49.123",
        "2026-11-24T15:42:49.1239",
        "2026-11-24T14:42:49.123999Z",
        "2026-11-24T14:42:49.123999999Z",
        "2026-11-25T14:41:49.123+23:59",
        "2026-11-23T14:43:49.123-23:59",
    ],
)
def test_a_date_time_of_rfc_3339_is_that_instant_in_milliseconds(text: str) -> None:
    assert parse_instant(text) == datetime(2026, 11, 24, 14, 42, 49, 123_000, tzinfo=UTC)
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("fraction", "microseconds"),
    [("", 0), (".1", 100_000), (".01", 10_000), (".001", 1_000), (".0009", 0), (".999999999", 999_000)],
)
def test_a_fraction_of_a_second_is_truncated_to_milliseconds(fraction: str, microseconds: int) -> None:
    assert parse_instant(f"2026-11-24T14:42:49{fraction}Z").microsecond == microseconds


@given(instants, offsets)
def test_an_instant_is_the_same_at_every_offset(at: datetime, offset: timezone) -> None:
    assert parse_instant(at.astimezone(offset).isoformat()) == at


@given(instants)
@example(datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC))
@example(datetime(2026, 3, 29, 1, tzinfo=UTC))
@example(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
@example(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
@example(datetime(2026, 10, 25, 2, tzinfo=UTC))
def test_a_local_time_is_one_of_the_instants_at_which_the_clocks_of_rome_show_it(at: datetime) -> None:
    local = at.astimezone(ROME)
    assert parse_instant(local.replace(tzinfo=None).isoformat()) == local.replace(fold=0).astimezone(UTC)


@given(instants)
def test_an_instant_is_shown_in_utc_and_read_back(at: datetime) -> None:
    text = format_instant(at)
    assert re.fullmatch(r"[2-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", text)
    assert decode_instant(text) == parse_instant(text) == at


def test_an_instant_is_shown_with_three_digits_of_the_second() -> None:
    assert format_instant(datetime(2026, 11, 24, 14, 42, 49, tzinfo=UTC)) == "2026-11-24T14:42:49.000Z"


@given(instants)
def test_a_date_time_is_shown_as_the_instant_and_read_back(at: datetime) -> None:
    for boundary in (DueDate.parse(at.isoformat()), ValidFrom.parse(at.isoformat())):
        assert not boundary.whole_day
        assert str(boundary) == format_instant(at)
        assert boundary.day == at.astimezone(ROME).date()
        assert type(boundary).decode(str(boundary)) == boundary


def test_a_due_date_with_time_has_passed_at_that_instant() -> None:
    due_date = DueDate.parse("2026-12-16T12:00:00")
    noon = datetime(2026, 12, 16, 11, tzinfo=UTC)
    assert not due_date.has_passed(noon - MILLISECOND)
    assert due_date.has_passed(noon)


def test_a_day_differs_from_the_date_time_at_which_it_ends() -> None:
    assert DueDate.parse("2026-12-16") != DueDate.parse("2026-12-17T00:00:00")
    assert ValidFrom.parse("2026-12-16") != ValidFrom.parse("2026-12-16T00:00:00")


def test_due_dates_sort_by_the_day_shown_and_then_by_instant() -> None:
    texts = [
        "2026-12-15",
        "2026-12-16T00:00:00",
        "2026-12-16T22:59:59Z",
        "2026-12-16",
        "2026-12-16T23:00:00Z",
        "2026-12-17",
    ]
    assert sorted(texts, key=lambda text: DueDate.parse(text).sort_key) == texts
    assert DueDate.parse("2026-12-16").sort_key == "2026-12-16 2026-12-16T23:00:00.000Z"


# The last day, which stands for no due date

NEVER = "9999-12-31"


def test_the_last_day_ends_with_its_last_millisecond_in_utc() -> None:
    assert DueDate.parse(NEVER) == DueDate(LAST_INSTANT, whole_day=True)
    assert format_instant(LAST_INSTANT) == "9999-12-31T23:59:59.999Z"
    assert ValidFrom.parse(NEVER).instant == datetime(9999, 12, 30, 23, tzinfo=UTC)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.9999Z", "9999-12-31T20:00:00-05:00"])
def test_a_time_after_the_last_instant_is_the_last_instant(text: str) -> None:
    due_date = DueDate.parse(text)

    assert due_date == DueDate(LAST_INSTANT, whole_day=False) == DueDate.decode(str(due_date))
    assert str(due_date) == "9999-12-31T23:59:59.999Z"
    assert ValidFrom.parse(text).instant == LAST_INSTANT


def test_the_last_day_is_not_the_time_at_which_it_ends() -> None:
    assert DueDate.parse(NEVER) != DueDate.parse("9999-12-31T23:59:59.999Z")


def test_the_last_days_sort_by_day_and_then_by_instant() -> None:
    texts = ["9999-12-30", "9999-12-31T00:00:00", "9999-12-31T23:00:00Z", NEVER]

    assert sorted(texts, key=lambda text: DueDate.parse(text).sort_key) == texts


def test_the_clocks_of_rome_stop_in_the_last_second_of_9999() -> None:
    assert in_rome(LAST_INSTANT).isoformat() == "9999-12-31T23:59:59+01:00"
    assert in_rome(datetime(9999, 12, 31, 22, 30, tzinfo=UTC)).isoformat() == "9999-12-31T23:30:00+01:00"


# What is refused


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-12",
        "20261216",
        "2026-W50-3",
        "2026-350",
        "16/12/2026",
        "2026-12-1",
        "2026-1-016",
        "2026-02-29",
        "2026-04-31",
        "2026-13-01",
        "2026-00-10",
        "2026-12-00",
        "2026-12-16 ",
        " 2026-12-16",
        "2026-12-16\n",
        "2026-12-16Z",
        "+2026-12-16",
        "-999-12-16",
        "02026-12-16",
        "2026-02-29T10:00:00Z",
        "2026-12-16T",
        "2026-12-16T10",
        "2026-12-16T10:00",
        "2026-12-16T10:00Z",
        "2026-12-16T100000Z",
        "20261216T10:00:00Z",
        "2026-12-16 10:00:00",
        "2026-12-16T24:00:00",
        "2026-12-16T23:60:00",
        "2026-12-16T23:59:60Z",
        "2026-12-16T10:00:00.",
        "2026-12-16T10:00:00.Z",
        "2026-12-16T10:00:00,5Z",
        "2026-12-16T10:00:00.1234567890Z",
        "2026-12-16T10:00:00+01",
        "2026-12-16T10:00:00+0100",
        "2026-12-16T10:00:00+24:00",
        "2026-12-16T10:00:00+01:60",
        "2026-12-16T10:00:00+01:00:00",
        "2026-12-16T10:00:00\u221201:00",
        "2026-12-16T10:00:00ZZ",
        "2026-12-16T10:00:00Z\n",
        "2026-12-16T10:00:00[Europe/Rome]",
        "\u0662\u0660\u0662\u0666-12-16",
        "2026-12-1\uff16",
        "2026-12-16T1\u0660:00:00Z",
        "2026-12-16T10:00:00.\u0661Z",
        "2026-12-16\ud800",
    ],
)
def test_a_text_of_another_form_or_no_day_of_the_calendar_is_refused(text: str) -> None:
    assert code_of_refusal(text) == "date_time"


@pytest.mark.parametrize(
    "text",
    [
        "0000-01-01",
        "1999-12-31",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "1999-12-31T23:59:59.999",
        # Within the years as written, not in Rome.
        "2000-01-01T00:00:00+01:01",
        "1999-12-31T22:59:59.999Z",
    ],
)
def test_a_date_before_2000_is_refused(text: str) -> None:
    assert code_of_refusal(text) == "date_out_of_range"


@pytest.mark.parametrize(
    "text",
    [
        "2000-01-01",
        "9999-12-31",
        "2000-01-01T00:00:00",
        "2000-01-01T00:00:00+01:00",
        "9999-12-31T22:59:59.999Z",
        "9999-12-31T23:59:59",
        # The year 10000 in Rome.
        "9999-12-31T23:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
        # The year 10000 everywhere.
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_the_first_and_the_last_day_are_accepted(text: str) -> None:
    day = date.fromisoformat(text[:10])
    assert DueDate.parse(text).day == ValidFrom.parse(text).day == day


@given(
    st.text()
    | st.text("0123456789-+:.TZtz \u0663", max_size=35)
    | st.from_regex(
        r"[29][0-9]{3}-[01]\d-[0-3]\d([Tt ][0-2]\d:[0-6]\d:[0-6]\d(\.\d{0,10})?([Zz]|[-+]\d\d:\d\d)?)?",
        fullmatch=True,
    )
)
def test_any_text_is_a_date_read_back_likewise_or_is_refused_as_invalid(text: str) -> None:
    with suppress(InvalidValue):
        due_date = DueDate.parse(text)
        assert text.isascii()
        assert DueDate.decode(str(due_date)) == due_date
        assert due_date.day.year >= 2000


def test_a_refusal_does_not_repeat_the_text() -> None:
    for text in ("2026-11-24 ", "1999-11-24", "2026-03-29T02:30:00", "2026-02-30"):
        with pytest.raises(InvalidValue) as refusal:
            DueDate.parse(text)
        assert text not in refusal.value.message


def test_a_day_alone_is_parsed_by_the_same_rules() -> None:
    assert parse_day("2026-12-16") == date(2026, 12, 16)
    for text in ("2026-12-16T10:00:00Z", "2026-02-29", "1999-12-31"):
        with pytest.raises(InvalidValue):
            parse_day(text)


# The sentence of a refusal


def sentence(parse: Callable[[str], object], text: str) -> str:
    """The sentence with which the text is refused."""
    with pytest.raises(InvalidValue) as refusal:
        parse(text)
    return refusal.value.message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("2026-12-16 ", "there is a blank before or after it"),
        ("2026-12-1\uff16", "it has a character that is not ASCII, or a control character"),
        ("2026-12-16T10:00:00Z and some more words", "it has more than 35 characters"),
        ("20261231", "hyphens stand between year, month and day"),
        ("2026.12.31", "hyphens stand between year, month and day"),
        ("2026-W51-3", "month and day are given, not the week or the number of the day"),
        ("2026-350", "month and day are given, not the week or the number of the day"),
        ("31/12/2026", "the year comes first, then month and day, with hyphens between them"),
        ("31-12-2026", "the year comes first, then month and day, with hyphens between them"),
        ("tomorrow", "year, month and day come first, with hyphens between them"),
        ("2026-12", "the day is missing"),
        ("2026-12-1", "month and day have two digits"),
        ("2026-1-12", "month and day have two digits"),
        ("2026-13-01", "the month is 01 to 12"),
        ("2026-00-10T10:00:00Z", "the month is 01 to 12"),
        ("2026-12-32", "the day is 01 to 31"),
        ("2026-02-29", "the month has no such day"),
        ("2026-04-31T10:00:00Z", "the month has no such day"),
        ("2026-12-31+01:00", "a day has no offset"),
        ("2026-12-31Z", "a day has no offset"),
        ("2026-12-31 10:00", "a T stands between day and time, not a blank"),
        ("2026-12-31_10:00:00", "a T stands between day and time"),
        ("2026-12-31T", "the time is missing after the T"),
        ("2026-12-31T10", "minutes and seconds are missing"),
        ("2026-12-31T10:00", "the seconds are missing"),
        ("2026-12-31T23:59+01:00", "the seconds are missing"),
        ("2026-12-31T235959Z", "colons stand between hours, minutes and seconds"),
        ("2026-12-31T9:00:00", "the time has two digits each for hours, minutes and seconds"),
        ("2026-12-31T24:00:00", "the hour is 00 to 23: the end of a day is 00:00:00 of the next"),
        ("2026-12-31T25:00:00", "the hour is 00 to 23"),
        ("2026-12-31T23:60:00Z", "the minute is 00 to 59"),
        ("2026-12-31T23:59:60Z", "the second is 00 to 59: leap seconds are not taken"),
        ("2026-12-31T23:59:59,5Z", "a point stands before the fraction of a second, not a comma"),
        ("2026-12-31T23:59:59.Z", "the fraction of a second has 1 to 9 digits"),
        ("2026-12-31T23:59:59.1234567890Z", "the fraction of a second has 1 to 9 digits"),
        ("2026-12-31T23:59:59 +01:00", "no blank stands before the offset"),
        ("2026-12-31T23:59:59+0100", "a colon stands between hours and minutes of the offset"),
        ("2026-12-31T23:59:59+01", "the offset has hours and minutes, such as +01:00"),
        ("2026-12-31T23:59:59+24:00", "the hours of the offset are 00 to 23"),
        ("2026-12-31T23:59:59+01:60", "the minutes of the offset are 00 to 59"),
        ("2026-12-31T23:59:59[Europe/Rome]", "only Z or an offset such as +01:00 follows the time"),
        ("2026-12-31T23:59:59CET", "only Z or an offset such as +01:00 follows the time"),
    ],
)
def test_a_refusal_names_the_part_that_is_wrong(text: str, reason: str) -> None:
    assert sentence(DueDate.parse, text) == f"must be {A_DAY_OR_DATE_TIME}: {reason}"
    assert sentence(ValidFrom.parse, text) == f"must be {A_DAY_OR_DATE_TIME}: {reason}"


def test_where_a_day_is_expected_a_date_time_is_not_offered() -> None:
    for text in ("2026-12-31T10:00:00Z", "2026-12-31 10:00:00", "2026-12-31T10"):
        assert sentence(parse_day, text) == f"must be {A_DAY}: a day has no time"
    assert sentence(parse_day, "31/12/2026").startswith(f"must be {A_DAY}: ")


def test_where_a_date_time_is_expected_a_day_is_not_offered() -> None:
    assert sentence(parse_instant, "2026-12-31") == f"must be {A_DATE_TIME}: the time is missing"


@given(st.text(max_size=36) | st.text("0123456789-+:.,/TZtzW ", max_size=36))
def test_a_month_without_such_a_day_is_named_only_where_all_else_is_right(text: str) -> None:
    with suppress(InvalidValue):
        DueDate.parse(text)
        return
    is_named = sentence(DueDate.parse, text).endswith("the month has no such day")
    assert not is_named or re.match(r"[0-9]{4}-(02-(29|30|31)|(04|06|09|11)-31)", text)


# The machine


def test_dates_need_no_time_zones_of_the_machine() -> None:
    program = "from shared.domain.dates import DueDate; print(DueDate.parse('9998-07-01').instant.isoformat())"
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONTZPATH": "", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "9998-07-01T22:00:00+00:00"


def test_the_first_hour_of_2000_in_rome_is_read_back_as_it_is_shown() -> None:
    first = DueDate.parse("2000-01-01T00:00:00")

    assert str(first) == "1999-12-31T23:00:00.000Z"
    assert DueDate.parse(str(first)) == first
