"""Refusals that are not the fault of the request: the archive fails, or cannot answer now."""

from shared.errors.archive_error import ArchiveError


class InternalError(ArchiveError):
    """A bug of the archive. The answer holds no detail of it."""

    code = "internal_error"
    status = 500
    title = "The archive failed"
    advice = "Repeat the request. If it fails again, give the X-Request-Id to the operators of the archive."


class Unavailable(ArchiveError):
    """Not now. The same request is worth sending again."""

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
