"""What any Registry promises; a registry's test inherits all of it and says how the registry is made."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from shared.domain.callers import Key
from shared.domain.identifiers import InstitutionCode
from shared.domain.institutions import Exclusion, RegisteredIban
from shared.ports import ChangedMeanwhile, Registry
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
        assert await registry.caller_named("an-ec") is None
        assert await registry.institutions() == []
        assert await registry.callers() == []

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

    async def test_a_caller_is_found_by_its_name(self, registry: Registry) -> None:
        await registry.save_caller(a_caller())
        await registry.save_caller(a_caller(name="another", keys=()))

        assert await registry.caller_named("an-ec") == a_caller()
        assert await registry.caller_named("another") == a_caller(name="another", keys=())
        assert await registry.caller_named("a-hash") is None

    async def test_institutions_are_listed_by_fiscal_code(self, registry: Registry) -> None:
        institutions = [an_institution(fiscal_code=InstitutionCode(f"{code:011}")) for code in (30, 4, 200)]
        for institution in institutions:
            await registry.save_institution(institution)
        await registry.save_caller(a_caller())

        listed = await registry.institutions()

        assert listed == sorted(institutions, key=lambda institution: institution.fiscal_code)

    async def test_callers_are_listed_by_name(self, registry: Registry) -> None:
        for name in ("broker-b", "a-broker", "broker"):
            await registry.save_caller(a_caller(name=name, keys=(Key(f"key-of-{name}"),)))
        await registry.save_institution(an_institution())

        assert [caller.name for caller in await registry.callers()] == ["a-broker", "broker", "broker-b"]

    async def test_an_institution_that_was_removed_is_not_there(self, registry: Registry) -> None:
        other = an_institution(fiscal_code=InstitutionCode("77777777777"))
        await registry.save_institution(an_institution())
        await registry.save_institution(other)

        await registry.remove_institution(an_institution())

        assert await registry.institution(INSTITUTION) is None
        assert await registry.institutions() == [other]

    async def test_the_keys_of_a_caller_that_was_removed_name_nobody(self, registry: Registry) -> None:
        caller, other = a_caller(keys=(Key("one"), Key("two", NOW))), a_caller(name="another", keys=(Key("other"),))
        await registry.save_caller(caller)
        await registry.save_caller(other)

        await registry.remove_caller(caller)

        assert await registry.caller_named("an-ec") is None
        assert await registry.caller("one") is await registry.caller("two") is None
        assert await registry.callers() == [await registry.caller("other")] == [other]

    async def test_what_was_removed_can_be_registered_again(self, registry: Registry) -> None:
        await registry.save_institution(an_institution())
        await registry.save_caller(a_caller())
        await registry.remove_institution(an_institution())
        await registry.remove_caller(a_caller())

        await registry.save_institution(an_institution(name="another"), None)
        await registry.save_caller(a_caller(keys=(Key("new"),)), None)

        assert await registry.institution(INSTITUTION) == an_institution(name="another")
        assert await registry.caller("new") == a_caller(keys=(Key("new"),))

    async def test_a_change_is_saved_when_what_it_began_with_is_still_registered(self, registry: Registry) -> None:
        await registry.save_institution(an_institution(), None)
        await registry.save_caller(a_caller(), None)

        await registry.save_institution(an_institution(lenient=True), an_institution())
        await registry.save_caller(a_caller(keys=(Key("new"),)), a_caller())

        assert await registry.institution(INSTITUTION) == an_institution(lenient=True)
        assert await registry.caller("new") == a_caller(keys=(Key("new"),))
        assert await registry.caller("a-hash") is None

    async def test_of_two_changes_that_began_with_the_same_institution_the_second_is_refused(
        self, registry: Registry
    ) -> None:
        await registry.save_institution(an_institution())
        await registry.save_institution(an_institution(lenient=True), an_institution())

        with pytest.raises(ChangedMeanwhile):
            await registry.save_institution(an_institution(name="another"), an_institution())
        with pytest.raises(ChangedMeanwhile):
            await registry.remove_institution(an_institution())

        assert await registry.institution(INSTITUTION) == an_institution(lenient=True)

    async def test_of_two_changes_that_began_with_the_same_caller_the_second_is_refused(
        self, registry: Registry
    ) -> None:
        first = a_caller(keys=(Key("a-hash"), Key("first")))
        await registry.save_caller(a_caller())
        await registry.save_caller(first, a_caller())

        with pytest.raises(ChangedMeanwhile):
            await registry.save_caller(a_caller(keys=(Key("a-hash"), Key("second"))), a_caller())
        with pytest.raises(ChangedMeanwhile):
            await registry.remove_caller(a_caller())

        assert await registry.caller("a-hash") == await registry.caller("first") == first
        assert await registry.caller("second") is None

    async def test_what_two_register_at_once_is_registered_once(self, registry: Registry) -> None:
        await registry.save_institution(an_institution(), None)
        await registry.save_caller(a_caller(), None)

        with pytest.raises(ChangedMeanwhile):
            await registry.save_institution(an_institution(name="another"), None)
        with pytest.raises(ChangedMeanwhile):
            await registry.save_caller(a_caller(keys=(Key("another"),)), None)

        assert await registry.institution(INSTITUTION) == an_institution()
        assert await registry.caller_named("an-ec") == a_caller()
        assert await registry.caller("another") is None

    async def test_what_was_removed_meanwhile_is_not_changed(self, registry: Registry) -> None:
        with pytest.raises(ChangedMeanwhile):
            await registry.save_institution(an_institution(lenient=True), an_institution())
        with pytest.raises(ChangedMeanwhile):
            await registry.save_caller(a_caller(keys=()), a_caller())
        with pytest.raises(ChangedMeanwhile):
            await registry.remove_institution(an_institution())
        with pytest.raises(ChangedMeanwhile):
            await registry.remove_caller(a_caller())

        assert await registry.institutions() == []
        assert await registry.callers() == []

    async def test_a_key_of_another_caller_is_refused(self, registry: Registry) -> None:
        one = a_caller()
        await registry.save_caller(one)

        with pytest.raises(ChangedMeanwhile):
            await registry.save_caller(a_caller(name="another", keys=(Key("new"), Key("a-hash"))))

        assert await registry.caller("a-hash") == one
        assert await registry.caller_named("another") is await registry.caller("new") is None

    async def test_a_key_that_was_taken_away_may_be_given_to_another_caller(self, registry: Registry) -> None:
        one, other = a_caller(), a_caller(name="another")
        await registry.save_caller(one)
        await registry.save_caller(a_caller(keys=()), one)

        await registry.save_caller(other, None)

        assert await registry.caller("a-hash") == other
