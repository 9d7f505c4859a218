"""GET /v1/debtors/notices: what a debtor can pay now, of every institution, by due date."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.callers import EVERY, Scope
from shared.domain.identifiers import InstitutionCode
from shared.domain.notice import Address
from tests.conftest import PLATFORM_KEY
from tests.functions.client import (
    COMUNE,
    amend,
    bring_to,
    declare,
    path_of,
    publish,
    refusal,
    register_caller,
    shown,
)
from tests.functions.queues import project
from tests.stores import both_stores
from tests.support import HOUR, INSTITUTION, NOW, NUMBER, SECOND, StillClock, a_number, a_payment, an_act

DEBTOR = "RSSMRA80A01H501U"
ANOTHER = "VRDLGU85B02F205C"
OPEN = "/debtors/notices"
COMPANY = {"type": "G", "fiscalCode": "12345678903", "fullName": "Ditta Esempio S.r.l."}

pytestmark = both_stores


class Platform:
    """A service through which citizens pay."""

    def __init__(self, http: httpx.AsyncClient, application: Application) -> None:
        self.http = http
        self.application = application

    async def ask(self, debtor: str = DEBTOR, **parameters: Any) -> httpx.Response:
        """Ask for a page of a debtor's list, as it is now."""
        return await self.http.get(OPEN, params=parameters, headers={**PLATFORM_KEY, "x-tax-code": debtor})

    async def page(self, debtor: str = DEBTOR, **parameters: Any) -> dict[str, Any]:
        """Return a page of a debtor's list, once the lists are up to date."""
        await project(self.application)
        answer = await self.ask(debtor, **parameters)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    async def items(self, debtor: str = DEBTOR, **parameters: Any) -> list[dict[str, Any]]:
        """Return the notices of the only page."""
        page = await self.page(debtor, **parameters)
        assert page["nextCursor"] is None
        items: list[dict[str, Any]] = page["items"]
        return items

    async def numbers(self, debtor: str = DEBTOR, **parameters: Any) -> list[str]:
        """Return the numbers of the notices of the only page."""
        return [item["noticeNumber"] for item in await self.items(debtor, **parameters)]


@pytest.fixture
def platform(http: httpx.AsyncClient, application: Application) -> Platform:
    """Return the service."""
    return Platform(http, application)


class TestList:
    """What a debtor's list shows."""

    async def test_a_debtor_who_owes_nothing_has_an_empty_list(self, platform: Platform) -> None:
        assert await platform.page() == {"items": [], "nextCursor": None}

    async def test_a_notice_is_shown_as_get_shows_it_without_its_debtor(
        self, platform: Platform, http: httpx.AsyncClient
    ) -> None:
        await publish(http, metadata={"protocollo": "4711"}, officeName="Ufficio tributi")

        [item] = await platform.items()

        notice = await shown(http)
        assert item == {name: value for name, value in notice.items() if name != "debtor"}

    async def test_the_tax_code_may_be_in_lower_case(self, platform: Platform, http: httpx.AsyncClient) -> None:
        await publish(http)

        assert await platform.numbers(DEBTOR.lower()) == [NUMBER]

    async def test_notices_of_several_institutions_come_by_due_date_then_institution_and_number(
        self, platform: Platform, http: httpx.AsyncClient
    ) -> None:
        for institution, serial, day in (
            (COMUNE, 1, "2026-12-31"),
            (INSTITUTION, 2, "2026-12-01"),
            (COMUNE, 3, "2026-12-16"),
            (INSTITUTION, 5, "2026-12-16"),
            (INSTITUTION, 4, "2026-12-16"),
        ):
            await publish(http, path_of(a_number(serial), institution), dueDate=day)

        found = [(item["creditorInstitution"], item["noticeNumber"]) for item in await platform.items()]

        assert found == [
            (INSTITUTION, a_number(2)),
            (INSTITUTION, a_number(4)),
            (INSTITUTION, a_number(5)),
            (COMUNE, a_number(3)),
            (COMUNE, a_number(1)),
        ]

    async def test_each_debtor_has_a_list_of_their_own(self, platform: Platform, http: httpx.AsyncClient) -> None:
        await publish(http)
        await publish(http, path_of(a_number(2)), debtor=COMPANY)

        assert await platform.numbers() == [NUMBER]
        assert await platform.numbers(COMPANY["fiscalCode"]) == [a_number(2)]
        assert await platform.numbers(ANOTHER) == []

    async def test_a_notice_of_anonimo_is_in_no_list(self, platform: Platform, http: httpx.AsyncClient) -> None:
        await publish(http, debtor={"type": "F", "fiscalCode": "ANONIMO", "fullName": "Anonimo"})
        await project(platform.application)

        assert refusal(await platform.ask("ANONIMO")) == (400, "invalid_header")
        assert refusal(await platform.ask("anonimo")) == (400, "invalid_header")

    async def test_an_amended_notice_is_shown_as_it_is_now(self, platform: Platform, http: httpx.AsyncClient) -> None:
        await publish(http)
        await platform.page()

        await amend(http, {"amount": 99, "dueDate": "2027-01-31"})

        [item] = await platform.items()
        assert (item["amount"], item["dueDate"], item["version"]) == (99, "2027-01-31", 2)

    @pytest.mark.parametrize("status", ["CANCELLED", "CLOSED", "PAID", "REPORTED"])
    async def test_a_notice_that_ended_is_not_listed(
        self, platform: Platform, http: httpx.AsyncClient, application: Application, status: str
    ) -> None:
        await publish(http)
        assert await platform.numbers() == [NUMBER]

        await bring_to(status, http, application)

        assert await platform.numbers() == []

    async def test_a_restored_notice_is_listed_again(self, platform: Platform, http: httpx.AsyncClient) -> None:
        await publish(http)
        await declare(http, "cancelled")
        assert await platform.numbers() == []

        await declare(http, "restored")

        assert await platform.numbers() == [NUMBER]

    async def test_money_for_a_notice_that_nobody_communicated_is_in_no_list(
        self, platform: Platform, http: httpx.AsyncClient, application: Application
    ) -> None:
        address = Address(InstitutionCode(INSTITUTION), NUMBER)
        await application.archive.record_payment(address, a_payment(), an_act())
        assert await platform.numbers() == []

        await publish(http)

        assert (await shown(http))["status"] == "PAID"
        assert await platform.numbers() == []


