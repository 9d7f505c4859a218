"""How the archive gets into its account, and what it tells of every call."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from emulators.cosmos import CosmosDouble, Fault
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.domain import declarations
from shared.errors import StoreUnavailable
from shared.ports import Search
from shared.settings import CosmosStore
from shared.telemetry import StoreCall, error_chain
from tests.stores import account_of, an_account
from tests.support import ADDRESS, NOW, a_publication, an_act

TOKEN = "a-token-of-the-app"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the SDK ask for the account again at once where it is refused; it waits half a second otherwise."""
    monkeypatch.setenv("AZURE_COSMOS_HEALTH_CHECK_RETRY_AFTER_MS", "1")


@pytest.fixture
async def double() -> AsyncIterator[CosmosDouble]:
    """Yield an account as the archive's."""
    async with an_account() as double:
        yield double


@asynccontextmanager
async def opened(store: CosmosStore, told: list[StoreCall]) -> AsyncIterator[CosmosNoticeStore]:
    """Yield the store, which tells of its calls."""
    cosmos = Cosmos(store, budget=2, observe=told.append)
    yield CosmosNoticeStore(cosmos)
    await cosmos.close()


async def test_every_call_is_told_with_its_charge_its_time_and_its_attempts(double: CosmosDouble) -> None:
    told: list[StoreCall] = []
    change = declarations.publish(None, a_publication(), an_act())
    async with opened(account_of(double), told) as store:
        await store.load(ADDRESS)
        double.log.clear()
        double.inject(Fault("Batch", status=449, times=2))
        await store.save(change)
        await store.save(replace(change))

    missed, saved, refused, looked = told
    assert (missed.operation, missed.container, missed.outcome, missed.attempts) == ("load", "notices", "404", 1)
    assert (saved.operation, saved.outcome, saved.attempts) == ("save", "done", 3)
    assert (refused.operation, refused.outcome, refused.attempts) == ("save", "409", 1)
    assert (looked.operation, looked.outcome, looked.attempts) == ("read_together", "done", 1)
    assert sum(call.charge for call in told[1:]) == pytest.approx(double.log.charge())
    assert all(0 < call.seconds < 2 for call in told)


async def test_a_call_that_is_given_up_is_told_as_well(double: CosmosDouble) -> None:
    told: list[StoreCall] = []
    async with opened(account_of(double), told) as store:
        await store.ping(NOW)
        double.inject(Fault(status=429, retry_after=60, times=None))

        with pytest.raises(StoreUnavailable):
            await store.load(ADDRESS)

    assert (told[-1].outcome, told[-1].attempts) == ("failed", 1)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Fault("Read", status=404, substatus=1003), "CosmosResourceNotFoundError(404/1003)"),
        (Fault("Read", status=403, substatus=5300), "CosmosHttpResponseError(403/5300)"),
        (Fault("Read", status=429, substatus=3200, retry_after=60), "CosmosHttpResponseError(429/3200)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_refusal_names_the_status_and_the_substatus_of_the_service(
    double: CosmosDouble, fault: Fault, cause: str
) -> None:
    double.inject(replace(fault, times=None))
    async with opened(account_of(double), []) as store:
        with pytest.raises(StoreUnavailable) as refused:
            await store.load(ADDRESS)

    assert error_chain(refused.value).startswith(f"StoreUnavailable caused by {cause}")


async def test_a_list_in_a_container_that_is_gone_is_refused_at_once(double: CosmosDouble) -> None:
    told: list[StoreCall] = []
    double.inject(Fault("Query", status=404, substatus=1003, times=None))
    async with opened(account_of(double), told) as store:
        with pytest.raises(StoreUnavailable) as refused:
            await store.search(Search(ADDRESS.creditor_institution, NOW))

    assert told[-1].attempts == 1
    assert error_chain(refused.value).startswith("StoreUnavailable caused by CosmosResourceNotFoundError(404/1003)")


@pytest.mark.parametrize("client_id", [None, "the-id-of-an-identity"])
async def test_without_a_key_the_app_signs_in_with_its_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client_id: str | None
) -> None:
    asked: list[dict[str, str]] = []

    async def token(request: web.BaseRequest) -> web.Response:
        asked.append({**request.query, "secret": request.headers["X-IDENTITY-HEADER"]})
        expires = int(datetime.now(UTC).timestamp()) + 3600
        given = {"access_token": TOKEN, "expires_on": str(expires), "token_type": "Bearer"}
        return web.json_response(given | {"resource": request.query["resource"]})

    async with an_account(tls=certified(tmp_path), token=TOKEN) as double, serving(token) as identity:
        # As Azure tells an app where its identity is to be had.
        monkeypatch.setenv("IDENTITY_ENDPOINT", identity)
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        async with opened(replace(account_of(double), key=None, client_id=client_id), []) as store:
            await store.save(declarations.publish(None, a_publication(), an_act()))
            assert await store.load(ADDRESS) is not None

    assert {wanted["resource"] for wanted in asked} == {double.endpoint.rpartition(":")[0]}
    assert {(wanted.get("client_id"), wanted["secret"]) for wanted in asked} == {(client_id, "secret")}


async def test_an_account_that_does_not_know_the_key_is_not_waited_for(double: CosmosDouble) -> None:
    told: list[StoreCall] = []
    wrong = replace(account_of(double), key="QUJD")
    async with opened(wrong, told) as store:
        with pytest.raises(StoreUnavailable):
            await store.load(ADDRESS)

    assert told[0].outcome == "401"


async def test_a_client_that_cannot_be_opened_is_opened_later(double: CosmosDouble) -> None:
    double.inject(Fault("Account", status=403, times=None))
    async with opened(account_of(double), []) as store:
        with pytest.raises(StoreUnavailable):
            await store.ping(NOW)
        double.faults.clear()

        await store.ping(NOW)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("Account", "{}"),
        ("ReadContainer", ""),
        ("ReadContainer", "{}"),
        ("PartitionKeyRanges", "null"),
        ("PartitionKeyRanges", "<html></html>"),
    ],
)
async def test_an_unusable_description_of_the_account_is_not_kept(
    double: CosmosDouble, operation: str, body: str
) -> None:
    double.inject(Fault(operation, status=200, body=body))
    async with opened(account_of(double), []) as store:
        assert await store.search(Search(ADDRESS.creditor_institution, NOW)) == []


@asynccontextmanager
async def serving(handler: Callable[[web.BaseRequest], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """Serve on loopback; yield the address."""
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    await runner.cleanup()


def certified(folder: Path) -> ssl.SSLContext:
    """Return what a server needs to speak HTTPS: a certificate of its own making, which the SDK takes on loopback."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "double")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = folder / "double.pem"
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + certificate.public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context
