"""What the environment says is understood, or refused with every fault at once."""

from base64 import b64encode
from pathlib import Path

import pytest

from shared.settings import (
    VARIABLES,
    CosmosStore,
    DebtorKey,
    EmbeddedStore,
    ServiceBusNamespace,
    Settings,
    SettingsError,
)

CONNECTION = "AccountEndpoint=https://archive.documents.azure.com:443/;AccountKey=c2VjcmV0;"
ACCOUNT = "https://archive.documents.azure.com:443/"

NAMESPACE = "archive.servicebus.windows.net"
BUS = f"Endpoint=sb://{NAMESPACE}/;SharedAccessKeyName=Root;SharedAccessKey=c2VjcmV0"
HERE = "Endpoint=sb://127.0.0.1:5672;SharedAccessKeyName=Root;SharedAccessKey=key=;UseDevelopmentEmulator=true;"
KEY_A, KEY_B = b64encode(b"A" * 33).decode(), b64encode(b"B" * 32).decode()
ACCOUNT_AND_KEYS = {"COSMOS": CONNECTION, "DEBTOR_KEYS": f"a:{KEY_A}"}


def test_the_embedded_store_is_a_file() -> None:
    assert Settings.from_environment({"ARCHIVE_STORE": "sqlite:/data/archive.db"}) == Settings(
        EmbeddedStore(Path("/data/archive.db"))
    )


def test_an_account_is_opened_with_the_identity_of_the_app() -> None:
    settings = Settings.from_environment({"COSMOS__accountEndpoint": ACCOUNT})

    assert settings.store == CosmosStore(ACCOUNT, "archive")


def test_an_account_is_opened_with_an_identity_that_is_named() -> None:
    environment = {
        "COSMOS__accountEndpoint": ACCOUNT,
        "COSMOS__credential": "managedidentity",
        "COSMOS__clientId": "an-id",
        "COSMOS_DATABASE": "avvisi",
    }

    assert Settings.from_environment(environment).store == CosmosStore(ACCOUNT, "avvisi", client_id="an-id")


@pytest.mark.parametrize(
    ("connection", "endpoint", "key"),
    [
        (CONNECTION, ACCOUNT, "c2VjcmV0"),
        ("AccountKey=QQ==; AccountEndpoint=http://localhost:8081/", "http://localhost:8081/", "QQ=="),
    ],
)
def test_an_account_is_opened_with_a_connection_string(connection: str, endpoint: str, key: str) -> None:
    settings = Settings.from_environment({"COSMOS": connection})

    assert settings.store == CosmosStore(endpoint, "archive", key)


def test_a_key_is_not_shown() -> None:
    settings = Settings.from_environment({"COSMOS": CONNECTION})

    assert "c2VjcmV0" not in repr(settings)


def test_a_namespace_is_opened_with_an_identity() -> None:
    environment = {**ACCOUNT_AND_KEYS, "SERVICEBUS__fullyQualifiedNamespace": NAMESPACE}

    assert Settings.from_environment(environment, is_whole=True).bus == ServiceBusNamespace(NAMESPACE)
    named = {**environment, "SERVICEBUS__clientId": "an-id", "SERVICEBUS__credential": "managedidentity"}
    assert Settings.from_environment(named).bus == ServiceBusNamespace(NAMESPACE, client_id="an-id")


@pytest.mark.parametrize("connection", [BUS, f"{BUS};", HERE, HERE.replace("127.0.0.1:5672", "localhost")])
def test_a_namespace_is_opened_with_a_connection_string_that_is_not_shown(connection: str) -> None:
    settings = Settings.from_environment({**ACCOUNT_AND_KEYS, "SERVICEBUS": connection}, is_whole=True)

    assert settings.bus == ServiceBusNamespace(connection_string=connection)
    assert "SharedAccessKey" not in repr(settings)


def test_an_operator_may_leave_the_bus_out_and_the_app_may_not() -> None:
    assert Settings.from_environment({"COSMOS": CONNECTION}).bus is None
    with pytest.raises(SettingsError, match="No bus is named"):
        Settings.from_environment(ACCOUNT_AND_KEYS, is_whole=True)
    assert Settings.from_environment({"ARCHIVE_STORE": "sqlite:a"}, is_whole=True).bus is None


