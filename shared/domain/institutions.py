"""Creditor institutions: their registered data, and the rules that follow for their notices."""

from dataclasses import dataclass
from datetime import date, datetime

from shared.domain.identifiers import Iban, InstitutionCode, NoticeNumber

DEFAULT_LABEL = "ACA"
"""The label of the IBANs that serve notices which name none (SANP, Stand In)."""


@dataclass(frozen=True, slots=True)
class RegisteredIban:
    """An IBAN of an institution. `postal` says that it also serves as the postal IBAN."""

    iban: Iban
    labels: frozenset[str]
    registered_at: datetime
    postal: bool = False


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Payments of a segregation code that need no notice, from the first day through the last (None: for good)."""

    segregation_code: str
    first_day: date
    last_day: date | None = None

    def covers(self, number: NoticeNumber, day: date) -> bool:
        """Return whether a payment made on the day needs no notice."""
        return (
            number.segregation_code == self.segregation_code
            and self.first_day <= day
            and (self.last_day is None or day <= self.last_day)
        )


@dataclass(frozen=True, slots=True)
class CreditorInstitution:
    """A registered institution. `lenient`: checks of form only, for test environments. `stand_in`: enabled for it."""

    fiscal_code: InstitutionCode
    name: str
    ibans: tuple[RegisteredIban, ...] = ()
    lenient: bool = False
    stand_in: bool = False
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def default_iban(self) -> RegisteredIban | None:
        """Return the newest IBAN labelled ACA, if there is one."""
        labelled = [iban for iban in self.ibans if DEFAULT_LABEL in iban.labels]
        return max(labelled, key=lambda iban: iban.registered_at, default=None)

    def excludes(self, number: NoticeNumber, day: date) -> bool:
        """Return whether a payment of the number on the day needs no notice (SANP 3.8, exclusion conditions)."""
        return any(exclusion.covers(number, day) for exclusion in self.exclusions)
