"""The platform's facts about money: receipts and settlement lines, and how they are recognised when they come again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum

from shared.domain.amounts import Amount
from shared.domain.dates import in_rome


@dataclass(frozen=True, slots=True)
class Payment:
    """A receipt of the Nodo (paSendRT with outcome OK); `receipt_id` is its identity. `fee` in euro cents."""

    receipt_id: str
    amount: Amount
    paid_at: datetime
    stand_in: bool
    psp_id: str
    psp_name: str | None = None
    payment_method: str | None = None
    fee: int | None = None

    @property
    def paid_on(self) -> date:
        """Return the day of the payment, in Rome."""
        return in_rome(self.paid_at).date()


class OutcomeCode(IntEnum):
    """How a line of a settlement flow ended (SACI 3.2.1)."""

    PAID = 0
    REVOKED = 3
    STAND_IN = 4
    STAND_IN_WITHOUT_RPT = 8
    WITHOUT_RPT = 9


@dataclass(frozen=True, slots=True)
class Settlement:
    """One line of a *flusso di rendicontazione*; its identity is (`flow_id`, `transfer_id`). `amount` in euro cents."""

    flow_id: str
    transfer_id: int
    amount: int
    outcome_code: OutcomeCode
    payment_date: date
    settlement_date: date | None = None
    receipt_id: str | None = None
    psp_id: str | None = None

    @property
    def paid_on(self) -> date:
        """Return the day of the payment."""
        return self.payment_date

    @property
    def is_revocation(self) -> bool:
        """Tell whether the line takes a payment back."""
        return self.outcome_code is OutcomeCode.REVOKED


def is_known_receipt(payment: Payment, payments: Iterable[Payment]) -> bool:
    """Tell whether the receipt was recorded before."""
    return any(known.receipt_id == payment.receipt_id for known in payments)


def is_known_line(line: Settlement, lines: Iterable[Settlement]) -> bool:
    """Tell whether the settlement line was recorded before."""
    return any((known.flow_id, known.transfer_id) == (line.flow_id, line.transfer_id) for known in lines)


def settled_transfers(lines: Iterable[Settlement]) -> set[int]:
    """Return the ids of the transfers that have a line; a revoked line counts for nothing."""
    return {line.transfer_id for line in lines if not line.is_revocation}