def test_an_operator_may_leave_the_debtor_keys_out_and_the_app_may_not() -> None:
    account = {"COSMOS": CONNECTION, "SERVICEBUS": BUS}

    assert Settings.from_environment(account).debtor_keys == ()
    with pytest.raises(SettingsError, match="DEBTOR_KEYS is missing"):
        Settings.from_environment(account, is_whole=True)
    assert Settings.from_environment({"ARCHIVE_STORE": "sqlite:a"}, is_whole=True).debtor_keys == ()


def test_debtor_keys_are_read_in_their_order_and_not_shown() -> None:
    settings = Settings.from_environment({"ARCHIVE_STORE": "sqlite:a", "DEBTOR_KEYS": f"b-2:{KEY_B}, a:{KEY_A}"})

    assert settings.debtor_keys == (DebtorKey("b-2", b"B" * 32), DebtorKey("a", b"A" * 33))
    assert "AAAA" not in repr(settings)


def test_there_may_be_four_debtor_keys_of_32_bytes() -> None:
    keys = ",".join(f"{n}:{b64encode(bytes([n]) * 32).decode()}" for n in range(4))

    settings = Settings.from_environment({"ARCHIVE_STORE": "sqlite:a", "DEBTOR_KEYS": keys})

    assert [key.secret for key in settings.debtor_keys] == [bytes([n]) * 32 for n in range(4)]


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ("x", "must be id:base64"),
        (KEY_A, "must be id:base64"),
        (f":{KEY_A}", "must be id:base64"),
        (f"a b:{KEY_A}", "must be id:base64"),
        (f"{'a' * 21}:{KEY_A}", "must be id:base64"),
        (f"a:{KEY_A[:-1]}", "must be id:base64"),
        (f"a:{KEY_A},", "must be id:base64"),
        ("a:QUJD", "must have 32 bytes"),
        (f"a:{KEY_A},b:{KEY_A}", "may have the same"),
        (f"a:{KEY_A},a:{KEY_B}", "may have the same"),
        (",".join(f"{n}:{b64encode(bytes([n]) * 32).decode()}" for n in range(5)), "at most 4 keys"),
    ],
)
def test_debtor_keys_that_are_wrong_are_a_fault_without_their_text(keys: str, fault: str) -> None:
    with pytest.raises(SettingsError, match=fault) as refused:
        Settings.from_environment({"ARCHIVE_STORE": "sqlite:a", "DEBTOR_KEYS": keys})

    assert "QUJD" not in str(refused.value)
    assert KEY_A not in str(refused.value)


def test_the_budget_may_be_a_part_of_a_second() -> None:
    settings = Settings.from_environment({"ARCHIVE_STORE": "sqlite:a", "STORE_BUDGET_SECONDS": "2.5"})

    assert settings.store_budget == 2.5


@pytest.mark.parametrize(("budget", "hours"), [("0.1", "1"), ("60", "8760")])
def test_a_number_may_be_the_least_and_the_most(budget: str, hours: str) -> None:
    environment = {"ARCHIVE_STORE": "sqlite:a", "STORE_BUDGET_SECONDS": budget, "AWAITED_HOURS": hours}

    settings = Settings.from_environment(environment)

    assert (settings.store_budget, settings.awaited_hours) == (float(budget), int(hours))


def test_an_empty_variable_has_its_default() -> None:
    empty = dict.fromkeys((variable.name for variable in VARIABLES), "")

    assert Settings.from_environment({**empty, "ARCHIVE_STORE": "sqlite:a"}) == Settings(EmbeddedStore(Path("a")))


