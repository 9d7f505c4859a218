"""Addresses and methods that the archive does not have: it answers them itself, for every caller."""

import httpx
import pytest

from local.functions import load
from local.host import Host
from shared.routes import methods_at
from tests.conftest import ROOT
from tests.functions.client import EVENTS, KEY, NOTICE, notices_of, refusal
from tests.support import INSTITUTION, a_body

UNKNOWN = ["/", "/notices", f"{NOTICE}/events/1", "/../nothing", "/../aca/v1/other", "/..", "/../docs/a/b"]


@pytest.mark.parametrize("path", UNKNOWN)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
async def test_an_unknown_address_is_404_whatever_the_method(http: httpx.AsyncClient, path: str, method: str) -> None:
    answer = await http.request(method, path)

    assert refusal(answer) == (404, "address_not_found")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (NOTICE, "GET, PATCH, PUT"),
        (EVENTS, "GET, POST"),
        (f"{NOTICE}/payability", "GET"),
        (notices_of(), "GET"),
        ("/health", "GET, HEAD"),
        ("/../aca/v1/paCreatePosition", "POST"),
        ("/../openapi.json", "GET"),
        ("/../docs/page.js", "GET"),
    ],
)
async def test_a_method_that_an_address_does_not_have_is_405_and_names_those_it_has(
    http: httpx.AsyncClient, path: str, allowed: str
) -> None:
    answer = await http.delete(path)

    assert refusal(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD"])
async def test_other_methods_of_http_are_405_too(http: httpx.AsyncClient, method: str) -> None:
    answer = await http.request(method, NOTICE)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PATCH, PUT")
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("key", [None, "unknown", "local-platform"])
async def test_no_key_is_needed_and_no_grant(http: httpx.AsyncClient, key: str | None) -> None:
    http.headers.pop(KEY)

    answer = await http.get("/notices?page=1&page=2", headers={KEY: key} if key else {})

    assert refusal(answer) == (404, "address_not_found")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("V1/Health", ["GET", "HEAD"]),
        ("v1/health/", ["GET", "HEAD"]),
        ("v1/creditor-institutions/x/notices/y", ["GET", "PATCH", "PUT"]),
        ("v1/creditor-institutions//notices/y", []),
        ("v1/creditor-institutions/x/notices/", ["GET"]),
        ("v1/creditor-institutions/x/notices//", []),
        ("", []),
        ("/", []),
    ],
)
def test_an_address_is_compared_as_the_platform_compares_it(path: str, methods: list[str]) -> None:
    assert methods_at(path) == methods


def test_no_function_hides_another() -> None:
    Host.load(ROOT)  # It refuses an app in which one request fits two functions, but for the last by name.


def test_the_function_for_all_other_addresses_is_the_last_by_name() -> None:
    names = [function.name for function in load(ROOT) if function.trigger["type"] == "httpTrigger"]

    assert max(names, key=str.lower) == "zz_unknown_address"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/creditor-institutions", 404),
        ("GET", f"/creditor-institutions/{INSTITUTION}", 404),
        ("GET", f"{NOTICE}/events/1", 404),
        ("GET", f"//creditor-institutions/{INSTITUTION}/notices", 404),
        ("GET", "/creditor-institutions//notices", 404),
        ("PUT", f"{notices_of()}/", 405),
        ("DELETE", NOTICE, 405),
        ("DELETE", notices_of(), 405),
        ("POST", NOTICE, 405),
        ("PUT", EVENTS, 405),
        ("PATCH", EVENTS, 405),
        ("TRACE", NOTICE, 405),
        ("BREW", NOTICE, 405),
    ],
)
async def test_an_unknown_address_or_method_is_refused(
    http: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await http.request(method, path, json=a_body())

    assert answer.status_code == status
