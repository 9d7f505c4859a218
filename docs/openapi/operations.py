"""The operations: purpose, body, answers and refusals. Routes and methods come from the functions themselves.

A new HTTP function is described here, in OPERATIONS.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from docs.openapi.examples import LIFE_CYCLE_EVENTS, NOTICES, PATCHES, POSITIONS, Examples, answered
from shared import errors
from shared.domain.callers import Scope
from shared.errors import ArchiveError
from shared.wire.debtors import DebtorParameters
from shared.wire.headers import JSON, MERGE_PATCH
from shared.wire.queries import AtParameter, HistoryParameters, ListParameters


@dataclass(frozen=True)
class Body:
    """What an operation takes."""

    schema: str
    examples: Examples
    media_types: tuple[str, ...] = (JSON,)


@dataclass(frozen=True)
class Answer:
    """What an operation answers, with one example or several by name.

    `etag` names the header that describes its tag, `headers` some more of HEADERS.
    """

    description: str
    schema: str | None = None
    example: Any = None
    etag: str | None = None
    links: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    examples: Examples = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """The description of an operation. `parameters` are names of PARAMETERS. `scope` is None if it needs no key.

    `takes_any_number`: a notice number in the address is not refused if it breaks its form.
    """

    tag: str
    summary: str
    description: str
    answers: Mapping[int, Answer]
    refusals: tuple[type[ArchiveError], ...]
    scope: Scope | None = None
    query: type[BaseModel] | None = None
    parameters: tuple[str, ...] = ()
    body: Body | None = None
    refused_as_gpd_does: bool = False
    takes_any_number: bool = False


UNDESCRIBED = {"get_contract_page", "get_contract_page_file", "zz_unknown_address"}
"""Functions that programs do not call: they are no operations of the contract."""

TAGS = {
    "publish_notice": "Publish a notice (pubblicazione di un avviso).",
    "update_notice": "Change a notice, or declare what happened to it (aggiornamento, annullamento, chiusura).",
    "get_notice": "Read notices and their history (consultazione).",
    "pull_payments": "Find what a debtor can pay (pagamenti pull), for the services through which citizens pay.",
    "pa_create_position": "The primitive that institutions call today (paCreatePosition).",
    "stand_in": "For pagoPA: whether a notice can be paid while the system of its institution is down (Stand-In).",
    "health": "Whether the archive works.",
    "contract": "This document.",
}

_TO_A_NOTICE = ("get", "history", "amend", "declare")
_OF_A_FILE = ("Cache-Control", "X-Content-Type-Options")

# The refusals of an operation, by its kind.
_CALLED = (
    errors.Unauthenticated, errors.InvalidParameter, errors.ScopeNotGranted, errors.InstitutionNotGranted,
    errors.StoreUnavailable,
)  # fmt: skip
_OF_INSTITUTION = (*_CALLED, errors.InstitutionNotFound)
_OF_NOTICE = (*_OF_INSTITUTION, errors.SegregationCodeNotGranted)
_READS = (
    errors.UnsupportedMediaType,
    errors.LengthRequired,
    errors.BodyTooLarge,
    errors.InvalidJson,
    errors.InvalidEncoding,
    errors.InvalidBody,
)
_PRECONDITION = (errors.InvalidHeader, errors.PreconditionFailed)
_CHANGES = (
    *_OF_NOTICE, *_READS, *_PRECONDITION,
    errors.NoticePaid, errors.NoticeReported, errors.NoticeCancelled, errors.NoticeClosed,
    errors.StaleDeclaration, errors.ManagedByGpd, errors.NotDoneInTime,
)  # fmt: skip
_CREATES = (
    *_OF_NOTICE, *_READS, errors.NoIbanRegistered, errors.NothingToCancel,
    errors.DueDateInPast, errors.NoticeCancelled, errors.NoticeClosed, errors.NoticePaid, errors.NoticeReported,
    errors.ManagedByGpd, errors.IuvIsFixed, errors.IuvAlreadyUsed, errors.NotDoneInTime,
)  # fmt: skip
_STATES = (errors.NoIbanRegistered, errors.DueDateInPast, errors.IuvIsFixed)

_EXAMPLES = answered()

OPERATIONS: Mapping[str, Operation] = {
    "publish_notice": Operation(
        tag="publish_notice",
        summary="Publish a notice",
        description="Creates the notice, or replaces its content. The same content again changes nothing. Fields that"
        " the archive adds are ignored, so you can send back a notice that you have read.",
        scope=Scope.NOTICES_WRITE,
        parameters=("If-Match", "IfNew"),
        body=Body("Notice", NOTICES),
        answers={
            200: Answer("It existed. It is as stated now.", "NoticeShown", _EXAMPLES["amended"], "ETag", _TO_A_NOTICE),
            201: Answer("It is new.", "NoticeShown", _EXAMPLES["published"], "ETag", _TO_A_NOTICE),
        },
        refusals=(*_CHANGES, *_STATES, errors.InvalidNoticeNumber, errors.IuvAlreadyUsed),
    ),
    "amend_notice": Operation(
        tag="update_notice",
        summary="Amend a notice",
        description="Changes the fields of the body, and keeps the others (JSON merge patch, RFC 7396). Null clears a"
        " field or sets its default. Objects merge key by key. Lists are replaced as a whole.",
        scope=Scope.NOTICES_WRITE,
        parameters=("If-Match",),
        body=Body("NoticePatch", PATCHES, (MERGE_PATCH, JSON)),
        answers={
            200: Answer("The notice as it is now.", "NoticeShown", _EXAMPLES["amended"], "ETag", _TO_A_NOTICE),
        },
        refusals=(*_CHANGES, *_STATES, errors.NoticeNotFound),
    ),
    "declare_event": Operation(
        tag="update_notice",
        summary="Cancel, close or restore a notice",
        description="Declares that the notice is cancelled (annullato), or closed because it was paid outside pagoPA,"
        " or restored because that was a mistake. The same declaration again changes nothing.",
        scope=Scope.NOTICES_WRITE,
        parameters=("If-Match",),
        body=Body("LifeCycleEvent", LIFE_CYCLE_EVENTS),
        answers={
            200: Answer("The notice as it is now.", "NoticeShown", _EXAMPLES["cancelled"], "ETag", _TO_A_NOTICE),
        },
        refusals=(*_CHANGES, errors.NoticeNotFound, errors.NoticeExpired),
    ),
    "get_notice": Operation(
        tag="get_notice",
        summary="Read a notice",
        description="Shows the notice as it is now. With `at`, it shows the notice as the archive knew it then.",
        scope=Scope.NOTICES_READ,
        query=AtParameter,
        parameters=("If-None-Match",),
        answers={
            200: Answer("The notice.", "NoticeShown", _EXAMPLES["published"], "ETag", _TO_A_NOTICE),
            304: Answer("The client has it already.", etag="ETag"),
        },
        refusals=(*_OF_NOTICE, errors.InvalidHeader, errors.NoticeNotFound),
    ),
    "get_history": Operation(
        tag="get_notice",
        summary="Read the history of a notice",
        description="Shows the events of the notice, oldest first, page by page. Each event is a version. A page of"
        " large events has fewer than `limit`.",
        scope=Scope.NOTICES_READ,
        query=HistoryParameters,
        answers={200: Answer("A page of events.", "History", _EXAMPLES["history"], links=("get", "later"))},
        refusals=(*_OF_NOTICE, errors.InvalidCursor, errors.NoticeNotFound),
    ),
    "list_notices": Operation(
        tag="get_notice",
        summary="List the notices of an institution",
        description="Shows the notices that the caller was granted, page by page. The order is by number, by due date"
        " if you filter by it, by change if you filter by it.",
        scope=Scope.NOTICES_READ,
        query=ListParameters,
        answers={200: Answer("A page of notices.", "NoticeList", _EXAMPLES["list"], links=("first", "next"))},
        refusals=(*_OF_INSTITUTION, errors.InvalidCursor),
    ),
    "list_open_notices": Operation(
        tag="pull_payments",
        summary="List the notices that a debtor can pay",
        description="Shows the notices that the debtor can pay now, of every institution that the caller was granted,"
        " by due date, page by page. The list follows the notices within seconds. So ask whether a notice is still"
        " payable before it is paid. Notices of `ANONIMO` are in no list.",
        scope=Scope.DEBTORS_READ,
        query=DebtorParameters,
        parameters=("x-tax-code",),
        answers={200: Answer("A page of notices.", "OpenNoticeList", _EXAMPLES["open"], links=("nextOpen",))},
        refusals=(
            errors.Unauthenticated,
            errors.InvalidParameter,
            errors.InvalidHeader,
            errors.InvalidCursor,
            errors.ScopeNotGranted,
            errors.StoreUnavailable,
        ),
    ),
    "pa_create_position": Operation(
        tag="pa_create_position",
        summary="Create, update or cancel a position",
        description="Works like the call of this name in GPD: creates the position, updates it, or cancels it if the"
        " amount is 0. It is found by `nav`, else by the IUV. Unknown fields are ignored.",
        scope=Scope.NOTICES_WRITE,
        parameters=("segregationCodes",),
        body=Body("Position", POSITIONS),
        answers={200: Answer("The position as it is now.", "PositionShown", _EXAMPLES["position"])},
        refusals=_CREATES,
        refused_as_gpd_does=True,
    ),
    "get_payability": Operation(
        tag="stand_in",
        summary="Ask whether a notice can be paid in Stand-In",
        description="Answers with all that the Nodo needs for verify and activate, or with the fault that it answers to"
        " the PSP. It is the truth of this moment. A number that is unknown, or that no notice can have, is a fault"
        " too, not 404.",
        scope=Scope.STAND_IN_READ,
        answers={
            200: Answer(
                "The notice can be paid, or not.",
                "Payability",
                examples={
                    "payable": ("It can be paid", _EXAMPLES["payable"]),
                    "not payable": ("It was cancelled", _EXAMPLES["not payable"]),
                },
            ),
        },
        refusals=_OF_NOTICE,
        takes_any_number=True,
    ),
    "health": Operation(
        tag="health",
        summary="Check whether the archive works",
        description="Answers 200 if the store reads and writes, within a second. HEAD answers the same, without"
        " a body.",
        answers={200: Answer("It works.", "Health", _EXAMPLES["health"], headers=("Cache-Control",))},
        refusals=(errors.InvalidParameter, errors.StoreUnavailable),
    ),
    "get_contract": Operation(
        tag="contract",
        summary="Read this document",
        description="The page that shows it is at `/api/docs`.",
        parameters=("If-None-Match",),
        answers={
            200: Answer("The document.", "Contract", etag="FileETag", headers=_OF_A_FILE),
            304: Answer("The client has it already.", etag="FileETag", headers=_OF_A_FILE),
        },
        refusals=(errors.InvalidHeader, errors.InvalidParameter),
    ),
}