class TestTime:
    """The list shows what is payable at the moment of reading, whether or not a timer has run."""

    async def test_a_notice_is_listed_from_its_validity_to_its_binding_due_date(
        self, platform: Platform, http: httpx.AsyncClient, clock: StillClock
    ) -> None:
        starts, ends = NOW + HOUR, NOW + 2 * HOUR
        await publish(http, validFrom=starts.isoformat(), dueDate=ends.isoformat(), switchToExpired=True)
        await project(platform.application)

        for now, is_listed in (
            (NOW, False),
            (starts - SECOND, False),
            (starts, True),
            (ends - SECOND, True),
            (ends, False),
        ):
            clock.now = now
            assert bool((await platform.ask()).json()["items"]) is is_listed, now

    async def test_a_notice_that_began_meanwhile_is_shown_as_get_shows_it(
        self, platform: Platform, http: httpx.AsyncClient, clock: StillClock
    ) -> None:
        await publish(http, validFrom=(NOW + HOUR).isoformat())
        await project(platform.application)

        clock.advance(HOUR)

        [item] = (await platform.ask()).json()["items"]
        notice = await shown(http)
        assert item == {name: value for name, value in notice.items() if name != "debtor"}
        assert item["status"] == "ACTIVE"

    async def test_an_expired_notice_whose_due_date_is_moved_is_listed_again(
        self, platform: Platform, http: httpx.AsyncClient, clock: StillClock
    ) -> None:
        await publish(http, dueDate="2026-11-23", switchToExpired=True)
        clock.now = datetime(2026, 11, 24, 8, tzinfo=UTC)
        assert await platform.numbers() == []

        await amend(http, {"dueDate": "2026-11-30"})

        assert await platform.numbers() == [NUMBER]

    async def test_a_past_due_date_that_does_not_bind_stays_in_the_list(
        self, platform: Platform, http: httpx.AsyncClient, clock: StillClock
    ) -> None:
        await publish(http, dueDate="2026-11-23")
        clock.now = datetime(2027, 11, 24, tzinfo=UTC)

        assert await platform.numbers() == [NUMBER]