@pytest.mark.parametrize(
    ("environment", "fault"),
    [
        ({}, "No store is named"),
        ({"ARCHIVE_STORE": ""}, "No store is named"),
        ({"ARCHIVE_STORE": "sqlite:"}, "ARCHIVE_STORE must name the store"),
        ({"ARCHIVE_STORE": "postgres:x"}, "ARCHIVE_STORE must name the store"),
        ({"ARCHIVE_STORE": "sqlite:a", "COSMOS": CONNECTION}, "More than one store is named"),
        ({"COSMOS": CONNECTION, "COSMOS__accountEndpoint": ACCOUNT}, "More than one store is named"),
        ({"COSMOS": ACCOUNT}, "COSMOS must be a connection string"),
        ({"COSMOS": "AccountKey=QUJD"}, "COSMOS must be a connection string"),
        ({"COSMOS": CONNECTION + "Database=x;"}, "COSMOS must be a connection string"),
        ({"COSMOS": "AccountEndpoint=http://archive.example/;AccountKey=QUJD;"}, "over https"),
        ({"COSMOS": "AccountEndpoint=https://archive.example/;AccountKey=abc;"}, "must be base64"),
        ({"COSMOS__accountEndpoint": "archive.documents.azure.com"}, "over https"),
        ({"COSMOS__accountEndpoint": "http://127.0.0.1:8081/"}, "over https"),
        ({"COSMOS__accountEndpoint": ACCOUNT, "COSMOS__credential": "workload"}, "managedidentity"),
        (
            {"ARCHIVE_STORE": "sqlite:a", "SERVICEBUS": BUS},
            "The embedded store has a bus of its own: leave SERVICEBUS out",
        ),
        (
            {"COSMOS": CONNECTION, "SERVICEBUS": BUS, "SERVICEBUS__fullyQualifiedNamespace": NAMESPACE},
            "More than one bus",
        ),
        *(
            ({"COSMOS": CONNECTION, "SERVICEBUS": text}, "SERVICEBUS must be a connection string")
            for text in (
                NAMESPACE,
                f"Endpoint=sb://{NAMESPACE}/;SharedAccessKeyName=Root",
                BUS.replace("c2VjcmV0", ""),
                f"{BUS};EntityPath=notice-events",
                f"junk;{BUS}",
                f"{BUS};Endpoint=sb://other.servicebus.windows.net/",
                BUS.replace(";", ";\n"),
                f"{BUS};UseDevelopmentEmulator=true",
                BUS.replace("windows.net", "windows.net:5672"),
                HERE.replace("UseDevelopmentEmulator=true;", ""),
                HERE.replace("=true", "=false"),
            )
        ),
        *(
            ({"COSMOS": CONNECTION, "SERVICEBUS__fullyQualifiedNamespace": text}, "must be a host name")
            for text in ("archive", f"sb://{NAMESPACE}/", f"{NAMESPACE}:5671", f"{NAMESPACE} ")
        ),
        (
            {
                "COSMOS": CONNECTION,
                "SERVICEBUS__fullyQualifiedNamespace": NAMESPACE,
                "SERVICEBUS__credential": "workload",
            },
            "SERVICEBUS__credential must be managedidentity",
        ),
        ({"ARCHIVE_STORE": "sqlite:a", "STORE_BUDGET_SECONDS": "0"}, "from 0.1 to 60"),
        ({"ARCHIVE_STORE": "sqlite:a", "STORE_BUDGET_SECONDS": "soon"}, "from 0.1 to 60"),
        ({"ARCHIVE_STORE": "sqlite:a", "STORE_BUDGET_SECONDS": "61"}, "from 0.1 to 60"),
        ({"ARCHIVE_STORE": "sqlite:a", "AWAITED_HOURS": "1.5"}, "whole number"),
        ({"ARCHIVE_STORE": "sqlite:a", "AWAITED_HOURS": "٣"}, "from 1 to 8760"),
    ],
)
def test_what_is_not_understood_is_refused_with_a_sentence(environment: dict[str, str], fault: str) -> None:
    with pytest.raises(SettingsError, match=fault) as refusal:
        Settings.from_environment(environment)

    assert len(refusal.value.faults) == 1
    assert "c2VjcmV0" not in str(refusal.value)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment({"AWAITED_HOURS": "0", "STORE_BUDGET_SECONDS": "-1"})

    assert len(refusal.value.faults) == 3


def test_every_variable_is_documented() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")

    assert all(f"| `{variable.name}` |" in documented for variable in VARIABLES)
