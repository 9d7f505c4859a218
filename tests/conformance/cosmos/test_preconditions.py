"""Etags: each write makes a new one, and what was decided on an old one is refused."""

import asyncio

import pytest
from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosAccessConditionFailedError, CosmosResourceExistsError

from tests.conformance.cosmos.support import Cosmos, a_notice, an_event, content, key_of, missing, refused

UNMODIFIED = MatchConditions.IfNotModified
STALE = '"00000000-0000-0000-0000-000000000000"'
PAID = [{"op": "set", "path": "/status", "value": "PAID"}]


async def test_a_replacement_under_the_current_etag_is_made(cosmos: Cosmos, institution: str) -> None:
    created = await cosmos.notices.create_item(a_notice(institution))

    replaced = await cosmos.notices.replace_item(
        "notice", a_notice(institution, status="PAID"), etag=created["_etag"], match_condition=UNMODIFIED
    )

    assert replaced["status"] == "PAID"


async def test_a_replacement_under_a_stale_etag_is_refused(cosmos: Cosmos, institution: str) -> None:
    created = await cosmos.notices.create_item(a_notice(institution))
    replaced = await cosmos.notices.replace_item("notice", a_notice(institution, status="CLOSED"))

    with refused(412):
        await cosmos.notices.replace_item(
            "notice", a_notice(institution, status="PAID"), etag=created["_etag"], match_condition=UNMODIFIED
        )

    assert await cosmos.notices.read_item("notice", key_of(created)) == replaced


async def test_an_upsert_under_a_stale_etag_is_refused(cosmos: Cosmos, institution: str) -> None:
    created = await cosmos.notices.create_item(a_notice(institution))
    body = a_notice(institution, status="PAID")

    with refused(412):
        await cosmos.notices.upsert_item(body, etag=STALE, match_condition=UNMODIFIED)
    upserted = await cosmos.notices.upsert_item(body, etag=created["_etag"], match_condition=UNMODIFIED)

    assert await cosmos.notices.read_item("notice", key_of(body)) == upserted


async def test_an_upsert_under_an_etag_still_creates_what_is_not_there(cosmos: Cosmos, institution: str) -> None:
    """Where there is nothing, an upsert is a creation, and the condition is not looked at (dotnet-v3 #1698)."""
    body = a_notice(institution)

    await cosmos.notices.upsert_item(body, etag=STALE, match_condition=UNMODIFIED)

    assert content(await cosmos.notices.read_item("notice", key_of(body))) == body


async def test_a_patch_under_a_stale_etag_is_refused(cosmos: Cosmos, institution: str) -> None:
    created = await cosmos.notices.create_item(a_notice(institution))
    key = key_of(created)

    with refused(412):
        await cosmos.notices.patch_item("notice", key, PAID, etag=STALE, match_condition=UNMODIFIED)
    assert await cosmos.notices.read_item("notice", key) == created

    patched = await cosmos.notices.patch_item("notice", key, PAID, etag=created["_etag"], match_condition=UNMODIFIED)
    assert patched["status"] == "PAID"


async def test_a_deletion_under_a_stale_etag_is_refused(cosmos: Cosmos, institution: str) -> None:
    created = await cosmos.notices.create_item(a_notice(institution))
    key = key_of(created)

    with refused(412):
        await cosmos.notices.delete_item("notice", key, etag=STALE, match_condition=UNMODIFIED)
    assert not await missing(cosmos.notices, "notice", key)

    await cosmos.notices.delete_item("notice", key, etag=created["_etag"], match_condition=UNMODIFIED)
    assert await missing(cosmos.notices, "notice", key)


async def test_a_condition_does_not_make_what_is_not_there_exist(cosmos: Cosmos, institution: str) -> None:
    body = a_notice(institution)

    with refused(404):
        await cosmos.notices.replace_item("notice", body, etag=STALE, match_condition=UNMODIFIED)
    with refused(404):
        await cosmos.notices.delete_item("notice", key_of(body), etag=STALE, match_condition=UNMODIFIED)


async def test_the_sdk_ignores_a_condition_on_a_creation(cosmos: Cosmos, institution: str) -> None:
    """It warns of it; a creation is refused where the item is there, without being told to."""
    with pytest.warns(DeprecationWarning, match="match_condition"):
        created = await cosmos.notices.create_item(a_notice(institution), match_condition=MatchConditions.IfMissing)

    with refused(409):
        await cosmos.notices.create_item(a_notice(institution, amount=1))

    assert await cosmos.notices.read_item("notice", key_of(created)) == created


@pytest.mark.usefixtures("double")
async def test_the_double_does_not_guess_what_an_upsert_of_what_must_be_missing_does(
    cosmos: Cosmos, institution: str
) -> None:
    """The reference of the service knows If-None-Match on reads only. The archive creates instead."""
    with refused(501):
        await cosmos.notices.upsert_item(a_notice(institution), match_condition=MatchConditions.IfMissing)


