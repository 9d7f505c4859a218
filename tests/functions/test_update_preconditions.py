"""If-Match of PATCH and POST."""

from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.wire.headers import parse_precondition
from tests.functions.client import EVENTS, FINAL, NOTICE, bring_to, publish, publish_from_gpd, refusal, types

REQUESTS = [("PATCH", NOTICE, {"amount": 1}), ("POST", EVENTS, {"type": "cancelled"})]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("tag", ['"1-ACTIVE"', 'W/"1-ACTIVE"', '"1-SCHEDULED"', '"foreign", "1-ACTIVE"', "*"])
async def test_a_tag_of_the_known_version_lets_the_notice_change(
    http: httpx.AsyncClient, method: str, path: str, body: dict[str, Any], tag: str
) -> None:
    await publish(http)

    answer = await http.request(method, path, json=body, headers={"If-Match": tag})

    assert (answer.status_code, answer.json()["version"]) == (200, 2)


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("tag", ['"2-ACTIVE"', '"0-ACTIVE"', '"foreign"', '"1"'])
async def test_a_tag_of_no_known_version_is_a_failed_precondition(
    http: httpx.AsyncClient, method: str, path: str, body: dict[str, Any], tag: str
) -> None:
    await publish(http)

    answer = await http.request(method, path, json=body, headers={"If-Match": tag})

    assert refusal(answer) == (412, "precondition_failed")


@pytest.mark.parametrize("event", ["cancelled", "closed", "restored"])
async def test_no_event_is_declared_of_another_version_than_the_expected_one(
    http: httpx.AsyncClient, event: str
) -> None:
    await publish(http)

    answer = await http.post(EVENTS, json={"type": event}, headers={"If-Match": '"2-ACTIVE"'})

    assert refusal(answer) == (412, "precondition_failed")
    assert await types(http) == ["published"]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("tag", ['"1-ACTIVE"', "*"])
async def test_a_precondition_on_a_notice_that_is_not_there_is_404(
    http: httpx.AsyncClient, method: str, path: str, body: dict[str, Any], tag: str
) -> None:
    answer = await http.request(method, path, json=body, headers={"If-Match": tag})

    assert refusal(answer) == (404, "notice_not_found")


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("tag", ["1-ACTIVE", '"1-ACTIVE', "", '"1-ACTIVE" "2-ACTIVE"'])
async def test_a_precondition_that_cannot_be_read_is_refused(
    http: httpx.AsyncClient, method: str, path: str, body: dict[str, Any], tag: str
) -> None:
    await publish(http)

    answer = await http.request(method, path, json=body, headers={"If-Match": tag})

    assert refusal(answer) == (400, "invalid_header")


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("status", FINAL)
async def test_the_precondition_is_checked_before_the_status(
    http: httpx.AsyncClient, application: Application, method: str, path: str, body: dict[str, Any], status: str
) -> None:
    await bring_to(status, http, application)

    answer = await http.request(method, path, json=body, headers={"If-Match": '"1-ACTIVE"'})

    assert refusal(answer) == (412, "precondition_failed")


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_the_precondition_is_checked_before_the_origin(
    http: httpx.AsyncClient, application: Application, method: str, path: str, body: dict[str, Any]
) -> None:
    await publish_from_gpd(application)

    answer = await http.request(method, path, json=body, headers={"If-Match": '"7-ACTIVE"'})

    assert refusal(answer) == (412, "precondition_failed")


@pytest.mark.parametrize(
    "tag", ["1-ACTIVE", "1", "W/1-ACTIVE", '"1-ACTIVE', "'1-ACTIVE'", '"1-ACTIVE" "2-ACTIVE"', '"1-ACTIVE",', ""]
)
async def test_a_tag_that_cannot_be_read_is_to_be_sent_as_it_was_received(http: httpx.AsyncClient, tag: str) -> None:
    await publish(http)

    answer = await http.patch(NOTICE, json={"amount": 1}, headers={"If-Match": tag})

    assert refusal(answer) == (400, "invalid_header")
    assert answer.json()["detail"] == (
        "Send in If-Match the ETag as it was received, quotes included, a list of ETags, or *"
    )


@pytest.mark.parametrize("tags", ['"6"', '"33a64df5"', '"01-ACTIVE"', 'W/"1"', '"6", "x"', '""'])
def test_tags_that_the_archive_never_gives_name_no_version(tags: str) -> None:
    assert parse_precondition({"if-match": tags}).versions == frozenset()
