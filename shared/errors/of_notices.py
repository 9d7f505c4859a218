"""Refusals about a notice: it is not there, its state does not allow the change, its content breaks a rule."""

from shared.errors.archive_error import ArchiveError


class NotFound(ArchiveError):
    """There is nothing at the address."""

    status = 404


class InstitutionNotFound(NotFound):
    """The creditor institution is not registered."""

    code = "institution_not_found"
    title = "The creditor institution is not registered"
    advice = "Check the fiscal code, or ask the operators of the archive to register the institution."


class NoticeNotFound(NotFound):
    """The notice was not communicated."""

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


class Conflict(ArchiveError):
    """The state of the notice does not allow the request."""

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


class PreconditionFailed(ArchiveError):
    """The version of the notice is another than If-Match or If-None-Match expects."""

    code = "precondition_failed"
    status = 412
    title = "The precondition does not hold"
    advice = "GET the notice and repeat the request with its new ETag."


class Unprocessable(ArchiveError):
    """The request can be read and breaks a rule."""

    status = 422


class InvalidBody(Unprocessable):
    """The body breaks rules. All of them are in `violations`."""

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
