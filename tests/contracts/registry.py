"""What any Registry promises; a registry's test inherits all of it and says how the registry is made."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from shared.domain.callers import Key
from shared.domain.identifiers import InstitutionCode
from shared.domain.institutions import Exclusion, RegisteredIban
from shared.ports import Registry
from tests.support import DAY, INSTITUTION, NOW, POSTAL_IBAN, a_caller, an_institution


class RegistryContract:
    """Every promise of the port, tested; `registry` is empty at the beginning."""

    @pytest.fixture
    async def registry(self) -> AsyncIterator[Registry]:
        """Yield a registry."""
        raise NotImplementedError("the test of an adapter says how it is made")
        yield  # noqa: PT022  a fixture of this shape is what adapters put in its place

    async def test_what_nobody_registered_is_not_there(self, registry: Registry) -> None:
        assert await registry.institution(INSTITUTION) is None
        assert await registry.caller("a-hash") is None

    async def test_an_institution_is_read_as_it_was_registered(self, registry: Registry) -> None:
        institution = an_institution(
            name="Città di Forlì",
            ibans=(RegisteredIban(POSTAL_IBAN, frozenset({"ACA", "CUP"}), NOW, postal=True),),
            lenient=True,
            exclusions=(Exclusion("47", date(2026, 1, 1), None), Exclusion("48", date(2026, 1, 1), date(2026, 6, 30))),
        )

        await registry.save_institution(institution)

        assert await registry.institution(INSTITUTION) == institution

    async def test_an_institution_registered_again_is_replaced(self, registry: Registry) -> None:
        await registry.save_institution(an_institution())
        await registry.save_institution(an_institution(name="another", ibans=()))

        assert await registry.institution(INSTITUTION) == an_institution(name="another", ibans=())
        assert await registry.institution(InstitutionCode("77777777777")) is None

    async def test_a_caller_is_found_by_each_of_its_keys(self, registry: Registry) -> None:
        caller = a_caller(keys=(Key("one", NOW + DAY), Key("two")), valid_from=NOW - DAY, valid_until=NOW + DAY)

        await registry.save_caller(caller)

        assert await registry.caller("one") == caller
        assert await registry.caller("two") == caller

    async def test_a_key_that_is_taken_away_names_nobody_any_more(self, registry: Registry) -> None:
        await registry.save_caller(a_caller(keys=(Key("one"), Key("two"))))

        await registry.save_caller(a_caller(keys=(Key("two"), Key("three"))))

        assert await registry.caller("one") is None
        assert (
            await registry.caller("two") == await registry.caller("three") == a_caller(keys=(Key("two"), Key("three")))
        )

    async def test_callers_are_kept_apart(self, registry: Registry) -> None:
        one, other = a_caller(keys=(Key("one"),)), a_caller(name="another", keys=(Key("other"),))
        await registry.save_caller(one)
        await registry.save_caller(other)

        assert await registry.caller("one") == one
        assert await registry.caller("other") == other
