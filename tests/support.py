"""Valid things to begin with; a test changes only what it is about."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from shared.domain.amounts import Amount
from shared.domain.callers import EVERY, Caller, Key, Scope
from shared.domain.content import Content, Debtor, DebtorType, Transfer
from shared.domain.dates import DueDate, format_instant
from shared.domain.declarations import Publication, publish
from shared.domain.events import Actor, NoticeEvent, Role, WriteContext
from shared.domain.identifiers import DebtorCode, Iban, InstitutionCode, NoticeNumber
from shared.domain.institutions import DEFAULT_LABEL, CreditorInstitution, RegisteredIban
from shared.domain.money import OutcomeCode, Payment, Settlement
from shared.domain.notice import Address, Notice
from shared.ports import Listed, NoticeStore, Order
from shared.settings import DebtorKey
from shared.stored_notice import Shown, show

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)

INSTITUTION = InstitutionCode("15376371009")
NUMBER = NoticeNumber("347000000000000124")
ADDRESS = Address(INSTITUTION, NUMBER)
IBAN = Iban("IT60X0542811101000000123456")
POSTAL_IBAN = Iban("IT96H0760112100001036880332")
EC = Actor(Role.CREDITOR_INSTITUTION, "an-ec")

DEBTOR_KEYS = (DebtorKey("one", b"a key that everybody knows, no. 1"),)

_serial = count(1)


def a_number(serial: int, segregation_code: str = "47") -> NoticeNumber:
    """Return the notice number with this serial: aux digit 3, right check digits."""
    base = f"3{segregation_code}{serial:013}"
    return NoticeNumber(f"{base}{int(base) % 93:02}")


def a_content(**changes: Any) -> Content:
    """Return what a notice says, its IBAN settled."""
    content = Content(
        amount=Amount(12050),
        description="TARI 2026 prima rata",
        due_date=DueDate.parse("2026-12-16"),
        debtor=Debtor(DebtorType.F, DebtorCode("RSSMRA80A01H501U"), "Mario Rossi"),
        iban=IBAN,
    )
    return replace(content, **changes).with_iban(None)


def a_transfer(number: int = 1, amount: int = 12050, **changes: Any) -> Transfer:
    """Return a transfer to an IBAN."""
    transfer = Transfer(number, Amount(amount), INSTITUTION, IBAN, None, None, "TARI", "9/0101100IM/")
    return replace(transfer, **changes)


def an_act(now: datetime = NOW, **changes: Any) -> WriteContext:
    """Return an attempt of an EC to change a notice, under a write id of its own."""
    return replace(WriteContext(now, EC, f"write-{next(_serial)}"), **changes)


def a_publication(address: Address = ADDRESS, **changes: Any) -> Publication:
    """Return a notice as its declarer states it."""
    return Publication(address, a_content(**changes))


def a_notice(now: datetime = NOW, address: Address = ADDRESS, **changes: Any) -> Notice:
    """Return a notice published at `now`."""
    return publish(None, a_publication(address, **changes), an_act(now)).notice


def a_payment(receipt_id: str = "receipt-1", **changes: Any) -> Payment:
    """Return a receipt."""
    payment = Payment(receipt_id, Amount(12050), NOW, stand_in=False, psp_id="ABI03069")
    return replace(payment, **changes)


def a_line(flow_id: str = "flow-1", transfer_id: int = 1, **changes: Any) -> Settlement:
    """Return a settlement line."""
    line = Settlement(flow_id, transfer_id, 12050, OutcomeCode.PAID, date(2026, 11, 23))
    return replace(line, **changes)


def an_institution(**changes: Any) -> CreditorInstitution:
    """Return a registered institution, strict, with a default IBAN."""
    iban = RegisteredIban(IBAN, frozenset({DEFAULT_LABEL}), NOW - 100 * DAY)
    return replace(CreditorInstitution(INSTITUTION, "Comune di Esempio", (iban,), stand_in=True), **changes)


def a_caller(**changes: Any) -> Caller:
    """Return a caller granted everything of the institution, with the key hash `a-hash`."""
    scopes = frozenset({Scope.NOTICES_WRITE, Scope.NOTICES_READ})
    caller = Caller("an-ec", Role.CREDITOR_INSTITUTION, scopes, {INSTITUTION: frozenset({EVERY})}, (Key("a-hash"),))
    return replace(caller, **changes)


def a_body(**changes: Any) -> dict[str, Any]:
    """Return the JSON of a whole notice; a change to `...` leaves the field out."""
    body = {
        "amount": 12050,
        "description": "TARI 2026 prima rata",
        "dueDate": "2026-12-16",
        "debtor": {"type": "F", "fiscalCode": "RSSMRA80A01H501U", "fullName": "Mario Rossi"},
        **changes,
    }
    return {name: value for name, value in body.items() if value is not ...}


async def life_of(store: NoticeStore, address: Address = ADDRESS) -> tuple[Notice, list[NoticeEvent]] | None:
    """Return a notice and all its events, oldest first, as the store has them."""
    notice = await store.load(address)
    return (notice, await store.history(address, limit=1000)) if notice else None


class StillClock:
    """A clock that stands still until it is set, or advances by `step` whenever it is read."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.step = timedelta(0)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now

    def advance(self, by: timedelta) -> None:
        """Let the time pass."""
        self.now += by


Clock = Callable[[], datetime]


def sort_key(notice: Notice, order: Order) -> str:
    """Return the text by which a notice is sorted in a list, before its number."""
    match order:
        case Order.UPDATE:
            return format_instant(notice.updated_at)
        case Order.DUE_DATE:
            return notice.content.due_date.sort_key if notice.content else ""
        case Order.NUMBER:
            return ""


def shown_in(page: Iterable[Listed]) -> list[Shown]:
    """Return what a list shows."""
    return [listed.shown for listed in page]


def shown_of(notices: Iterable[Notice], now: datetime = NOW) -> list[Shown | None]:
    """Return what the domain shows of these notices."""
    return [show(notice, now) for notice in notices]
