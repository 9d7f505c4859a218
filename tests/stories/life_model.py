"""The life of one notice, written down a second time: what each declaration and each fact must lead to.

It is written from the description of the life cycle, not from the code, and is as plain as it can be.
"""

from dataclasses import dataclass, field
from datetime import datetime

DATES, EARLIER, SAME = "by its dates", "as the money says", "no change"

TABLE: dict[str | None, dict[str, str | tuple[str, str]]] = {
    None: {
        "published": DATES, "amended": "404", "cancelled": "404", "closed": "404", "restored": "404",
        "paid": "AWAITED", "reported": "AWAITED",
    },
    "AWAITED": {
        "published": EARLIER, "amended": "404", "cancelled": "404", "closed": "404", "restored": "404",
        "paid": "AWAITED", "reported": "AWAITED",
    },
    "SCHEDULED": {
        "published": DATES, "amended": DATES, "cancelled": "CANCELLED", "closed": "CLOSED", "restored": SAME,
        "paid": "PAID", "reported": "REPORTED",
    },
    "ACTIVE": {
        "published": DATES, "amended": DATES, "cancelled": "CANCELLED", "closed": "CLOSED", "restored": SAME,
        "paid": "PAID", "reported": "REPORTED",
    },
    "EXPIRED": {
        "published": DATES, "amended": DATES, "cancelled": "CANCELLED", "closed": "CLOSED", "restored": "422",
        "paid": "PAID", "reported": "REPORTED",
    },
    "CANCELLED": {
        "published": "409", "amended": "409", "cancelled": SAME, "closed": "409", "restored": DATES,
        "paid": ("PAID", "paid_after_cancellation"), "reported": ("REPORTED", "reported_after_cancellation"),
    },
    "CLOSED": {
        "published": "409", "amended": "409", "cancelled": "409", "closed": SAME, "restored": DATES,
        "paid": ("PAID", "paid_twice"), "reported": ("REPORTED", "reported_after_closure"),
    },
    "PAID": {
        "published": "409", "amended": "409", "cancelled": "409", "closed": "409", "restored": "409",
        "paid": ("PAID", "paid_twice"), "reported": "REPORTED",
    },
    "REPORTED": {
        "published": "409", "amended": "409", "cancelled": "409", "closed": "409", "restored": "409",
        "paid": "REPORTED", "reported": ("REPORTED", "reported_twice"),
    },
}  # fmt: skip
"""Status and event → the status after it, with the anomaly, or the refusal. None is an unknown notice."""

REFUSED = {
    "CANCELLED": "notice_cancelled",
    "CLOSED": "notice_closed",
    "PAID": "notice_paid",
    "REPORTED": "notice_reported",
}
NOTHING, CHANGED, CREATED = "nothing", "changed", "created"


@dataclass(frozen=True)
class Content:
    """What a test changes in a notice: its amount, its dates, its number of transfers."""

    amount: int = 12050
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    transfers: int = 1