class TestFormerDebtor:
    """A corrected debtor code moves the notice to the list of the right debtor."""

    async def test_the_notice_leaves_the_list_of_the_former_debtor(
        self, platform: Platform, http: httpx.AsyncClient
    ) -> None:
        await publish(http)
        assert await platform.numbers() == [NUMBER]

        await amend(http, {"debtor": {"fiscalCode": ANOTHER}})

        assert (await platform.numbers(), await platform.numbers(ANOTHER)) == ([], [NUMBER])

    async def test_also_if_both_versions_come_in_one_page(self, platform: Platform, http: httpx.AsyncClient) -> None:
        await publish(http)
        await amend(http, {"debtor": {"fiscalCode": ANOTHER}})
        await amend(http, {"debtor": {"fiscalCode": COMPANY["fiscalCode"]}})

        assert await platform.numbers() == []
        assert await platform.numbers(ANOTHER) == []
        assert await platform.numbers(COMPANY["fiscalCode"]) == [NUMBER]

    async def test_also_if_two_corrections_come_in_one_page(self, platform: Platform, http: httpx.AsyncClient) -> None:
        await publish(http)
        assert await platform.numbers() == [NUMBER]

        await amend(http, {"debtor": {"fiscalCode": ANOTHER}})
        await amend(http, {"debtor": {"fiscalCode": COMPANY["fiscalCode"]}})

        assert await platform.numbers(COMPANY["fiscalCode"]) == [NUMBER]
        assert await platform.numbers() == []

    async def test_a_correction_that_is_taken_back_brings_the_notice_back(
        self, platform: Platform, http: httpx.AsyncClient
    ) -> None:
        await publish(http)
        await amend(http, {"debtor": {"fiscalCode": ANOTHER}})
        assert await platform.numbers(ANOTHER) == [NUMBER]

        await amend(http, {"debtor": {"fiscalCode": DEBTOR}})

        assert (await platform.numbers(), await platform.numbers(ANOTHER)) == ([NUMBER], [])

    async def test_another_name_of_the_debtor_leaves_the_notice_where_it_is(
        self, platform: Platform, http: httpx.AsyncClient
    ) -> None:
        await publish(http)
        await platform.page()

        await amend(http, {"debtor": {"fullName": "Maria Rossi"}})

        [item] = await platform.items()
        assert item["version"] == 2

    async def test_a_debtor_who_becomes_anonimo_has_the_notice_no_more(
        self, platform: Platform, http: httpx.AsyncClient
    ) -> None:
        await publish(http)
        await platform.page()

        await amend(http, {"debtor": {"fiscalCode": "ANONIMO"}})

        assert await platform.numbers() == []


class TestPages:
    """Pages of a list."""

    @pytest.fixture
    async def thirteen(self, http: httpx.AsyncClient, application: Application) -> list[str]:
        """Publish thirteen notices, and return their numbers in the order of the list."""
        days = [f"2026-12-{day:02}" for day in (9, 1, 5, 5, 2, 31, 30, 1, 1, 7, 8, 4, 3)]
        numbers: dict[str, str] = {a_number(serial): day for serial, day in enumerate(days, 1)}
        for number, day in numbers.items():
            await publish(http, path_of(number), dueDate=day)
        await project(application)
        return sorted(numbers, key=lambda number: (numbers[number], number))

    @pytest.mark.parametrize("limit", [1, 4, 12, 13, 100])
    async def test_the_pages_together_are_the_list(self, platform: Platform, thirteen: list[str], limit: int) -> None:
        found: list[str] = []
        page = await platform.page(limit=limit)
        while True:
            assert len(page["items"]) <= limit
            found += [item["noticeNumber"] for item in page["items"]]
            if page["nextCursor"] is None:
                break
            page = await platform.page(limit=limit, cursor=page["nextCursor"])

        assert found == thirteen

    async def test_a_page_has_fifty_notices_unless_the_client_says_otherwise(
        self, platform: Platform, http: httpx.AsyncClient
    ) -> None:
        for serial in range(1, 52):
            await publish(http, path_of(a_number(serial)))

        page = await platform.page()

        assert len(page["items"]) == 50
        assert page["nextCursor"] is not None

    async def test_the_list_may_begin_with_a_due_day(self, platform: Platform, thirteen: list[str]) -> None:
        assert await platform.numbers(dueFrom="2026-12-30") == thirteen[-2:]
        assert await platform.numbers(dueFrom="2026-12-31") == thirteen[-1:]
        assert await platform.numbers(dueFrom="2027-01-01") == []
        page = await platform.page(dueFrom="2026-12-05", limit=2)
        rest = await platform.numbers(dueFrom="2026-12-05", cursor=page["nextCursor"])
        assert [item["noticeNumber"] for item in page["items"]] + rest == thirteen[-7:]

    async def test_a_notice_that_is_paid_between_two_pages_does_not_shift_the_rest(
        self, platform: Platform, http: httpx.AsyncClient, thirteen: list[str]
    ) -> None:
        page = await platform.page(limit=5)

        await declare(http, "closed", path_of(thirteen[2]))

        assert await platform.numbers(cursor=page["nextCursor"]) == thirteen[5:]

    async def test_a_cursor_belongs_to_its_debtor_and_its_filter(self, platform: Platform, thirteen: list[str]) -> None:
        cursor = (await platform.page(limit=2, dueFrom="2026-12-01"))["nextCursor"]

        assert refusal(await platform.ask(ANOTHER, cursor=cursor, dueFrom="2026-12-01")) == (400, "invalid_cursor")
        assert refusal(await platform.ask(cursor=cursor)) == (400, "invalid_cursor")
        assert refusal(await platform.ask(cursor=cursor, dueFrom="2026-12-02")) == (400, "invalid_cursor")
        assert (await platform.ask(DEBTOR.lower(), cursor=cursor, dueFrom="2026-12-01")).status_code == 200

    @pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIl0", "e30", "WzEsMl0", "WyJhIiwxXQ", "é"])
    async def test_a_cursor_that_the_archive_did_not_make_is_refused(self, platform: Platform, cursor: str) -> None:
        assert refusal(await platform.ask(cursor=cursor)) == (400, "invalid_cursor")

    @pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "x", "١"])
    async def test_a_limit_out_of_bounds_is_refused(self, platform: Platform, limit: str) -> None:
        assert refusal(await platform.ask(limit=limit)) == (400, "invalid_parameter")

    @pytest.mark.parametrize("parameters", [{"dueFrom": "2026-02-30"}, {"dueTo": "2026-12-16"}, {"limit": ""}])
    async def test_a_parameter_that_is_unknown_or_wrong_is_refused(
        self, platform: Platform, parameters: dict[str, str]
    ) -> None:
        assert refusal(await platform.ask(**parameters)) == (400, "invalid_parameter")


