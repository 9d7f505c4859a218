"""Every refusal the archive knows, one class each; `code` is permanent, clients switch on it.

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

The HTTP status stands here because it is the language all readers of these errors share; `shared/http.py` renders them.
No error holds personal data, nor the text of another exception.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import ClassVar

LONGEST_RETRY_AFTER = 60
"""Seconds that a client is asked to wait, at most."""


class InvalidValue(ValueError):
    """A text or number that breaks a rule of the domain; `code` names the rule, `message` says it without the value."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken by one field of a body; `field` is a path such as `transfers[0].iban`."""

    field: str
    code: str
    message: str


class ArchiveError(Exception):
    """Why the archive does not do what it was asked."""

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]
    advice: ClassVar[str]
    """The next step of the caller; printed in docs/errors.md."""
    headers: Mapping[str, str] = MappingProxyType({})
    """Headers of the answer that belong to the error."""
    retry_after: int = 0
    """Seconds after which the same request may succeed; 0 if a repetition cannot help."""

    def __init__(
        self, detail: str | None = None, violations: Iterable[Violation] = (), retry_after: float | None = None
    ) -> None:
        """`detail` is the next step of the caller in this case, in place of `advice`. It never holds a value."""
        super().__init__(self.title)
        self.detail = detail or self.advice
        self.violations = tuple(violations)
        if retry_after is not None:
            self.retry_after = min(max(1, ceil(retry_after)), LONGEST_RETRY_AFTER)


class Unreadable(ArchiveError):
    """The request cannot be read."""

    status = 400


class InvalidJson(Unreadable):
    """The body is not one JSON value: bad syntax, NaN, nesting beyond reason."""

    code = "invalid_json"
    title = "The body is not JSON"
    advice = "Send one JSON object (RFC 8259). NaN and Infinity are not JSON."


class InvalidEncoding(Unreadable):
    """The body is not UTF-8, or holds a lone surrogate."""

    code = "invalid_encoding"
    title = "The body is not UTF-8"
    advice = "Encode the body in UTF-8, without a byte order mark and without lone surrogates."


class InvalidHeader(Unreadable):
    """A header cannot be read, or two contradict each other."""

    code = "invalid_header"
    title = "A header cannot be read"
    advice = "Correct the header that `detail` names."


class InvalidParameter(Unreadable):
    """A query parameter is unknown or cannot be read."""

    code = "invalid_parameter"
    title = "A query parameter cannot be read"
    advice = "Correct the parameters that `violations` names."


class InvalidCursor(Unreadable):
    """The cursor was not made by the archive, or for other filters."""

    code = "invalid_cursor"
    title = "The cursor does not belong to this list"
    advice = "Use `nextCursor` as it was given, with the same filters; otherwise begin again without a cursor."


class Unauthenticated(ArchiveError):
    """No key, or none that is live."""

    code = "unauthenticated"
    status = 401
    title = "The subscription key is missing or not valid"
    advice = "Send the key of the caller in the header Ocp-Apim-Subscription-Key. No other header is read for it."


class Forbidden(ArchiveError):
    """The caller is known; what it asks was not granted to it."""

    status = 403


class ScopeNotGranted(Forbidden):
    """The caller lacks the scope of the operation."""

    code = "scope_not_granted"
    title = "The operation is not granted to this caller"
    advice = "Ask the operators of the archive for the scope that `detail` names."


class InstitutionNotGranted(Forbidden):
    """The caller may not act for the creditor institution."""

    code = "institution_not_granted"
    title = "The creditor institution is not granted to this caller"
    advice = "Check the fiscal code of the institution, or ask the operators of the archive for the grant."


class SegregationCodeNotGranted(Forbidden):
    """The caller may act for the institution, not for the segregation code of the notice number."""

    code = "segregation_code_not_granted"
    title = "The segregation code is not granted to this caller"
    advice = "Check the notice number. A number without a segregation code needs the grant of all codes (*)."


