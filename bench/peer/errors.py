"""The refusals of the peer. `code` is the one of the archive's contract."""

from collections.abc import Iterable
from typing import Any

_TITLES = {
    "invalid_json": (400, "The body is not JSON"),
    "invalid_encoding": (400, "The body is not UTF-8"),
    "invalid_header": (400, "A header cannot be read"),
    "invalid_parameter": (400, "A query parameter cannot be read"),
    "invalid_cursor": (400, "The cursor does not belong to this list"),
    "unauthenticated": (401, "The subscription key is missing or not valid"),
    "scope_not_granted": (403, "The operation is not granted to this caller"),
    "institution_not_granted": (403, "The creditor institution is not granted to this caller"),
    "segregation_code_not_granted": (403, "The segregation code is not granted to this caller"),
    "institution_not_found": (404, "The creditor institution is not registered"),
    "notice_not_found": (404, "The notice is not in the archive"),
    "address_not_found": (404, "There is no such address"),
    "method_not_allowed": (405, "The address does not have this method"),
    "stale_declaration": (409, "The declaration is older than the stored one"),
    "iuv_is_fixed": (409, "The IUV of a notice does not change"),
    "iuv_already_used": (409, "The IUV already names another notice"),
    "precondition_failed": (412, "The precondition does not hold"),
    "body_too_large": (413, "The body is too large"),
    "unsupported_media_type": (415, "The media type is not supported"),
    "invalid_body": (422, "The body breaks one or more rules"),
    "notice_number": (422, "The notice number is not valid"),
    "no_iban_registered": (422, "No IBAN is given and none is registered"),
    "due_date_in_past": (422, "A binding due date cannot be in the past"),
    "not_done_in_time": (503, "The archive could not do it in time"),
}


class Refusal(Exception):
    """A refusal, as a problem document."""

    def __init__(self, code: str, violations: Iterable[dict[str, Any]] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.title = _TITLES[code]
        self.violations = list(violations)

    def document(self, path: str) -> dict[str, Any]:
        """Return the problem document (RFC 9457)."""
        document: dict[str, Any] = {
            "type": f"urn:archivio-avvisi:error:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.title,
            "instance": path,
            "code": self.code,
        }
        if self.violations:
            document["violations"] = self.violations
        return document
