"""Access, addresses, and reads of notices, histories and lists."""

from collections.abc import Iterator

from bench.corpus.case import FIRST, Case, get, path_of, put
from bench.notices import KEY, LENIENT, STRICT, body, dumps, number_of

PLATFORM = "local-platform"
"""The key of a caller that reads only."""


def access() -> Iterator[Case]:
    """Yield requests of callers that may not do this, and addresses that are not there."""
    path, text = path_of(100), {"Content-Type": "text/plain"}
    another = "/api/v1/creditor-institutions/12345678903/notices"
    wrong = f"{STRICT}/{number_of(FIRST)[:-2]}00"
    sent = dumps(body())
    yield Case("access: no key", "PUT", path, 401, "unauthenticated", sent, {"Content-Type": "application/json"})
    yield Case("access: no key to read", "GET", path, 401, "unauthenticated", headers={})
    yield put("access: an unknown key", path, sent, 401, "unauthenticated", Ocp_Apim_Subscription_Key="x")
    yield put("access: no scope", path, sent, 403, "scope_not_granted", Ocp_Apim_Subscription_Key=PLATFORM)
    yield put("access: another institution", f"{another}/{number_of(1)}", sent, 403, "institution_not_granted")
    yield get("access: a list of another institution", another, 403, "institution_not_granted")
    yield put("access: another segregation code", path_of(1, "49"), sent, 403, "segregation_code_not_granted")
    yield get("access: a read of another segregation code", path_of(1, "49"), 403, "segregation_code_not_granted")
    yield get(
        "access: an institution that is not there",
        f"{another}/{number_of(1)}",
        404,
        "institution_not_found",
        Ocp_Apim_Subscription_Key=PLATFORM,
    )
    yield Case("a media type", "PUT", path, 415, "unsupported_media_type", sent, {**KEY, **text})
    yield put("a charset", path, sent, 415, "unsupported_media_type", Content_Type="application/json; charset=latin1")
    yield put("too large", path, sent + b" " * 262_144, 413, "body_too_large")
    yield put("a number: wrong check digits", wrong, sent, 422, "notice_number")
    yield put("a number: 17 digits", f"{STRICT}/{number_of(1)[:-1]}", sent, 403, "segregation_code_not_granted")
    yield put("a number: too long", f"{LENIENT}/{'A' * 36}", sent, 422, "notice_number")
    yield put("a number: with a hyphen", f"{LENIENT}/AVVISO-1", sent, 422, "notice_number")
    yield get("an unknown address", "/api/v1/notices", 404, "address_not_found")
    yield Case("an unknown method", "DELETE", path, 405, "method_not_allowed", headers=KEY)


def reads() -> Iterator[Case]:
    """Yield reads of notices, histories and lists."""
    path, changed = path_of(100), path_of(200)
    tag = '"1-ACTIVE"'
    yield get("read: the client has it", path, 304, If_None_Match=tag)
    yield get("read: the client has one of several", path, 304, If_None_Match=f'"9-PAID", W/{tag}')
    yield get("read: the client has any", path, 304, If_None_Match="*")
    yield get("read: the client has another", path, If_None_Match='"2-ACTIVE"')
    yield get("read: no tag", path, 400, "invalid_header", If_None_Match="1-ACTIVE")
    yield get("read: an unknown parameter", f"{path}?x=1", 400, "invalid_parameter")
    yield get("read: unknown", path_of(999), 404, "notice_not_found")
    yield get("read: with another key", path, Ocp_Apim_Subscription_Key=PLATFORM)
    yield get("history", f"{changed}/events")
    yield get("history: a page", f"{changed}/events?limit=2")
    yield get("history: the next page", f"{changed}/events?limit=2&cursor={{cursor}}")
    yield get("history: of another notice", f"{path}/events?cursor={{cursor}}", 400, "invalid_cursor")
    yield get("history: no cursor", f"{changed}/events?cursor=x", 400, "invalid_cursor")
    yield get("history: no limit", f"{changed}/events?limit=0", 400, "invalid_parameter")
    yield get("history: unknown", f"{path_of(999)}/events", 404, "notice_not_found")
    yield get("list", f"{STRICT}?limit=500")
    yield get("list: a page", f"{STRICT}?limit=5")
    yield get("list: the next page", f"{STRICT}?limit=5&cursor={{cursor}}")
    yield get("list: another size", f"{STRICT}?limit=7&cursor={{cursor}}")
    yield get("list: the cursor of other filters", f"{STRICT}?status=ACTIVE&cursor={{cursor}}", 400, "invalid_cursor")
    yield get("list: active", f"{STRICT}?status=ACTIVE&limit=9")
    yield get("list: active, the next page", f"{STRICT}?status=ACTIVE&limit=500&cursor={{cursor}}")
    yield get("list: scheduled", f"{STRICT}?status=SCHEDULED")
    yield get("list: expired", f"{STRICT}?status=EXPIRED")
    yield get("list: paid", f"{STRICT}?status=PAID")
    yield get("list: no such status", f"{STRICT}?status=OPEN", 400, "invalid_parameter")
    yield get("list: too long", f"{STRICT}?limit=501", 400, "invalid_parameter")
    yield get("list: twice", f"{STRICT}?limit=5&limit=5", 400, "invalid_parameter")
    yield get("list: unknown", f"{STRICT}?number=1", 400, "invalid_parameter")
    yield get("list: no cursor", f"{STRICT}?cursor=x", 400, "invalid_cursor")
    yield get("list: a lenient institution", LENIENT)
