"""Every refusal the archive knows, one class each. `code` is permanent, clients switch on it.

    ArchiveError
    ├── 400 Unreadable          InvalidJson · InvalidEncoding · InvalidHeader · InvalidParameter · InvalidCursor
    ├── 401 Unauthenticated
    ├── 403 Forbidden           ScopeNotGranted · InstitutionNotGranted · SegregationCodeNotGranted
    ├── 404 NotFound            InstitutionNotFound · NoticeNotFound · FileNotThere · AddressNotFound
    ├── 405 MethodNotAllowed
    ├── 409 Conflict            NoticeCancelled · NoticeClosed · NoticePaid · NoticeReported
    │                           StaleDeclaration · ManagedByGpd · ManagedByEc · IuvIsFixed · IuvAlreadyUsed
    ├── 411 LengthRequired
    ├── 412 PreconditionFailed
    ├── 413 BodyTooLarge
    ├── 415 UnsupportedMediaType
    ├── 422 Unprocessable       InvalidBody · InvalidNoticeNumber · NoIbanRegistered
    │                           DueDateInPast · NoticeExpired · NothingToCancel
    ├── 500 InternalError
    └── 503 Unavailable         StoreUnavailable · NotDoneInTime · NotConfigured

The HTTP status stands here because it is the language all readers of these errors share. `shared/http.py` renders them.
No error holds personal data, nor the text of another exception.
"""

from shared.errors.archive_error import (
    LONGEST_RETRY_AFTER,
    ArchiveError,
    InvalidValue,
    Violation,
)
from shared.errors.of_notices import (
    AddressNotFound,
    Conflict,
    DueDateInPast,
    FileNotThere,
    InstitutionNotFound,
    InvalidBody,
    InvalidNoticeNumber,
    IuvAlreadyUsed,
    IuvIsFixed,
    ManagedByEc,
    ManagedByGpd,
    NoIbanRegistered,
    NotFound,
    NothingToCancel,
    NoticeCancelled,
    NoticeClosed,
    NoticeExpired,
    NoticeNotFound,
    NoticePaid,
    NoticeReported,
    PreconditionFailed,
    StaleDeclaration,
    Unprocessable,
)
from shared.errors.of_requests import (
    BodyTooLarge,
    Forbidden,
    InstitutionNotGranted,
    InvalidCursor,
    InvalidEncoding,
    InvalidHeader,
    InvalidJson,
    InvalidParameter,
    LengthRequired,
    MethodNotAllowed,
    ScopeNotGranted,
    SegregationCodeNotGranted,
    Unauthenticated,
    Unreadable,
    UnsupportedMediaType,
)
from shared.errors.of_the_archive import (
    InternalError,
    NotConfigured,
    NotDoneInTime,
    StoreUnavailable,
    Unavailable,
)

__all__ = [
    "LONGEST_RETRY_AFTER",
    "AddressNotFound",
    "ArchiveError",
    "BodyTooLarge",
    "Conflict",
    "DueDateInPast",
    "FileNotThere",
    "Forbidden",
    "InstitutionNotFound",
    "InstitutionNotGranted",
    "InternalError",
    "InvalidBody",
    "InvalidCursor",
    "InvalidEncoding",
    "InvalidHeader",
    "InvalidJson",
    "InvalidNoticeNumber",
    "InvalidParameter",
    "InvalidValue",
    "IuvAlreadyUsed",
    "IuvIsFixed",
    "LengthRequired",
    "ManagedByEc",
    "ManagedByGpd",
    "MethodNotAllowed",
    "NoIbanRegistered",
    "NotConfigured",
    "NotDoneInTime",
    "NotFound",
    "NothingToCancel",
    "NoticeCancelled",
    "NoticeClosed",
    "NoticeExpired",
    "NoticeNotFound",
    "NoticePaid",
    "NoticeReported",
    "PreconditionFailed",
    "ScopeNotGranted",
    "SegregationCodeNotGranted",
    "StaleDeclaration",
    "StoreUnavailable",
    "Unauthenticated",
    "Unavailable",
    "Unprocessable",
    "Unreadable",
    "UnsupportedMediaType",
    "Violation",
    "catalogue",
]


def catalogue() -> list[type[ArchiveError]]:
    """Return every error that a caller can get, by status, in the order of the tree above."""

    def concrete(branch: type[ArchiveError]) -> list[type[ArchiveError]]:
        own = [branch] if "code" in vars(branch) else []
        return own + [error for child in branch.__subclasses__() for error in concrete(child)]

    return sorted(concrete(ArchiveError), key=lambda error: error.status)
