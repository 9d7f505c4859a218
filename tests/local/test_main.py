"""`python -m local` as a developer meets it: it starts, serves and stops, or says in one sentence why not."""

import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.cosmos import start_double
from tests.ops import command_line
from tests.server import KEY, PATIENCE, Server, running, starting, unanswered_port
from tests.support import a_body

NAMESPACE = "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true"
NOTICE = "/creditor-institutions/77777777777/notices/347000000000000124"


def beside_turns(server: Server) -> list[str]:
    """Return the lines of the log, without those of a reader that has worked meanwhile."""
    return [line for line in server.log.splitlines() if "_turn events=" not in line]


def refused(data: Path, *options: str, **settings: str) -> str:
    """Return the sentence with which the host refuses to start."""
    with starting(data, None, *options, **settings) as server:
        assert (server.wait(), server.out) == (1, "")
        assert server.log.count("\n") == 1
        return server.log


def publish(server: Server) -> httpx.Response:
    return httpx.put(f"{server.url}{NOTICE}", json=a_body(), headers=KEY, timeout=PATIENCE)


def begin_publishing(client: socket.socket) -> None:
    """Send all but the last byte of a request, and return when the host reads its body."""
    client.settimeout(PATIENCE)
    head = f"PUT /api/v1{NOTICE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    client.sendall(head.encode())
    assert client.recv(4096).startswith(b"HTTP/1.1 100 ")
    client.sendall(b"{")


def wait_until_nothing_listens(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), PATIENCE).close()
        except ConnectionError:  # Refused, or reset if it came in the moment of the end.
            return


# Start and stop


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_the_host_says_where_it_listens_and_a_signal_ends_it_well(by: signal.Signals, tmp_path: Path) -> None:
    with running(tmp_path / "new" / "data") as server:
        code = server.stop(by)

        assert f"http://localhost:{server.port}/api" in server.out
        assert (code, beside_turns(server)) == (0, [])
        assert (tmp_path / "new" / "data" / "archive.db").is_file()


def test_options_say_where_as_the_environment_does(tmp_path: Path) -> None:
    elsewhere = ("--port", "0", "--data", str(tmp_path / "option"))
    with running(tmp_path / "environment", None, *elsewhere, PORT="seven") as server:
        assert publish(server).status_code == 201

    assert [file.name for file in tmp_path.iterdir()] == ["option"]


def test_a_request_under_way_is_answered_before_the_host_stops(tmp_path: Path) -> None:
    with running(tmp_path) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        begin_publishing(client)
        server.process.terminate()
        wait_until_nothing_listens(server.port)
        client.sendall(b"}")
        answer = client.recv(65536)
        code = server.wait()

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert code == 0