class NotFound(ArchiveError):
    """What the address names is not there."""

    status = 404


class InstitutionNotFound(NotFound):
    """Nobody registered the creditor institution."""

    code = "institution_not_found"
    title = "The creditor institution is not registered"
    advice = "Check the fiscal code, or ask the operators of the archive to register the institution."


class NoticeNotFound(NotFound):
    """Nobody communicated the notice."""

    code = "notice_not_found"
    title = "The notice is not in the archive"
    advice = "Check the fiscal code of the institution and the notice number. PUT publishes a new notice."


class FileNotThere(NotFound):
    """The page of the contract has no such file."""

    code = "file_not_found"
    title = "There is no such file"
    advice = "Open the page at /api/docs. It loads its files by itself."


class AddressNotFound(NotFound):
    """The archive has no such address."""

    code = "address_not_found"
    title = "There is no such address"
    advice = "Check the address: the contract at /api/openapi.json names all of them."


class MethodNotAllowed(ArchiveError):
    """The address does not have the method."""

    code = "method_not_allowed"
    status = 405
    title = "The address does not have this method"
    advice = "Use one of the methods that the header Allow names."

    def __init__(self, methods: Iterable[str] = ()) -> None:
        """`methods` are those that the address has."""
        super().__init__()
        self.headers = {"Allow": ", ".join(methods)}


class Conflict(ArchiveError):
    """The request contradicts what the archive knows of the notice."""

    status = 409


class NoticeCancelled(Conflict):
    """The notice is cancelled."""

    code = "notice_cancelled"
    title = "The notice is cancelled"
    advice = "If the debt still stands, restore the notice: POST an event of type restored. Then repeat the request."


class NoticeClosed(Conflict):
    """The notice is closed: paid outside pagoPA."""

    code = "notice_closed"
    title = "The notice is closed"
    advice = "If the debt still stands, restore the notice: POST an event of type restored. Then repeat the request."


class NoticePaid(Conflict):
    """The notice is paid."""

    code = "notice_paid"
    title = "The notice is paid"
    advice = "A payment is final: change nothing. Publish a new notice, with a number of its own, for a new debt."


class NoticeReported(Conflict):
    """The notice is paid and settled."""

    code = "notice_reported"
    title = "The notice is paid and settled"
    advice = "A payment is final: change nothing. Publish a new notice, with a number of its own, for a new debt."


class StaleDeclaration(Conflict):
    """The archive holds a later declaration of the same kind."""

    code = "stale_declaration"
    title = "The declaration is older than the stored one"
    advice = "If the later one is right, do nothing. Otherwise repeat the request with a later occurredAt."


class ManagedByGpd(Conflict):
    """The notice came from GPD, which alone declares what happens to it."""

    code = "managed_by_gpd"
    title = "The notice is managed by GPD"
    advice = "Change the position in Gestione Posizioni Debitorie (GPD). GPD then updates the archive."


class ManagedByEc(Conflict):
    """The notice came from its creditor institution, which alone declares what happens to it."""

    code = "managed_by_ec"
    title = "The notice is managed by its creditor institution"
    advice = "Only the institution that published the notice can change it."


class IuvIsFixed(Conflict):
    """The notice is known under another IUV."""

    code = "iuv_is_fixed"
    title = "The IUV of a notice does not change"
    advice = "Leave iuv out, or send the one that GET shows."


class IuvAlreadyUsed(Conflict):
    """The IUV names another notice of the institution."""

    code = "iuv_already_used"
    title = "The IUV already names another notice"
    advice = "Use another IUV, or the notice number that has this IUV."


class LengthRequired(ArchiveError):
    """The body came without its length, and the platform hands such a body over to nobody."""

    code = "length_required"
    status = 411
    title = "The length of the body is missing"
    advice = "Send Content-Length with the body, not Transfer-Encoding: chunked. A body without a length is lost."


