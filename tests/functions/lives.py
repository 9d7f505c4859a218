"""Lives of notices that together have every status, every event and every anomaly, lived on the archive itself."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from shared.bootstrap import Application
from shared.inbound import Outcome
from shared.wire.inbound import InboundType
from tests.functions.queues import relay, say
from tests.support import DAY, EC, StillClock, a_body, a_number, an_act

INSTITUTION = "77777777777"
TWO_TRANSFERS = [
    {"id": number, "amount": amount, "creditorInstitution": INSTITUTION, "iban": "IT60X0542811101000000123456",
     "remittanceInformation": "TARI", "category": "9/0101100IM/"}
    for number, amount in ((1, 10000), (2, 2050))
]  # fmt: skip


def an_event(type_: InboundType, number: str, clock: StillClock, **data: Any) -> dict[str, Any]:
    """Return an inbound event that is valid for the notice."""
    rest: dict[InboundType, dict[str, Any]] = {
        InboundType.PUBLISH: {"notice": a_body()},
        InboundType.PAID: {"receiptId": "r1", "amount": 12050, "paidAt": "2026-11-23T09:00:00Z", "pspId": "ABI03069"},
        InboundType.REPORTED: {"flowId": "f1", "amount": 12050, "outcomeCode": 0, "paymentDate": "2026-11-23"},
        InboundType.CANCEL: {},
        InboundType.CLOSE: {},
    }
    return {
        "specversion": "1.0",
        "id": f"{type_}-{number}",
        "source": "/gpd",
        "type": type_.cloud_event_type,
        "subject": f"{INSTITUTION}/{number}",
        "time": clock.now.isoformat(),
        "data": {"creditorInstitution": INSTITUTION, "noticeNumber": number, **rest[type_], **data},
    }


class Lives:
    """Makes notices and changes them, over HTTP and over the queue."""

    def __init__(self, http: httpx.AsyncClient, application: Application, clock: StillClock) -> None:
        self._http = http
        self._application = application
        self._clock = clock
        self._serial = 0

    async def live(self, file: Path) -> None:
        """Live all of them, damage the document of one event in the file, and relay every event."""
        published, paid, reported = InboundType.PUBLISH, InboundType.PAID, InboundType.REPORTED
        # Money that came before its notice: in time, too late, with contradictions.
        early = self._number()
        await self._say(paid, early)
        await self._say(paid, early, receiptId="r2")
        await self._say(published, early, notice=a_body(transfers=TWO_TRANSFERS))
        late = self._number()
        await self._say(reported, late, outcomeCode=3)
        await self._say(reported, late, flowId="f2")
        late_paid = self._number()
        await self._say(paid, late_paid)
        # Declarations, then money.
        for ended in ("cancelled", "closed"):
            for type_ in (paid, reported):
                number = await self._publish()
                await self._declare(number, ended)
                await self._say(type_, number)
            number = await self._publish()
            await self._declare(number, ended)
            await self._declare(number, "restored")
            await self._amend(number, amount=1)
        replaced = await self._publish()
        await self._declare(replaced, "cancelled", replacedBy=a_number(999), reason="Issued by mistake")
        # Money, settled in two transfers, and again.
        settled = await self._publish(transfers=TWO_TRANSFERS)
        await self._say(paid, settled, standIn=True, pspName="Banca", paymentMethod="card", fee=150)
        await self._say(paid, settled, receiptId="r2")
        more = {"settlementDate": "2026-11-24", "receiptId": "r1", "pspId": "ABI03069"}
        await self._say(reported, settled, amount=10000, **more)
        await self._say(reported, settled, flowId="f2", amount=2050, transferId=2)
        await self._say(reported, settled, flowId="f3", amount=2050, transferId=2)
        await self._say(reported, settled, flowId="f4", outcomeCode=3)
        await self._say(paid, settled, receiptId="r3")
        of_gpd = self._number()
        await self._say(published, of_gpd, traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        await self._say(InboundType.CANCEL, of_gpd)
        # Time.
        waiting = await self._publish(validFrom="2026-11-25", dueDate="2026-11-27T12:00:00Z", switchToExpired=True)
        await self._amend(waiting, description="Later")
        await self._amend(await self._publish(), validFrom="2026-12-01")
        for _ in range(5):
            self._clock.advance(DAY)
            now = self._clock.now
            await self._application.archive.apply_due_changes(an_act(now, actor=EC), now + timedelta(minutes=1))
        # One event that cannot be read.
        await self._publish()
        with closing(sqlite3.connect(file)) as db, db:
            db.execute("UPDATE events SET document = 'x' WHERE position = (SELECT max(position) FROM events)")
        await relay(self._application)

    def _number(self) -> str:
        self._serial += 1
        return a_number(self._serial)

    async def _publish(self, **changes: Any) -> str:
        number = self._number()
        answer = await self._http.put(self._url(number), json=a_body(**changes))
        assert answer.status_code == 201, answer.text
        return number

    async def _amend(self, number: str, **changes: Any) -> None:
        answer = await self._http.patch(self._url(number), json=changes)
        assert answer.status_code == 200, answer.text

    async def _declare(self, number: str, type_: str, **more: Any) -> None:
        answer = await self._http.post(f"{self._url(number)}/events", json={"type": type_, **more})
        assert answer.status_code == 200, answer.text

    async def _say(self, type_: InboundType, number: str, **data: Any) -> None:
        trace = {"traceparent": data.pop("traceparent")} if "traceparent" in data else {}
        outcome = await say({**an_event(type_, number, self._clock, **data), **trace})
        assert outcome is Outcome.APPLIED, (type_, number, data)

    def _url(self, number: str) -> str:
        return f"/creditor-institutions/{INSTITUTION}/notices/{number}"
