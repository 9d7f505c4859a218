"""Mistakes that developers make, and whether the answer alone says how to mend each.

Each row is a mistake, the request, and words of the answer that mend it. `make mistakes` prints mistake and answer, for
a reader to judge.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import httpx
import orjson
import pytest

from shared.bootstrap import Application
from shared.domain.callers import EVERY, Scope
from tests.functions.client import A_TRANSFER, KEY, declare, path_of, publish, register_caller
from tests.functions.positions import CALL, a_position
from tests.support import HOUR, INSTITUTION, NUMBER, StillClock, a_body, a_number

NOTICE, KNOWN, CANCELLED, EXPIRED = (path_of(a_number(serial)) for serial in range(101, 105))
LIST = f"/creditor-institutions/{INSTITUTION}/notices"
DEBTOR = {"type": "F", "fiscalCode": "RSSMRA80A01H501U", "fullName": "Mario Rossi"}
UNREGISTERED = path_of(NUMBER, "12345678903")
A_LATE_RESTORATION = {"type": "restored", "occurredAt": "2026-11-23T09:00:00Z"}
BLANKS = "segregationCodes=47,%2048"
NOTHING: Mapping[str, str] = MappingProxyType({})
LATIN_1 = "application/json; charset=iso-8859-1"
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Mistake:
    """What was done wrong: a request, and the words by which its answer mends it."""

    what: str
    says: tuple[str, ...]
    method: str = "GET"
    path: str = KNOWN
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def put(what: str, *says: str, path: str = NOTICE, headers: Mapping[str, str] = NOTHING, **changes: Any) -> Mistake:
    """Return a mistake in the body of a PUT."""
    return Mistake(what, says, "PUT", path, a_body(**changes), headers)


def raw(what: str, *says: str, content: bytes, headers: Mapping[str, str] = JSON) -> Mistake:
    """Return a mistake in the bytes of a PUT."""
    return Mistake(what, says, "PUT", NOTICE, content, headers)


def debtor(what: str, *says: str, **changes: Any) -> Mistake:
    """Return a mistake in the debtor of a PUT."""
    return put(what, "debtor.", *says, debtor={**DEBTOR, **changes})


def patch(what: str, *says: str, headers: Mapping[str, str] = NOTHING, **changes: Any) -> Mistake:
    """Return a mistake in a PATCH."""
    return Mistake(what, says, "PATCH", KNOWN, changes, headers)


def event(what: str, *says: str, path: str = KNOWN, **body: Any) -> Mistake:
    """Return a mistake in what is declared."""
    return Mistake(what, says, "POST", f"{path}/events", body)


def listing(what: str, query: str, *says: str) -> Mistake:
    """Return a mistake in the parameters of a list."""
    return Mistake(what, says, "GET", f"{LIST}?{query}")


def position(what: str, *says: str, **changes: Any) -> Mistake:
    """Return a mistake in a call of paCreatePosition."""
    return Mistake(what, says, "POST", CALL, a_position(**changes))


MISTAKES = [
    # Who calls
    Mistake("no key", ("Ocp-Apim-Subscription-Key",), headers={KEY: ""}),
    Mistake("a wrong key", ("Ocp-Apim-Subscription-Key", "unknown, expired or revoked"), headers={KEY: "wrong"}),
    Mistake("the key as Bearer", ("Ocp-Apim-Subscription-Key",), headers={KEY: "", "Authorization": "Bearer local-ec"}),
    Mistake("a key that may not write", ("notices:write", "operators"), "PUT", NOTICE, a_body(), {KEY: "reads-only"}),
    Mistake("the code of another institution", ("institution", "operators"), path=UNREGISTERED),
    Mistake("an institution that nobody registered", ("register",), path=UNREGISTERED, headers={KEY: "everything"}),
    put("a segregation code that is not granted", "Segregation code 02", "operators", path=path_of(a_number(1, "02"))),
    put("a number of 19 digits", "18 digits", "(*)", path=path_of(f"{NUMBER}0")),
    put("the IUV in place of the number", "18 digits", "(*)", path=path_of(NUMBER[1:])),
    put("a number with wrong check digits", "93", path=path_of(f"{NUMBER[:-1]}5")),
    Mistake("a number that nobody published", ("PUT", "number"), path=path_of(a_number(999))),
    # Bodies that cannot be read
    raw("no body", "empty", content=b""),
    raw("a byte order mark", "byte order mark", content=b"\xef\xbb\xbf" + orjson.dumps(a_body())),
    raw("Latin-1", "UTF-8", content='{"description": "città"}'.encode("latin-1")),
    raw("a trailing comma", "line 2", "column", content=b'{"amount": 1,\n}'),
    raw("a body that was cut", "line", "column", content=b'{"amount": 1, "descr'),
    raw("NaN", "line", content=b'{"amount": NaN}'),
    raw("single quotes", "line 1", content=b"{'amount': 1}"),
    raw("a list of one notice", "object", content=b"[{}]"),
    raw("no Content-Type", "is missing", "application/json", content=b"{}", headers={"Content-Type": ""}),
    raw("text/plain", "application/json", content=b"{}", headers={"Content-Type": "text/plain"}),
    raw("a form", "application/json", content=b"a=1", headers={"Content-Type": "application/x-www-form-urlencoded"}),
    raw("Latin-1 declared", "charset", "utf-8", content=b"{}", headers={"Content-Type": LATIN_1}),
    raw("gzip", "Content-Encoding", content=b"{}", headers={**JSON, "Content-Encoding": "gzip"}),
    put("300 kB", "262,144", "bytes", description="x" * 300_000),
    # Fields
    put("an amount in euro", "amount", "integer", amount=120.50),
    put("an amount as a text", "amount", "integer", "string", amount="12050"),
    put("an amount of 0", "amount", "1", amount=0),
    put("a missing due date", "dueDate", "required", dueDate=...),
    put("a misspelt field", "dueDate", duedate="2026-12-16", dueDate="2026-12-16"),
    put("null in a required field", "description", "required", description=None),
    put("an empty description", "description", description=""),
    put("a description of 300 characters", "255", description="x" * 300),
    put("a line end in a text", "U+000A", description="TARI\n2026"),
    put("a text without a visible character", "visible", companyName="\u200b"),
    put("a date without hyphens", "2026-12-16", dueDate="20261216"),
    put("a date with an offset", "offset", dueDate="2026-12-16+01:00"),
    put("an Italian date", "2026-12-16", dueDate="16/12/2026"),
    put("the 30th of February", "the month has no such day", dueDate="2027-02-30"),
    put("hour 24", "hour", dueDate="2026-12-16T24:00:00+01:00"),
    put("a binding due date in the past", "switchToExpired", dueDate="2026-01-01", switchToExpired=True),
    put("validFrom after the due date", "validFrom", "dueDate", validFrom="2027-01-01"),
    put("an occurredAt ahead of the clock", "occurredAt", "5 minutes", occurredAt="2026-11-23T11:00:00Z"),
    debtor("a fiscal code in lower case", "letters in lower case", fiscalCode="rssmra80a01h501u"),
    debtor("a blank in the fiscal code", "blank", fiscalCode="RSSMRA80A01 H501U"),
    debtor("a wrong check character", "check character", fiscalCode="RSSMRA80A01H501X"),
    debtor("a fiscal code of 15 characters", "16", fiscalCode="RSSMRA80A01H501"),
    debtor("a company code with a wrong digit", "check digit", fiscalCode="12345678901"),
    debtor("a debtor type that is none", "F", "G", type="P"),
    put("an IBAN in lower case", "letters in lower case", iban="it60x0542811101000000123456"),
    put("an IBAN with blanks", "blank", iban="IT60 X054 2811 1010 0000 0123 456"),
    put("an IBAN with wrong check digits", "check digits", iban="IT61X0542811101000000123456"),
    put("an IBAN with a wrong CIN", "CIN", iban="IT95Y0542811101000000123456"),
    put("a German IBAN", "IT or SM", iban="DE89370400440532013000"),
    put("an IBAN that is too short", "27", iban="IT60X05428111010000001234"),
    put("a postal IBAN of a bank", "Poste Italiane", postalIban="IT60X0542811101000000123456"),
    put("transfers that do not add up", "transfers", "add up", iban=..., transfers=[{**A_TRANSFER, "amount": 1}]),
    put("another IUV than the number's", "iuv", "number", iuv="47000000000000125"),
    # Amendments and events
    patch("a status in a PATCH", "status", "/events", status="CANCELLED"),
    patch("what the archive sets, in a PATCH", "version", "archive", version=7),
    event("an event type that does not exist", "cancelled", "closed", "restored", type="cancel"),
    event("no event type", "type", "required"),
    event("a restored notice that expired", "PATCH", "due date", path=EXPIRED, type="restored"),
    event("a closure of a cancelled notice", "restore", path=CANCELLED, type="closed"),
    event("a stale declaration", "occurredAt", "2026-11-23T10:00:00.000Z", path=CANCELLED, **A_LATE_RESTORATION),
    put("a PUT of a cancelled notice", "restore", path=CANCELLED),
    # Preconditions
    patch("an If-Match with the version alone", '"3-ACTIVE"', headers={"If-Match": '"1"'}, amount=1),
    patch("an If-Match without quotes", "quote", headers={"If-Match": "1-ACTIVE"}, amount=1),
    patch("an old version", "version 1", "GET", headers={"If-Match": '"9-ACTIVE"'}, amount=1),
    put("If-None-Match on a known notice", "exists", path=KNOWN, headers={"If-None-Match": "*"}),
    put("If-Match on an unknown notice", "no such notice", headers={"If-Match": '"1-ACTIVE"'}),
    # Parameters
    listing("a page number", "page=2", "cursor", "limit"),
    listing("a limit of 0", "limit=0", "limit", "1", "500"),
    listing("a limit of 1000", "limit=1000", "limit", "500"),
    listing("a status that does not exist", "status=OPEN", "ACTIVE"),
    listing("a time where a day is expected", "dueFrom=2026-12-16T10:00:00Z", "dueFrom", "day"),
    listing("a day where a time is expected", "updatedFrom=2026-12-16", "updatedFrom", "the time is missing"),
    listing("a parameter twice", "status=ACTIVE&status=PAID", "status", "once"),
    listing("a parameter without a value", "status=", "status"),
    listing("a parameter in another case", "Limit=5", "limit"),
    listing("a cursor of another list", "cursor=W10", "nextCursor"),
    Mistake("a future moment", ("at", "future"), path=f"{KNOWN}?at=2030-01-01T00:00:00Z"),
    Mistake("a parameter of a PUT", ("toPublish", "no parameter"), "PUT", f"{NOTICE}?toPublish=false", a_body()),
    # paCreatePosition
    position("an IUV as a number that lost its zero", "iuv", "string", iuv=1000000000007141),
    position("a date without an offset", "expirationDate", "offset", expirationDate="2026-12-16T23:59:59"),
    position("an IUV with wrong check digits", "iuv", iuv="47000000000000125"),
    position("an IUV of a code that is not granted", "code 00", "operators", iuv="001900000002032"),
    position("an IUV that begins with RF", "segregation code", "(*)", iuv="RF18539007547034"),
    position("a cancellation of an unknown position", "known", amount=0, iuv=a_number(77)[1:]),
    Mistake("codes with blanks", ("segregationCodes", "two digits"), "POST", f"{CALL}?{BLANKS}", a_position()),
]  # fmt: skip


@pytest.fixture
async def prepared(http: httpx.AsyncClient, application: Application, clock: StillClock) -> httpx.AsyncClient:
    """Return the client of an archive with a notice of each kind that the mistakes are about."""
    every = {EVERY: frozenset({EVERY})}
    await register_caller(application, "reads-only", scopes=frozenset({Scope.NOTICES_READ}))
    await register_caller(application, "everything", grants=every)
    for path in (KNOWN, CANCELLED):
        await publish(http, path)
    await publish(http, EXPIRED, dueDate="2026-11-23T10:30:00Z", switchToExpired=True)
    await declare(http, "cancelled", CANCELLED)
    clock.advance(HOUR / 2)
    return http


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.what)
async def test_the_answer_alone_mends_a_mistake(prepared: httpx.AsyncClient, mistake: Mistake) -> None:
    sent = mistake.body if isinstance(mistake.body, bytes | None) else orjson.dumps(mistake.body)
    headers = {**(JSON if sent is not None else {}), **mistake.headers}

    answer = await prepared.request(mistake.method, mistake.path, content=sent, headers=headers)

    problem = answer.json()
    rules = [f"{broken['field']}: {broken['message']}" for broken in problem.get("violations", ())]
    advice = "\n    ".join([problem["detail"], *rules])
    print(f"\n{mistake.what}: {answer.status_code} {answer.headers['x-error-code']}, {problem['title']}\n    {advice}")
    assert 400 <= answer.status_code < 500
    assert [words for words in mistake.says if words not in advice] == [], advice
    assert problem["detail"] != problem["title"]


def test_the_mistakes_differ() -> None:
    assert len({mistake.what for mistake in MISTAKES}) == len(MISTAKES) > 62