# Requests


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a host that only answers."""
    with running(tmp_path_factory.mktemp("data")) as server:
        yield server


def test_the_host_listens_on_loopback_only(server: Server) -> None:
    with pytest.raises((ConnectionRefusedError, TimeoutError)):
        socket.create_connection(("127.0.0.2", server.port), timeout=1)


def test_a_client_that_offers_http_2_is_served_with_its_body(server: Server) -> None:
    head = (
        "PUT /api/v1/creditor-institutions/77777777777/notices/1 HTTP/1.1\r\nHost: localhost\r\n"
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
        "Ocp-Apim-Subscription-Key: local-ec\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
        client.sendall(head.encode())
        client.sendall(b"{}")

        assert client.recv(4096).startswith(b"HTTP/1.1 422")


def test_a_public_key_opens_on_a_loopback_name_only_and_the_log_says_so(server: Server) -> None:
    there = httpx.get(f"{server.url}{NOTICE}", headers={**KEY, "Host": "evil.example"}, timeout=PATIENCE)
    here = httpx.get(f"{server.url}{NOTICE}", headers=KEY, timeout=PATIENCE)

    assert (there.status_code, there.content, here.status_code) == (400, b"", 404)
    assert "INFO public_key_refused " in server.log
    assert "evil" not in server.log


def test_a_refusal_is_one_line_of_the_log_that_no_header_can_forge(server: Server) -> None:
    forged = "1 ERROR status=200"
    httpx.get(f"{server.url}{NOTICE}", headers={"X-Request-Id": forged}, timeout=PATIENCE)

    (line,) = [line for line in server.log.splitlines() if forged in line]
    assert " INFO request_refused " in line
    assert f' request_id="{forged}" ' in line
    assert " code=unauthenticated " in line


# What is kept


@pytest.mark.parametrize("first", ["make run", "make run-azure", "make ops"])
def test_only_their_user_can_read_the_data_whatever_begins_them(first: str, tmp_path: Path) -> None:
    data = tmp_path / "data"

    if first == "make ops":
        add = ("institutions", "add", "11111111115", "--name", "Comune di Esempio", "--iban", command_line.IBAN)
        command_line.start(data, *add).communicate(timeout=PATIENCE)
    with running(data, None, *(["--azure"] if first == "make run-azure" else [])) as server:
        publish(server)

        assert modes(data, *data.iterdir()) == {"data": 0o700, **{file.name: 0o600 for file in data.iterdir()}}


def modes(*paths: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths}


def test_files_in_a_folder_that_is_open_to_all_are_not(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    with running(tmp_path) as server:
        publish(server)

        assert {mode & 0o077 for mode in modes(*tmp_path.iterdir()).values()} == {0}


def test_the_debtor_keys_are_beside_the_file_of_the_archive(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "archive.db"
    file.parent.mkdir()

    with running(tmp_path / "data", ARCHIVE_STORE=f"sqlite:{file}"):
        assert (file.parent / "debtor-keys").exists()

    assert not (tmp_path / "data").exists()


def test_on_the_adapters_of_azure_what_was_published_is_there_after_a_kill(tmp_path: Path) -> None:
    with running(tmp_path, None, "--azure") as server:
        assert publish(server).status_code == 201
        server.kill()
    with running(tmp_path, None, "--azure") as server:
        again = publish(server)
        code = server.stop()

        assert (again.status_code, again.json()["version"]) == (200, 1)
        assert "Cosmos DB" in server.out
        assert (code, beside_turns(server)) == (0, [])
        files = {file.name for file in tmp_path.iterdir()}
        assert files == {"cosmos.db", "bus.db", "debtor-keys"}, "A stop leaves no log behind."


def test_hosts_that_start_at_once_on_an_emulator_use_it_and_give_it_what_is_missing(tmp_path: Path) -> None:
    emulator = start_double(tmp_path / "emulator.db")
    with starting(tmp_path / "one", emulator) as one, starting(tmp_path / "other", emulator) as other:
        one.wait_until_ready()
        other.wait_until_ready()

        assert [publish(one).status_code, publish(other).status_code] == [201, 200]
    assert not [*tmp_path.glob("*/cosmos.db")]


# What hinders a start


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        assert refused(tmp_path, PORT=str(port)).startswith(f"Port {port} is in use")


@pytest.mark.parametrize("port", ["seven", "70000", "-1", "7071.5", "9" * 5000])
def test_a_port_that_is_no_port_is_told(port: str, tmp_path: Path) -> None:
    assert "must be a number from 0 to 65535" in refused(tmp_path, PORT=port)


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    sentence = refused(tmp_path / "file" / "data")

    assert sentence.startswith(f"The data folder {tmp_path}/file/data cannot be written")


def test_a_store_that_is_not_understood_is_told(tmp_path: Path) -> None:
    assert "ARCHIVE_STORE" in refused(tmp_path / "data", ARCHIVE_STORE="somewhere")
    assert not (tmp_path / "data").exists(), "A named store leaves the directory alone."


def test_a_file_that_is_no_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "archive.db").write_bytes(b"something else" * 100)

    assert "archive.db" in refused(tmp_path)


@pytest.mark.parametrize("content", [b"", b"local:\xff"])
def test_a_file_without_debtor_keys_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "debtor-keys").write_bytes(content)

    assert refused(tmp_path).startswith(f"The file {tmp_path}/debtor-keys has no debtor keys")


def test_an_account_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with unanswered_port() as port:
        account = f"AccountEndpoint=http://127.0.0.1:{port}/;AccountKey=QUJD;"

        named = {"COSMOS": account, "SERVICEBUS": NAMESPACE, "DEBTOR_KEYS": f"one:{'QUJD' * 11}"}
        sentence = refused(tmp_path, "--azure", **named, STORE_BUDGET_SECONDS="0.1")

    assert sentence.startswith("The archive cannot be opened: its store does not answer (StoreUnavailable caused by ")


def test_an_account_gets_no_double_that_would_take_its_events(tmp_path: Path) -> None:
    sentence = refused(tmp_path, "--azure", COSMOS="AccountEndpoint=https://a.example/;AccountKey=QUJD;")

    assert sentence == "The settings name an account of Cosmos DB: name its namespace in SERVICEBUS as well.\n"
    assert not (tmp_path / "bus.db").exists()


def test_an_account_gets_no_debtor_keys_of_this_machine(tmp_path: Path) -> None:
    account = {"COSMOS": "AccountEndpoint=https://a.example/;AccountKey=QUJD;", "SERVICEBUS": NAMESPACE}

    sentence = refused(tmp_path, "--azure", **account)

    assert sentence == "DEBTOR_KEYS is missing: set it to id:base64, with 32 random bytes or more.\n"
    assert not [*tmp_path.iterdir()]


def test_a_second_host_on_the_doubles_of_a_folder_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, None, "--azure"):
        sentence = refused(tmp_path, "--azure")

    assert "cosmos.db is in use by another host. Stop it, or choose another folder with DATA" in sentence


def test_the_adapters_of_azure_are_not_for_the_embedded_store(tmp_path: Path) -> None:
    assert "--azure" in refused(tmp_path, "--azure", ARCHIVE_STORE="sqlite:archive.db")


def test_an_account_is_not_taken_for_the_embedded_store(tmp_path: Path) -> None:
    assert "run-azure" in refused(tmp_path, COSMOS="AccountEndpoint=https://a/;AccountKey=QUJD;")


def test_data_that_cannot_be_opened_are_told(tmp_path: Path) -> None:
    (tmp_path / "cosmos.db").mkdir()

    assert "cosmos.db" in refused(tmp_path, "--azure")


def test_data_that_no_double_wrote_are_told(tmp_path: Path) -> None:
    (tmp_path / "cosmos.db").write_bytes(b"something else" * 100)

    assert "cosmos.db" in refused(tmp_path, "--azure")
