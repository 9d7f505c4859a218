"""The steps of a smoke test, one after the other, on one notice."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from ops.calls import ERROR_CODE, Answer, Api, NoAnswer
from ops.cli import CommandError, ExitCode
from ops.output import Json
from shared.bootstrap import utc_now
from shared.domain.dates import in_rome
from shared.domain.identifiers import ANONYMOUS, NoticeNumber
from shared.domain.lifecycle import EventType, Status
from shared.domain.notice import Address
from shared.errors import (
    AddressNotFound,
    ArchiveError,
    BodyTooLarge,
    NoticeNotFound,
    PreconditionFailed,
    Unauthenticated,
)
from shared.http import KEY_HEADER
from shared.wire.headers import JSON

LARGE = 5 * 1024 * 1024
"""Bytes of a body that the archive refuses, and that a gateway in front of it must let through."""
PAUSE = 2.0
"""Seconds between two questions whether the archive is up."""
DEBTOR = {"type": "F", "fiscalCode": ANONYMOUS, "fullName": ANONYMOUS}


def new_number(segregation_code: str) -> NoticeNumber:
    """Return a notice number that nobody has: 13 of its digits are random."""
    digits = f"3{segregation_code}{secrets.randbelow(10**13):013}"
    return NoticeNumber.parse(f"{digits}{int(digits) % 93:02}")


@dataclass(frozen=True, slots=True)
class Step:
    """A call, and how it ended."""

    name: str
    seconds: float
    answer: str
    """Its status and error code, or why there is none."""
    fault: str | None
    """How the answer differs from the expected one."""


@dataclass(frozen=True, slots=True)
class _Expected:
    """The answer that a step must have."""

    status: int
    error: type[ArchiveError] | None = None
    fields: Mapping[str, object] | None = None
    """Fields of the body, with their values."""

    def fault(self, answer: Answer) -> str | None:
        """Return how an answer differs from this one. None if it does not."""
        code = self.error.code if self.error else None
        if (answer.status, answer.code) != (self.status, code):
            named = f"{self.status} with {ERROR_CODE} {code}" if code else str(self.status)
            return f"expected {named}, got {answer}"
        given = answer.fields
        wrong = [name for name, value in (self.fields or {}).items() if given.get(name) != value]
        return f"the fields {', '.join(wrong)} of the answer are wrong" if wrong else None


class SmokeRun:
    """The steps of one run, on a notice of its own."""

    def __init__(self, api: Api, notice: Address, report: Callable[[Step], None]) -> None:
        self.notice = notice
        self._api = api
        self._report = report
        self._path = f"/v1/creditor-institutions/{notice.creditor_institution}/notices/{notice.number}"
        self.faults: list[str] = []
        """A sentence for each step that failed, and one if the notice may still be there."""
        self._steps: list[Step] = []

    @property
    def json(self) -> Json:
        """Return all steps as JSON."""
        return {
            "passed": bool(self._steps) and not self.faults,
            "institution": self.notice.creditor_institution,
            "noticeNumber": self.notice.number,
            "steps": [
                {
                    "name": step.name,
                    "passed": step.fault is None,
                    "seconds": round(step.seconds, 3),
                    "answer": step.answer,
                    "fault": step.fault,
                }
                for step in self._steps
            ],
            "faults": self.faults,
        }

    async def all(self, key: str, wait: float) -> None:
        """Make all steps. If the archive is not up, make no other: a key is sent only to an archive."""
        if not await self._is_up(wait):
            return
        await self._step("unknown address", _Expected(404, AddressNotFound), "GET", "/v1/no-such-address")
        unknown = secrets.token_urlsafe(32)
        await self._step("unknown key", _Expected(401, Unauthenticated), "GET", self._path, key=unknown)
        await self._publish_read_cancel(key)

    async def _is_up(self, wait: float) -> bool:
        """Ask until the archive is up, or until the time is over. Raises CommandError if nothing answers."""
        expected = _Expected(200, fields={"status": "up", "store": "up"})
        until = time.monotonic() + wait
        while True:
            start = time.monotonic()
            try:
                answer = await self._api.call("GET", "/v1/health")
            except NoAnswer as error:
                if time.monotonic() + PAUSE > until:
                    raise CommandError(f"health: {error}.", code=ExitCode.NO_ANSWER) from error
            else:
                fault = expected.fault(answer)
                if fault is None or time.monotonic() + PAUSE > until:
                    self._add(Step("health", time.monotonic() - start, str(answer), fault))
                    return fault is None
            await asyncio.sleep(PAUSE)

    async def _publish_read_cancel(self, key: str) -> None:
        """Publish the notice, look at it, and cancel it whatever happened to it."""
        description = f"Smoke test {secrets.token_hex(8)}: do not pay"
        shown = {"status": Status.ACTIVE, "amount": 1, "description": description, "debtor": DEBTOR}
        publish, notice, if_new = _Expected(201, fields=shown), _notice(description), {"If-None-Match": "*"}
        is_ours = True  # as long as nothing is known of it
        try:
            published = await self._step("publish", publish, "PUT", self._path, notice, key, if_new)
            if published is not None and 400 <= published.status < 500 and published.code is not None:
                # The archive refused it. After a 412 there is one: a gateway may have sent ours twice.
                is_ours = published.status == PreconditionFailed.status
            if is_ours:
                expected = _Expected(200, fields=shown)
                read = await self._step("read", expected, "GET", self._path, key=key)
                if published is not None and published.status == PreconditionFailed.status:
                    is_ours = read is not None and expected.fault(read) is None
            await self._step("body of 5 MiB", _Expected(413, BodyTooLarge), "PUT", self._path, b" " * LARGE, key)
        finally:
            if is_ours:
                await self._cancel(key)

    async def _cancel(self, key: str) -> None:
        event = orjson.dumps({"type": EventType.CANCELLED, "reason": "Smoke test"})
        expected = _Expected(200, fields={"status": Status.CANCELLED})
        answer = await self._step("cancel", expected, "POST", f"{self._path}/events", event, key)
        is_gone = answer is not None and (answer.status == 200 or answer.code == NoticeNotFound.code)
        if not is_gone:
            address = f"{self.notice.creditor_institution}/{self.notice.number}"
            self.faults.append(f"The notice {address} may still be there: cancel it.")

    async def _step(
        self,
        name: str,
        expected: _Expected,
        method: str,
        path: str,
        body: bytes | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer | None:
        """Make a call and report it. Return its answer, None if there is none."""
        sent = {**({KEY_HEADER: key} if key else {}), **({"Content-Type": JSON} if body else {}), **(headers or {})}
        start = time.monotonic()
        try:
            answer = await self._api.call(method, path, body, sent)
        except NoAnswer as error:
            self._add(Step(name, time.monotonic() - start, "no answer", str(error)))
            return None
        self._add(Step(name, time.monotonic() - start, str(answer), expected.fault(answer)))
        return answer

    def _add(self, step: Step) -> None:
        self._steps.append(step)
        if step.fault:
            self.faults.append(f"{step.name}: {step.fault}.")
        self._report(step)


def _notice(description: str) -> bytes:
    """Return a notice that nobody can pay by mistake: not in Stand-In, not after tomorrow."""
    tomorrow = in_rome(utc_now()).date() + timedelta(days=1)
    fields: dict[str, Any] = {
        "amount": 1,
        "description": description,
        "dueDate": tomorrow.isoformat(),
        "switchToExpired": True,
        "payStandIn": False,
        "debtor": DEBTOR,
    }
    return orjson.dumps(fields)
