"""The platform's facts about money: receipts and settlement lines, and how they are recognised when they come again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum

from shared.domain.amounts import Amount
from shared.domain.dates import in_rome


@dataclass(frozen=True, slots=True)
class Payment:
    """A receipt of the Nodo (paSendRT with outcome OK). `receipt_id` is its identity. `fee` in euro cents."""

    receipt_id: str
    """Identifier of the receipt (IUR)."""
    amount: Amount
    """The amount that was paid, in euro cents."""
    paid_at: datetime
    """When it was paid."""
    stand_in: bool
    """True: it was paid while the archive answered for the institution."""
    psp_id: str
    """The PSP that took the money (prestatore di servizi di pagamento)."""
    psp_name: str | None = None
    """The name of the PSP."""
    payment_method: str | None = None
    """The payment method."""
    fee: int | None = None
    """The fee that the debtor paid (commissione), in euro cents."""

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
    """One line of a *flusso di rendicontazione*. Its identity is (`flow_id`, `transfer_id`). `amount` in euro cents."""

    flow_id: str
    """Identifier of the flow (identificativo flusso)."""
    transfer_id: int
    """The transfer that is settled."""
    amount: int
    """In euro cents."""
    outcome_code: OutcomeCode
    """0 paid, 3 revoked, 4 Stand-In, 8 Stand-In without RPT, 9 without RPT (codice esito singolo pagamento). RPT is the
    payment request of the institution (richiesta di pagamento telematico)."""
    payment_date: date
    """The day of the payment."""
    settlement_date: date | None = None
    """The day of the settlement (data regolamento)."""
    receipt_id: str | None = None
    """Identifier of the receipt (IUR)."""
    psp_id: str | None = None
    """The PSP that took the money."""

    @property
    def paid_on(self) -> date:
        """Return the day of the payment."""
        return self.payment_date

    @property
    def is_revocation(self) -> bool:
        """Return whether the line takes a payment back."""
        return self.outcome_code is OutcomeCode.REVOKED


def is_known_receipt(payment: Payment, payments: Iterable[Payment]) -> bool:
    """Return whether the receipt was recorded before."""
    return any(known.receipt_id == payment.receipt_id for known in payments)


def is_known_line(line: Settlement, lines: Iterable[Settlement]) -> bool:
    """Return whether the settlement line was recorded before."""
    return any((known.flow_id, known.transfer_id) == (line.flow_id, line.transfer_id) for known in lines)


def settled_transfers(lines: Iterable[Settlement]) -> set[int]:
    """Return the ids of the transfers that have a line. A revoked line counts for nothing."""
    return {line.transfer_id for line in lines if not line.is_revocation}