async def test_if_none_match_is_ignored_by_writes(cosmos: Cosmos, institution: str) -> None:
    """The reference of the service knows it on reads only."""
    body = await cosmos.notices.create_item(a_notice(institution))
    key, modified = key_of(body), MatchConditions.IfModified

    body = await cosmos.notices.replace_item("notice", body, etag=body["_etag"], match_condition=modified)
    body = await cosmos.notices.patch_item("notice", key, PAID, etag=body["_etag"], match_condition=modified)
    assert body["status"] == "PAID"
    await cosmos.notices.delete_item("notice", key, etag=body["_etag"], match_condition=modified)

    assert await missing(cosmos.notices, "notice", key)


async def test_if_match_is_ignored_by_a_creation(cosmos: Cosmos, institution: str) -> None:
    body = a_notice(institution)

    await cosmos.notices.create_item(body, headers={"If-Match": STALE})

    assert content(await cosmos.notices.read_item("notice", key_of(body))) == body


async def test_a_read_of_what_has_not_changed_gives_an_empty_item(cosmos: Cosmos, institution: str) -> None:
    """The service answers 304; the SDK shows neither the status nor an error, only an item with nothing in it."""
    created = await cosmos.notices.create_item(a_notice(institution))

    unchanged = await cosmos.notices.read_item(
        "notice", key_of(created), etag=created["_etag"], match_condition=MatchConditions.IfModified
    )

    assert dict(unchanged) == {}


async def test_a_read_of_what_has_changed_gives_it(cosmos: Cosmos, institution: str) -> None:
    created = await cosmos.notices.create_item(a_notice(institution))
    replaced = await cosmos.notices.replace_item("notice", a_notice(institution, status="PAID"))

    changed = await cosmos.notices.read_item(
        "notice", key_of(created), etag=created["_etag"], match_condition=MatchConditions.IfModified
    )

    assert changed == replaced


async def test_every_write_changes_the_etag(cosmos: Cosmos, institution: str) -> None:
    body = a_notice(institution)
    key = key_of(body)

    written = [
        await cosmos.notices.create_item(body),
        await cosmos.notices.replace_item("notice", body),
        await cosmos.notices.upsert_item(body),
        await cosmos.notices.patch_item("notice", key, PAID),
        await cosmos.notices.patch_item("notice", key, PAID),
    ]
    await cosmos.notices.delete_item("notice", key)
    written.append(await cosmos.notices.create_item(body))

    assert len({item["_etag"] for item in written}) == len(written)


async def test_a_write_does_not_change_the_etag_of_another_item(cosmos: Cosmos, institution: str) -> None:
    created = await cosmos.notices.create_item(a_notice(institution))
    await cosmos.notices.create_item(an_event(created))

    assert (await cosmos.notices.read_item("notice", key_of(created)))["_etag"] == created["_etag"]


async def test_a_patch_is_made_only_where_its_predicate_holds(cosmos: Cosmos, institution: str) -> None:
    created = await cosmos.notices.create_item(a_notice(institution))
    key, payable = key_of(created), "FROM c WHERE c.status = 'ACTIVE'"

    patched = await cosmos.notices.patch_item("notice", key, PAID, filter_predicate=payable)
    with refused(412):
        await cosmos.notices.patch_item("notice", key, PAID, filter_predicate=payable)

    assert await cosmos.notices.read_item("notice", key) == patched


async def test_the_sdk_wants_an_etag_and_its_condition_together(cosmos: Cosmos, institution: str) -> None:
    body = a_notice(institution)

    with pytest.raises(ValueError, match="etag"):
        await cosmos.notices.replace_item("notice", body, etag=STALE)
    with pytest.raises(ValueError, match="etag"):
        await cosmos.notices.replace_item("notice", body, match_condition=UNMODIFIED)


async def test_writers_that_all_read_first_lose_no_update(cosmos: Cosmos, institution: str) -> None:
    await cosmos.notices.create_item(a_notice(institution, amount=0))

    await asyncio.gather(*(_add_one(cosmos.notices, institution) for _ in range(32)))

    read = await cosmos.notices.read_item("notice", key_of(a_notice(institution)))
    assert read["amount"] == 32


async def test_of_many_creations_of_one_id_one_is_made(cosmos: Cosmos, other: Cosmos, institution: str) -> None:
    outcomes = await asyncio.gather(
        *(client.notices.create_item(a_notice(institution, amount=n)) for n in range(8) for client in (cosmos, other)),
        return_exceptions=True,
    )

    made = [outcome for outcome in outcomes if isinstance(outcome, dict)]
    assert [type(outcome) for outcome in outcomes].count(CosmosResourceExistsError) == 15
    assert made == [await cosmos.notices.read_item("notice", key_of(a_notice(institution)))]


async def _add_one(notices: ContainerProxy, institution: str) -> None:
    while True:
        read = await notices.read_item("notice", key_of(a_notice(institution)))
        changed = {**read, "amount": read["amount"] + 1}
        try:
            await notices.replace_item("notice", changed, etag=read["_etag"], match_condition=UNMODIFIED)
        except CosmosAccessConditionFailedError:
            continue
        return
