"""Refusals of a request as such: its form, its caller, its address."""

from collections.abc import Iterable

from shared.errors.archive_error import ArchiveError


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
    """The caller is known, and it does not have the grant for this request."""

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


class LengthRequired(ArchiveError):
    """The body came without its length. The platform drops such a body."""

    code = "length_required"
    status = 411
    title = "The length of the body is missing"
    advice = "Send Content-Length with the body, not Transfer-Encoding: chunked. A body without a length is lost."


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