class PreconditionFailed(ArchiveError):
    """The version of the notice is another than If-Match or If-None-Match expects."""

    code = "precondition_failed"
    status = 412
    title = "The precondition does not hold"
    advice = "GET the notice and repeat the request with its new ETag."


class BodyTooLarge(ArchiveError):
    """The body is larger than the operation takes."""

    code = "body_too_large"
    status = 413
    title = "The body is too large"
    advice = "Send at most 262,144 bytes (256 KiB) for one notice."


class UnsupportedMediaType(ArchiveError):
    """The body is declared as something the operation does not take."""

    code = "unsupported_media_type"
    status = 415
    title = "The media type is not supported"
    advice = "Send the Content-Type that `detail` names, in UTF-8, without Content-Encoding."


class Unprocessable(ArchiveError):
    """The request can be read and breaks a rule."""

    status = 422


class InvalidBody(Unprocessable):
    """The body breaks rules; all of them are in `violations`."""

    code = "invalid_body"
    title = "The body breaks one or more rules"
    advice = "Correct every field that `violations` names."


class InvalidNoticeNumber(Unprocessable):
    """The notice number breaks the form or the check digits of its institution."""

    code = "notice_number"
    title = "The notice number is not valid"
    advice = "Send 18 digits. The last two are the remainder of the first sixteen divided by 93."


class NoIbanRegistered(Unprocessable):
    """The notice names no IBAN and the institution has no default."""

    code = "no_iban_registered"
    title = "No IBAN is given and none is registered"
    advice = "Send an IBAN, or ask the operators of the archive to register one labelled ACA for the institution."


class DueDateInPast(Unprocessable):
    """A binding due date has passed already."""

    code = "due_date_in_past"
    title = "A binding due date cannot be in the past"
    advice = "Send a later due date, or switchToExpired false: then the notice stays payable after its due date."


class NoticeExpired(Unprocessable):
    """The notice is expired. A new due date makes it payable, a restoration does not."""

    code = "notice_expired"
    title = "The notice is expired"
    advice = "PATCH the notice with a later due date. It is payable again at once."


class NothingToCancel(Unprocessable):
    """A position with amount 0 cancels a notice that is not known."""

    code = "nothing_to_cancel"
    title = "There is no notice to cancel"
    advice = "Amount 0 cancels a known notice. Check iuv and nav, or send an amount of at least one cent."


class InternalError(ArchiveError):
    """A defect of the archive; nothing of it is told."""

    code = "internal_error"
    status = 500
    title = "The archive failed"
    advice = "Repeat the request. If it fails again, give the X-Request-Id to the operators of the archive."


class Unavailable(ArchiveError):
    """Not now; the same request is worth sending again."""

    status = 503
    retry_after = 1


class StoreUnavailable(Unavailable):
    """The store does not answer, or is full."""

    code = "store_unavailable"
    title = "The store does not answer"
    advice = "Repeat the request after Retry-After seconds. A repetition does no harm, and nothing confirmed is lost."


class NotDoneInTime(Unavailable):
    """Many requests change the notice at once, or the time of the request is over."""

    code = "not_done_in_time"
    title = "The archive could not do it in time"
    advice = "Repeat the request after Retry-After seconds. A repetition does no harm."


class NotConfigured(Unavailable):
    """A setting of the archive is wrong or missing."""

    code = "not_configured"
    title = "The archive is not set up"
    advice = "Nothing is wrong with the request. Tell the operators of the archive: its log names the setting."
    retry_after = 60


def catalogue() -> list[type[ArchiveError]]:
    """Every error that can be answered, in the order of the tree above."""

    def concrete(branch: type[ArchiveError]) -> list[type[ArchiveError]]:
        own = [branch] if "code" in vars(branch) else []
        return own + [error for child in branch.__subclasses__() for error in concrete(child)]

    return concrete(ArchiveError)
