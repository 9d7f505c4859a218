"""`python -m local` as a developer meets it: it starts, serves and stops, or says in one sentence why not."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from local.cosmos import start_double
from tests.support import a_body

ROOT = Path(__file__).parents[2]
NOTICE = "/api/v1/creditor-institutions/77777777777/notices/347000000000000124"


def environment(**settings: str) -> dict[str, str]:
    """This process's environment, with no store named."""
    named = ("ARCHIVE_STORE", "COSMOS", "COSMOS__accountEndpoint", "PORT", "DATA")
    return {name: value for name, value in os.environ.items() if name not in named} | settings


def start(*options: str, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local", *options],
        cwd=ROOT,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(data: Path, *options: str, **settings: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A host that is ready, and its port; killed in the end if it still runs."""
    port = free_port()
    process = start(*options, PORT=str(port), DATA=str(data), **settings)
    try:
        wait_until_ready(process, port)
        yield process, port
    finally:
        process.kill()
        process.communicate()


def wait_until_ready(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/api/v1/health").status_code == 200:
                return
        except httpx.ConnectError:
            time.sleep(0.02)
    pytest.fail(f"never ready: {process.communicate(timeout=1) if process.poll() is not None else 'still starting'}")


def refused(*options: str, **settings: str) -> str:
    """The sentence with which the host refuses to start."""
    process = start(*options, **settings)
    try:
        out, err = process.communicate(timeout=5)
    finally:
        process.kill()
    assert (process.returncode, out) == (1, "")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_host_says_where_it_listens_and_a_signal_ends_it_well(stop: signal.Signals, tmp_path: Path) -> None:
    with running(tmp_path / "new" / "data") as (process, port):
        process.send_signal(stop)
        out, err = process.communicate(timeout=5)

    assert f"http://localhost:{port}/api" in out
    assert (process.returncode, err) == (0, "")
    assert (tmp_path / "new" / "data" / "archive.db").is_file()


def test_a_request_under_way_is_answered_before_the_host_stops(tmp_path: Path) -> None:
    with running(tmp_path) as (process, port), socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(f"PUT {NOTICE} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{".encode())
        time.sleep(0.2)
        process.terminate()
        time.sleep(0.2)
        client.sendall(b"}")
        answer = client.recv(65536)
        _, err = process.communicate(timeout=5)

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert (process.returncode, err) == (0, "")


def test_a_request_that_never_ends_does_not_keep_the_host_from_stopping(tmp_path: Path) -> None:
    with running(tmp_path) as (process, port), socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(f"PUT {NOTICE} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{".encode())
        time.sleep(0.2)
        process.terminate()
        _, err = process.communicate(timeout=5)
        answer = client.recv(65536)

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert process.returncode == 0
    assert "Traceback" not in err


def test_the_host_listens_on_loopback_only(tmp_path: Path) -> None:
    with running(tmp_path) as (_, port), pytest.raises((ConnectionRefusedError, TimeoutError)):
        socket.create_connection(("127.0.0.2", port), timeout=1)


def test_a_client_that_offers_http_2_is_served_with_its_body(tmp_path: Path) -> None:
    head = (
        "PUT /api/v1/creditor-institutions/77777777777/notices/1 HTTP/1.1\r\nHost: localhost\r\n"
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
        "Ocp-Apim-Subscription-Key: local-ec\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    )
    with running(tmp_path) as (_, port), socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(head.encode())
        client.sendall(b"{}")

        assert client.recv(4096).startswith(b"HTTP/1.1 422")


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        assert refused(PORT=str(port), DATA=str(tmp_path)).startswith(f"Port {port} is taken")


@pytest.mark.parametrize("port", ["seven", "70000", "-1", "7071.5", "9" * 5000])
def test_a_port_that_is_no_port_is_told(port: str, tmp_path: Path) -> None:
    assert "must be a number from 0 to 65535" in refused(PORT=port, DATA=str(tmp_path))


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    sentence = refused(PORT="0", DATA=str(tmp_path / "file" / "data"))

    assert sentence.startswith(f"The directory for the data, {tmp_path}/file/data, cannot be written")


def test_a_store_that_is_not_understood_is_told(tmp_path: Path) -> None:
    assert "ARCHIVE_STORE" in refused(PORT="0", ARCHIVE_STORE="somewhere", DATA=str(tmp_path / "data"))
    assert not (tmp_path / "data").exists(), "A named store leaves the directory alone."


def test_a_file_that_is_no_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "archive.db").write_bytes(b"something else" * 100)

    assert "archive.db" in refused(PORT="0", DATA=str(tmp_path))


def test_on_the_adapters_of_azure_what_was_published_is_there_after_a_kill(tmp_path: Path) -> None:
    with running(tmp_path, "--azure") as (process, port):
        assert publish(port).status_code == 201
        process.kill()
    with running(tmp_path, "--azure") as (process, port):
        again = publish(port)
        process.terminate()
        out, err = process.communicate(timeout=5)

    assert (again.status_code, again.json()["version"]) == (200, 1)
    assert "Cosmos DB" in out
    assert (process.returncode, err) == (0, "")
    assert (tmp_path / "cosmos.db").is_file()
    assert not (tmp_path / "archive.db").exists()


def test_an_emulator_that_is_named_is_used_and_given_what_is_missing(tmp_path: Path) -> None:
    emulator = start_double(tmp_path / "emulator.db")
    for _ in range(2):
        with running(tmp_path, "--azure", COSMOS=emulator) as (_, port):
            assert publish(port).status_code in (200, 201)

    assert not (tmp_path / "cosmos.db").exists()


def test_an_account_that_does_not_answer_is_told(tmp_path: Path) -> None:
    account = f"AccountEndpoint=http://127.0.0.1:{free_port()}/;AccountKey=QUJD;"

    sentence = refused("--azure", PORT="0", DATA=str(tmp_path), COSMOS=account, STORE_BUDGET_SECONDS="1")

    assert sentence.startswith("The archive cannot be opened: its store does not answer (StoreUnavailable caused by ")


def test_the_adapters_of_azure_are_not_for_the_embedded_store(tmp_path: Path) -> None:
    assert "--azure" in refused("--azure", PORT="0", DATA=str(tmp_path), ARCHIVE_STORE="sqlite:archive.db")


def test_an_account_is_not_taken_for_the_embedded_store(tmp_path: Path) -> None:
    assert "run-azure" in refused(PORT="0", DATA=str(tmp_path), COSMOS="AccountEndpoint=https://a/;AccountKey=QUJD;")


def test_what_the_double_kept_is_in_its_file_after_a_stop(tmp_path: Path) -> None:
    with running(tmp_path, "--azure") as (process, port):
        publish(port)
        process.terminate()
        process.communicate(timeout=5)

    assert [file.name for file in tmp_path.iterdir()] == ["cosmos.db"]


def test_two_hosts_that_start_at_once_on_one_account_both_start(tmp_path: Path) -> None:
    emulator = start_double(tmp_path / "emulator.db")
    ports = [free_port() for _ in range(4)]
    hosts = [start("--azure", PORT=str(port), DATA=str(tmp_path), COSMOS=emulator) for port in ports]
    try:
        for host, port in zip(hosts, ports, strict=True):
            wait_until_ready(host, port)
    finally:
        for host in hosts:
            host.kill()
            host.communicate()


def test_data_that_cannot_be_opened_are_told(tmp_path: Path) -> None:
    (tmp_path / "cosmos.db").mkdir()

    assert "cosmos.db" in refused("--azure", PORT="0", DATA=str(tmp_path))


def test_data_that_no_double_wrote_are_told(tmp_path: Path) -> None:
    (tmp_path / "cosmos.db").write_bytes(b"something else" * 100)

    assert "cosmos.db" in refused("--azure", PORT="0", DATA=str(tmp_path))


def publish(port: int) -> httpx.Response:
    key = {"Ocp-Apim-Subscription-Key": "local-ec"}
    return httpx.put(f"http://127.0.0.1:{port}{NOTICE}", json=a_body(), headers=key)
