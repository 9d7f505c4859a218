"""A fact is written once. Where it needs a second place, a forgotten one fails here by its name."""

from dataclasses import MISSING, fields
from typing import get_args

import pytest

from docs.openapi.fields import FIELDS
from shared.codecs import camel
from shared.domain.content import Content, Debtor, Stamp, Transfer
from shared.domain.lifecycle import FAULTS, TIME, TRANSITIONS, TRUE_NOW, Anomaly, EventType, Fault, StateEvent, Status
from shared.domain.notice import Notice
from shared.domain.terms import Term
from shared.ports import FILTERS
from shared.wire.bodies import ADDED_BY_THE_ARCHIVE, Body, DebtorBody, NoticeBody, PatchBody, StampBody, TransferBody
from shared.wire.positions import GPD_STATUS
from shared.wire.queries import ListParameters

DECLARED_BESIDE = {"iuv", "occurred_at"}
"""Fields of a body that are no content."""


@pytest.mark.parametrize(
    ("body", "part"), [(NoticeBody, Content), (DebtorBody, Debtor), (TransferBody, Transfer), (StampBody, Stamp)]
)
def test_a_body_has_the_fields_of_its_part_of_the_domain(body: type[Body], part: type) -> None:
    declared = {one.name for one in fields(part)} - {"iban_source"}

    assert {*body.model_fields} - DECLARED_BESIDE == declared


def test_a_patch_has_the_fields_of_a_notice() -> None:
    assert [*PatchBody.model_fields] == [*NoticeBody.model_fields]


def test_each_field_of_a_notice_that_is_shown_is_content_or_is_named_as_added_by_the_archive() -> None:
    shown = {camel(one.name) for one in fields(Notice)} & FIELDS["NoticeShown"].keys()

    assert shown - {"iuv"} <= ADDED_BY_THE_ARCHIVE.keys()


def test_each_field_beside_the_first_ones_has_a_default_because_stored_documents_may_lack_it() -> None:
    without = [one.name for one in fields(Content) if one.default is MISSING and one.default_factory is MISSING]

    assert without == ["amount", "description", "due_date", "debtor"]


@pytest.mark.parametrize("event", get_args(StateEvent))
def test_the_contract_explains_each_event_that_an_institution_declares(event: EventType) -> None:
    assert f"{event}:" in FIELDS["LifeCycleEvent"]["type"]


@pytest.mark.parametrize("status", sorted({*Status} - {Status.AWAITED}))
def test_the_contract_explains_each_status_that_is_shown(status: Status) -> None:
    assert status in FIELDS["NoticeShown"]["status"]


def test_a_list_has_a_parameter_for_each_filter_of_a_search() -> None:
    assert [*ListParameters.model_fields] == [*FILTERS, "limit", "cursor"]


@pytest.mark.parametrize("term", [*Status, *EventType, *Anomaly, *Fault])
def test_each_term_of_the_life_cycle_has_a_meaning(term: Term) -> None:
    assert term.meaning


def test_each_status_has_a_row_and_each_row_has_every_declaration_and_fact() -> None:
    by_time = {passage.event for passage in TIME.values()} | {EventType.AWAITED}

    assert TRANSITIONS.keys() == {None, *Status}
    for status, row in TRANSITIONS.items():
        assert row.keys() == {*EventType} - by_time, status


def test_each_status_that_is_shown_can_be_searched() -> None:
    assert TRUE_NOW.keys() == {*Status} - {Status.AWAITED}


def test_each_status_is_payable_in_stand_in_or_has_its_fault() -> None:
    assert FAULTS.keys() == {*Status}
    assert {*FAULTS.values()} == {None, *Fault}


def test_an_institution_declares_each_event_of_the_table_that_is_no_content_and_no_fact() -> None:
    content_and_facts = {EventType.PUBLISHED, EventType.AMENDED, EventType.PAID, EventType.REPORTED}

    assert {*get_args(StateEvent)} == TRANSITIONS[None].keys() - content_and_facts


def test_each_status_that_is_shown_has_its_name_in_gpd() -> None:
    assert GPD_STATUS.keys() == {*Status} - {Status.AWAITED}