@dataclass
class Life:
    """One notice. Each method returns `created`, `changed`, `nothing` or the code of the refusal."""

    stored: str | None = None
    origin: str | None = None
    content: Content | None = None
    receipts: list[str] = field(default_factory=list)
    lines: list[tuple[str, int, int]] = field(default_factory=list)
    """Flow, transfer, outcome code."""
    anomalies: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def status(self, now: datetime) -> str | None:
        """Return the status that is true now."""
        return self._passages(now)[-1][1] if self._passages(now) else self.stored

    def publish(self, origin: str, content: Content, now: datetime) -> str:
        """A whole notice is communicated."""
        status = self.status(now)
        if status in (None, "AWAITED"):
            if status is None and content.ends_at and content.ends_at <= now:
                return "due_date_in_past"
            self.origin, self.content, self.stored = origin, content, _by_dates(content, now)
            self.events.append("published")
            if status == "AWAITED":
                self._apply_earlier_money()
            return CREATED
        return self._not_mine(origin) or self._replace(content, "published", now)

    def amend(self, origin: str, amount: int, now: datetime) -> str:
        """One field changes."""
        if self.status(now) in (None, "AWAITED"):
            return "notice_not_found"
        assert self.content is not None
        same = self.content
        content = Content(amount, same.starts_at, same.ends_at, same.transfers)
        return self._not_mine(origin) or self._replace(content, "amended", now)

    def end(self, origin: str, event: str, now: datetime) -> str:
        """The notice is cancelled, closed or restored."""
        status = self.status(now)
        if status in (None, "AWAITED"):
            return "notice_not_found"
        if refusal := self._not_mine(origin):
            return refusal
        cell = TABLE[status][event]
        if cell == "409":
            return REFUSED[status or ""]
        if cell == "422":
            return "notice_expired"
        if cell == SAME:
            return NOTHING
        self._catch_up(now)
        assert self.content is not None
        self.stored = _by_dates(self.content, now) if cell == DATES else str(cell)
        self.events.append(event)
        return CHANGED

    def pay(self, receipt: str, now: datetime) -> str:
        """A receipt comes."""
        if receipt in self.receipts:
            return NOTHING
        is_second = bool(self.receipts)
        self.receipts.append(receipt)
        return self._fact("paid", now, "paid_twice" if is_second else None, is_settled=True)

    def report(self, flow: str, transfer: int, code: int, now: datetime) -> str:
        """A settlement line comes."""
        if (flow, transfer) in [line[:2] for line in self.lines]:
            return NOTHING
        had_one = transfer in self._settled()
        self.lines.append((flow, transfer, code))
        if code == 3:
            self._catch_up(now)
            self.events.append("reported" if self.stored else "awaited")
            self.stored = self.stored or "AWAITED"
            self._note("payment_revoked")
            return CHANGED
        return self._fact("reported", now, "reported_twice" if had_one else None, is_settled=self._is_settled())

    def _fact(self, event: str, now: datetime, anomaly: str | None, *, is_settled: bool) -> str:
        cell = TABLE[self.status(now)][event]
        after, of_cell = (cell, None) if isinstance(cell, str) else cell
        if event == "paid" and self.stored == "PAID" and anomaly is None:
            of_cell = None  # a settlement line alone made it PAID: this is its first receipt
        if self.stored is None:
            self.events.append("awaited")
        else:
            self._catch_up(now)
            self.events.append(event)
        self.stored = "PAID" if after == "REPORTED" and event == "reported" and not is_settled else after
        self._note(of_cell or anomaly)
        return CHANGED

    def _apply_earlier_money(self) -> None:
        if self.receipts:
            self.stored = "PAID"
            self.events.append("paid")
        if self.lines:
            self.events.append("reported")
        if self._settled():
            self.stored = "REPORTED" if self._is_settled() else "PAID"

    def _replace(self, content: Content, event: str, now: datetime) -> str:
        status = self.status(now)
        if TABLE[status][event] == "409":
            return REFUSED[status or ""]
        if content == self.content:
            return NOTHING
        assert self.content is not None
        if content.ends_at != self.content.ends_at and content.ends_at and content.ends_at <= now:
            return "due_date_in_past"
        self._catch_up(now)
        self.content, self.stored = content, _by_dates(content, now)
        self.events.append("amended")
        return CHANGED

    def _not_mine(self, origin: str) -> str | None:
        return None if origin == self.origin else f"managed_by_{self.origin}"

    def _settled(self) -> set[int]:
        return {transfer for _, transfer, code in self.lines if code != 3}

    def _is_settled(self) -> bool:
        wanted = set(range(1, (self.content.transfers if self.content else 1) + 1))
        return wanted <= self._settled()

    def _note(self, anomaly: str | None) -> None:
        if anomaly and anomaly not in self.anomalies:
            self.anomalies.append(anomaly)

    def _catch_up(self, now: datetime) -> None:
        for event, status in self._passages(now):
            self.events.append(event)
            self.stored = status

    def _passages(self, now: datetime) -> list[tuple[str, str]]:
        """Return the events that time has made and that are not written down, with the status after each."""
        found, status = [], self.stored
        if self.content and status == "SCHEDULED" and self.content.starts_at and self.content.starts_at <= now:
            status = "ACTIVE"
            found.append(("activated", status))
        if self.content and status == "ACTIVE" and self.content.ends_at and self.content.ends_at <= now:
            found.append(("expired", "EXPIRED"))
        return found


def _by_dates(content: Content, now: datetime) -> str:
    if content.starts_at and now < content.starts_at:
        return "SCHEDULED"
    return "EXPIRED" if content.ends_at and content.ends_at <= now else "ACTIVE"
