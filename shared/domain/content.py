"""The content of a notice, the rules between its fields, and how it is amended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from shared.domain.amounts import Amount
from shared.domain.dates import DueDate, ValidFrom
from shared.domain.identifiers import DebtorCode, Iban, InstitutionCode
from shared.domain.institutions import RegisteredIban
from shared.domain.terms import Term
from shared.domain.texts import as_known
from shared.errors import InvalidBody, NoIbanRegistered, Violation

MAX_TRANSFERS = 5
MAX_METADATA = 10


class DebtorType(Term):
    """The kind of debtor."""

    F = "F", "natural person (persona fisica)"
    G = "G", "legal person (persona giuridica)"


class IbanSource(Term):
    """The source of the IBAN of a notice."""

    GIVEN = "given", "the request had an `iban`"
    REGISTERED = "registered", "the IBAN of the institution"


@dataclass(frozen=True, slots=True)
class Debtor:
    """Who owes."""

    type: DebtorType
    fiscal_code: DebtorCode
    full_name: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """A digital revenue stamp (*marca da bollo digitale*)."""

    hash_document: str
    stamp_type: str
    provincial_residence: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """A part of the amount and where it goes: to an IBAN, or into a stamp."""

    id: int
    amount: Amount
    creditor_institution: InstitutionCode
    iban: Iban | None
    stamp: Stamp | None
    postal_iban: Iban | None
    remittance_information: str
    category: str
    metadata: Mapping[str, str] = field(default_factory=dict)


Changes = Mapping[str, Any]
"""The fields of Content that a declaration names, with their values.

`debtor` holds the fields of Debtor that change, and `metadata` the keys. None clears a field or a key.
"""


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a notice. `iban_source` is None with transfers, and before `with_iban` sets it."""

    amount: Amount
    description: str
    due_date: DueDate
    debtor: Debtor
    iban: Iban | None = None
    postal_iban: Iban | None = None
    iban_source: IbanSource | None = None
    """given: the request had an `iban`. registered: the IBAN of the institution. Null: with transfers."""
    valid_from: ValidFrom | None = None
    switch_to_expired: bool = False
    pay_stand_in: bool = True
    transfers: tuple[Transfer, ...] = ()
    iupd: str | None = None
    company_name: str | None = None
    office_name: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def transfer_ids(self) -> set[int]:
        """Return the ids under which money arrives. A notice without transfers has the one that is computed, 1."""
        return {transfer.id for transfer in self.transfers} or {1}

    def with_iban(self, default: RegisteredIban | None) -> "Content":
        """Settle where the money goes: transfers, the given IBAN, or the registered default.

        A postal default serves as postal IBAN too, unless one is given. Raises NoIbanRegistered when there is none.
        """
        if self.transfers:
            return self
        if self.iban is not None:
            given = self.iban_source is IbanSource.GIVEN  # as from a parser
            return self if given else replace(self, iban_source=IbanSource.GIVEN)
        if default is None:
            raise NoIbanRegistered
        postal = self.postal_iban or (default.iban if default.postal else None)
        return replace(self, iban=default.iban, postal_iban=postal, iban_source=IbanSource.REGISTERED)

    def sent_back(self, known: "Content") -> "Content":
        """Return the content. Its IBAN stays the registered one if the client only sends back the IBAN that it read."""
        if known.iban_source is IbanSource.REGISTERED and self.iban == known.iban:
            return replace(self, iban_source=IbanSource.REGISTERED)
        return self

    def amended(self, changes: Changes, default: RegisteredIban | None, *, refresh_iban: bool = False) -> "Content":
        """Return the content with the named fields changed. The others stay, but a registered IBAN is looked up again.

        Without `refresh_iban` it is looked up only where something else changes.
        Transfers drop the IBANs, and the IBAN drops the transfers. Raises InvalidBody when the fields no longer fit
        each other, NoIbanRegistered when an IBAN is needed and there is none.
        """
        declared = self._declared()
        merged = as_known(declared._merged(changes), declared)
        if merged == declared and "iban" not in changes and not refresh_iban:
            return self
        if default is None and self.iban_source is IbanSource.REGISTERED and not merged._names_a_way(changes):
            # A refresh that finds no default any more keeps the IBAN the notice has, and the postal one it filled.
            postal = merged.postal_iban or (self.iban if self.postal_iban == self.iban else None)
            amended = replace(merged, iban=self.iban, iban_source=self.iban_source, postal_iban=postal)
        else:
            amended = merged.with_iban(default)
        if violations := amended.violations():
            raise InvalidBody(violations=violations)
        return amended

    def violations(self) -> list[Violation]:
        """Return the rules between fields that the content breaks."""
        found = []
        if not starts_in_time(self.valid_from, self.due_date):
            found.append(Violation("validFrom", "not_before_due_date", STARTS_IN_TIME))
        if not adds_up(self.amount, self.transfers):
            found.append(Violation("transfers", "sum_of_transfers", ADDS_UP))
        if self.transfers and self.postal_iban is not None:
            found.append(Violation("postalIban", "iban_and_transfers", ONE_WAY))
        if len(self.metadata) > MAX_METADATA:
            found.append(Violation("metadata", "too_many", f"At most {MAX_METADATA} keys"))
        return found

    def _declared(self) -> "Content":
        """Return the content as it was declared: without the registered IBAN and the postal one it filled."""
        if self.iban_source is not IbanSource.REGISTERED:
            return self
        postal = None if self.postal_iban == self.iban else self.postal_iban
        return replace(self, iban=None, iban_source=None, postal_iban=postal)

    def _merged(self, changes: Changes) -> "Content":
        plain: dict[str, Any] = {name: value for name, value in changes.items() if name not in _MERGED_BY_KEY}
        merged = replace(self, **plain)
        if "debtor" in changes:
            merged = replace(merged, debtor=replace(self.debtor, **changes["debtor"]))
        if "metadata" in changes:
            merged = replace(merged, metadata=_merged_by_key(self.metadata, changes["metadata"]))
        if changes.get("transfers"):
            return replace(merged, iban=None, iban_source=None, postal_iban=changes.get("postal_iban"))
        return replace(merged, transfers=()) if "iban" in changes else merged

    def _names_a_way(self, changes: Changes) -> bool:
        return bool(self.transfers) or "iban" in changes


_MERGED_BY_KEY = ("debtor", "metadata")


def _merged_by_key(known: Mapping[str, str], named: Mapping[str, str | None] | None) -> dict[str, str]:
    before: dict[str, str | None] = {**known}
    # A key counts in either spelling of its accents.
    values = before | as_known({**named}, before) if named is not None else {}
    return {key: value for key, value in values.items() if value is not None}


STARTS_IN_TIME = "validFrom must come before dueDate"
ADDS_UP = "The amounts of the transfers must add up to the amount"
ONE_WAY = "A notice has transfers or an IBAN of its own, not both"


def starts_in_time(valid_from: ValidFrom | None, due_date: DueDate) -> bool:
    """Return whether a notice becomes valid before its due date."""
    return valid_from is None or valid_from.instant < due_date.instant


class _Part(Protocol):
    @property
    def amount(self) -> Amount: ...


def adds_up(amount: Amount, transfers: Sequence[_Part]) -> bool:
    """Return whether the transfers, if there are any, add up to the amount of the notice."""
    return not transfers or sum(transfer.amount for transfer in transfers) == amount
