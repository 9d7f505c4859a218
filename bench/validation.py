"""Validation alone, in this process, from the bytes of a body to a valid notice: the archive's, and plain pydantic."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.corpus import CASES
from bench.measurements import Measurement
from bench.notices import STRICT, number_of, varied_bodies
from bench.peer.errors import Refusal
from bench.peer.models import Context
from bench.peer.parsing import parse_notice as parse_plainly
from shared.domain.identifiers import NoticeNumber
from shared.domain.notice import Address
from shared.errors import InvalidBody, Unreadable
from shared.wire.parsing import parse_json, parse_notice
from shared.wire.texts import ParseContext
from tests.support import INSTITUTION

NAME = "validation"
NUMBER = NoticeNumber(number_of(1))
BODIES = varied_bodies(1000)

Parse = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Validation:
    """One way to validate. `refusals` are the errors by which it refuses a body."""

    side: str
    parse: Parse
    refusals: tuple[type[Exception], ...]

    def accepts(self, body: bytes) -> bool:
        """Return whether the body is accepted."""
        try:
            self.parse(body)
        except self.refusals:
            return False
        return True

    def measure(self, number: int, seconds: float) -> Measurement:
        """Validate the bodies again and again for so many seconds, in the round with this number."""
        done, began, used = 0, time.perf_counter(), time.process_time()
        while (elapsed := time.perf_counter() - began) < seconds:
            for body in BODIES:
                self.parse(body)
            done += len(BODIES)
        cpu = time.process_time() - used
        return Measurement(self.side, NAME, number, rate=done / elapsed, cpu_us=cpu / done * 1e6)


def validations(now: datetime | None = None) -> list[Validation]:
    """Return the archive's validation and the plain one, for a notice of the strict institution."""
    now = now or datetime.now(UTC)
    address, context = Address(INSTITUTION, NUMBER), ParseContext(lenient=False, now=now)
    plain = Context(NUMBER, now)
    return [
        Validation("archive", lambda body: parse_notice(parse_json(body), address, context), (InvalidBody, Unreadable)),
        Validation("pydantic", lambda body: parse_plainly(body, plain), (Refusal,)),
    ]


def differences(sides: Sequence[Validation]) -> list[str]:
    """Return a sentence for each body of the corpus that the sides do not all accept or all refuse."""
    bodies = {case.name: case.body for case in CASES if case.method == "PUT" and case.path.startswith(STRICT)}
    verdicts = {
        name: {side.side: side.accepts(body) for side in sides} for name, body in bodies.items() if body is not None
    }
    return [f"{name}: accepted? {found}" for name, found in verdicts.items() if len({*found.values()}) > 1]
