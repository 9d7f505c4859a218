"""Decides whether a notice can be paid in Stand-In, while the system of its institution is down."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain import lifecycle
from shared.domain.content import Content, Transfer
from shared.domain.institutions import CreditorInstitution
from shared.domain.lifecycle import Fault
from shared.domain.notice import Notice

MAX_DESCRIPTION = 140
"""Characters that the Nodo takes of a description, a remittance information or a name of an institution (paForNode)."""
MAX_FULL_NAME = 70
"""Characters that the Nodo takes of the name of a debtor (paForNode)."""
COMPUTED_CATEGORY = "STAND-IN"
"""The category of the transfer that is computed. pagoPA's service uses the same constant."""


@dataclass(frozen=True, slots=True)
class Payable:
    """A notice that can be paid now, and its institution as it is registered."""

    notice: Notice
    content: Content
    institution: CreditorInstitution

    @property
    def transfers(self) -> tuple[Transfer, ...]:
        """Return the transfers of the notice, or the computed one: the whole amount, to the institution."""
        return self.content.transfers or (self._whole_amount(),)

    @property
    def all_ccp(self) -> bool:
        """Return whether every transfer has a postal IBAN (*conto corrente postale*)."""
        return all(transfer.postal_iban is not None for transfer in self.transfers)

    def _whole_amount(self) -> Transfer:
        return Transfer(
            id=1,
            amount=self.content.amount,
            creditor_institution=self.institution.fiscal_code,
            iban=self.content.iban,
            stamp=None,
            postal_iban=self.content.postal_iban,
            remittance_information=self.content.description[:MAX_DESCRIPTION],
            category=COMPUTED_CATEGORY,
        )


def decide(known: Notice | None, institution: CreditorInstitution, now: datetime) -> Payable | Fault:
    """Return the notice if it can be paid in Stand-In at `now`, else the fault (SANP, Stand In).

    `known` is None if no notice has the number. The status is the one that is true at `now`.
    """
    if known is None or not institution.stand_in:
        return Fault.UNKNOWN
    content = known.content
    # An awaited notice has no content yet. Nobody declared that it is not for Stand-In, and money came for it.
    if content is not None and not content.pay_stand_in:
        return Fault.UNKNOWN
    if fault := lifecycle.FAULTS[known.status_at(now)]:
        return fault
    assert content is not None, "a notice that is payable was communicated"
    return Payable(known, content, institution)