class TestAccess:
    """Who may ask."""

    @pytest.mark.parametrize("code", [None, "", "X", "A" * 17, "RSSMRA80A01H501Ù", "RSS MRA", "RSSMRA80-01H501U"])
    async def test_a_tax_code_that_is_missing_or_wrong_is_refused_without_its_value(
        self, platform: Platform, http: httpx.AsyncClient, code: str | None
    ) -> None:
        headers = [] if code is None else [(b"x-tax-code", code.encode())]

        answer = await http.get(OPEN, headers=[(b"Ocp-Apim-Subscription-Key", b"local-platform"), *headers])

        assert refusal(answer) == (400, "invalid_header")
        assert not code or code not in answer.json()["detail"] or code == "X"

    async def test_the_scope_is_needed(self, http: httpx.AsyncClient) -> None:
        answer = await http.get(OPEN, headers={"x-tax-code": DEBTOR})

        assert refusal(answer) == (403, "scope_not_granted")

    async def test_a_key_is_needed(self, http: httpx.AsyncClient) -> None:
        answer = await http.get(OPEN, headers={"x-tax-code": DEBTOR, "Ocp-Apim-Subscription-Key": "nobody"})

        assert refusal(answer) == (401, "unauthenticated")

    async def test_a_caller_sees_the_notices_that_it_was_granted(
        self, platform: Platform, http: httpx.AsyncClient, application: Application
    ) -> None:
        for institution, code in ((INSTITUTION, "47"), (INSTITUTION, "48"), (COMUNE, "47"), (COMUNE, "12")):
            await publish(http, path_of(a_number(7, code), institution))
        await project(application)
        granted = {INSTITUTION: frozenset({"48"}), COMUNE: frozenset({EVERY})}
        scopes = frozenset({Scope.DEBTORS_READ})
        key = await register_caller(application, "an-app", scopes=scopes, grants=granted)

        answer = await http.get(OPEN, params={"limit": 2}, headers={**key, "x-tax-code": DEBTOR})
        page = answer.json()
        rest = await http.get(
            OPEN, params={"cursor": page["nextCursor"], "limit": 2}, headers={**key, "x-tax-code": DEBTOR}
        )

        found = [
            (item["creditorInstitution"], item["noticeNumber"][1:3]) for item in (*page["items"], *rest.json()["items"])
        ]
        assert found == [(INSTITUTION, "48"), (COMUNE, "12"), (COMUNE, "47")]
        assert rest.json()["nextCursor"] is None

    async def test_a_caller_of_one_institution_waits_for_no_notices_of_others(
        self, platform: Platform, http: httpx.AsyncClient, application: Application
    ) -> None:
        for serial in range(1, 30):
            await publish(http, path_of(a_number(serial)), dueDate="2026-12-01")
        await publish(http, path_of(a_number(1), COMUNE), dueDate="2026-12-31")
        await project(application)
        grants = {COMUNE: frozenset({EVERY})}
        key = await register_caller(application, "an-app", scopes=frozenset({Scope.DEBTORS_READ}), grants=grants)

        page = (await http.get(OPEN, params={"limit": 1}, headers={**key, "x-tax-code": DEBTOR})).json()

        assert [item["creditorInstitution"] for item in page["items"]] == [COMUNE]
        assert page["nextCursor"] is None
