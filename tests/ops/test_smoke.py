"""`smoke` tests a running archive with a notice of its own, and says what is wrong with one that does not answer so."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.smoke_run import new_number
from shared.domain.identifiers import NoticeNumber
from tests.ops.command_line import ROOT, Operator, environment, start
from tests.ops.gateway import Call, Gateway
from tests.server import PATIENCE, Server, running, unanswered_port
from tests.support import a_body

STRICT, LENIENT = "15376371009", "77777777777"
A_MOMENT = 0.5
"""Seconds after which the process waits for the answer. Python sees an earlier Ctrl-C only when the call ends."""
NAMES = ["health", "unknown address", "unknown key", "publish", "read", "body of 5 MiB", "cancel"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archive")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    with running(data) as server:
        yield server


@pytest.fixture
def own(data: Path) -> Operator:
    """Return an operator of the archive that runs."""
    return Operator(data)


class Smoke:
    """Runs `smoke` against the archive, or against a server in front of it."""

    def __init__(self, operator: Operator, server: Server) -> None:
        self.operator = operator
        self.base = server.url.removesuffix("/v1")

    def run(
        self,
        *options: str,
        exit_code: int = 0,
        base: str | None = None,
        key: str = "local-ec",
        institution: str = STRICT,
        code: str = "47",
    ) -> Any:
        """Return what the command says."""
        fixed = ("smoke", "--base", base or self.base, "--institution", institution, "--code", code)
        return self.operator.ask(*fixed, *options, exit_code=exit_code, env={"SMOKE_KEY": key})

    def failed(self, *options: str, base: str | None = None, key: str = "local-ec", code: str = "47") -> Any:
        """Return the JSON of a run that fails, whose sentences are also on standard error."""
        said = self.run("--json", *options, exit_code=1, base=base, key=key, code=code)
        report = json.loads(said.stdout)
        assert report["passed"] is False
        assert said.stderr.splitlines() == report["faults"]
        return report

    def shown(self, report: Any) -> Any:
        """Return the history of the notice of a run."""
        return self.operator.read("history", report["institution"], report["noticeNumber"])


@pytest.fixture
def smoke(own: Operator, server: Server) -> Smoke:
    return Smoke(own, server)


def names(report: Any) -> list[str]:
    return [step["name"] for step in report["steps"]]


def failures(report: Any) -> list[str]:
    return [step["name"] for step in report["steps"] if not step["passed"]]


@pytest.mark.parametrize("institution", [STRICT, LENIENT])
def test_a_test_notice_is_published_read_and_cancelled(institution: str, smoke: Smoke) -> None:
    report = json.loads(smoke.run("--json", institution=institution).stdout)

    assert (report["passed"], report["faults"]) == (True, [])
    assert names(report) == NAMES
    assert [step["answer"] for step in report["steps"]] == [
        "200", "404 address_not_found", "401 unauthenticated", "201", "200", "413 body_too_large", "200",
    ]  # fmt: skip
    history = smoke.shown(report)
    assert (history["status"], [event["type"] for event in history["items"]]) == (
        "CANCELLED",
        ["published", "cancelled"],
    )


def test_the_test_notice_cannot_be_paid_by_mistake(smoke: Smoke) -> None:
    with Gateway(smoke.base).serving() as gateway:
        report = json.loads(smoke.run("--json", base=gateway.base).stdout)

    notice = json.loads(gateway.bodies[("PUT", report["noticeNumber"])])
    assert (notice["payStandIn"], notice["switchToExpired"], notice["amount"]) == (False, True, 1)
    assert notice["debtor"] == {"type": "F", "fiscalCode": "ANONIMO", "fullName": "ANONIMO"}
    assert "do not pay" in notice["description"]


def test_each_step_is_printed_with_its_time(smoke: Smoke) -> None:
    said = smoke.run()

    *steps, last = said.stdout.splitlines()
    assert [re.split(" {2,}", step)[0] for step in steps] == NAMES
    assert all(re.search(r" \d+ ms  [245]\d\d", step) for step in steps)
    assert re.fullmatch(rf"Passed\. The test notice was {STRICT}/347\d{{15}}\.", last)
    assert said.stderr == ""


def test_each_run_has_a_number_of_its_own_with_right_check_digits() -> None:
    numbers = {new_number("47") for _ in range(100)}

    assert len(numbers) == 100
    assert all(NoticeNumber.parse(number).segregation_code == "47" for number in numbers)


def test_the_key_can_come_from_standard_input(data: Path, smoke: Smoke) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "ops", "smoke", "--base", smoke.base, "--institution", STRICT, "--code", "48"],
        cwd=ROOT,
        env=environment(data),
        input="local-ec\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.parametrize("key", ["", "   ", "a\nb", "è"])
def test_without_a_key_nothing_is_sent(key: str, smoke: Smoke) -> None:
    said = smoke.run(exit_code=2, key=key)

    assert said.stdout == ""
    assert said.stderr == "There is no key: set SMOKE_KEY to the key of the caller, or send it to standard input.\n"


@pytest.mark.parametrize(
    "base",
    ["", "localhost:7071/api", "ftp://localhost/api", "http:///api", "http://a b/api", "http://localhost:x/api",
     "http://localhost/api?x=1", "http://key@localhost/api", "http://localhost/api#x", "http://localhost:70710/api"],
)  # fmt: skip
def test_every_fault_of_the_command_is_named_at_once(base: str, own: Operator) -> None:
    refusal = own.refused("smoke", "--base", base, "--institution", "1", "--code", "4", exit_code=2)

    assert refusal.splitlines() == [
        f"--base {base!r} must be the address of the archive, such as https://archive.example/api.",
        "--institution '1' must be 11 digits: it has 1 digit.",
        "--code '4' must name segregation codes of two digits.",
    ]


def test_a_slash_at_the_end_of_the_address_does_not_count(smoke: Smoke) -> None:
    assert smoke.run(base=f"{smoke.base}/").exit_code == 0


def test_a_wrong_key_fails_and_leaves_nothing_to_cancel(smoke: Smoke) -> None:
    report = smoke.failed(key="no-such-key")

    assert names(report) == [name for name in NAMES if name not in ("read", "cancel")]
    assert failures(report) == ["publish", "body of 5 MiB"]
    assert report["faults"][0] == "publish: expected 201, got 401 unauthenticated."
    assert "no-such-key" not in json.dumps(report)


def test_a_caller_without_the_segregation_code_fails(smoke: Smoke) -> None:
    report = smoke.failed(code="99")

    assert report["faults"][0] == "publish: expected 201, got 403 segregation_code_not_granted."


def test_an_institution_without_an_iban_fails(smoke: Smoke) -> None:
    smoke.operator.ask("institutions", "add", "22222222220", "--name", "Comune senza IBAN")
    added = smoke.operator.add_caller("smoke-no-iban", "--scope", "notices:write", "--grant", "22222222220:*")

    said = smoke.run(exit_code=1, key=added["key"], institution="22222222220")

    assert "publish: expected 201, got 422 no_iban_registered.\n" in said.stderr


def test_nothing_that_answers_ends_with_3(smoke: Smoke) -> None:
    with unanswered_port() as port:
        said = smoke.run(exit_code=3, base=f"http://127.0.0.1:{port}/api")

    assert said.stdout == ""
    assert said.stderr.startswith("health: no answer (")


def test_a_server_that_never_answers_ends_with_3(smoke: Smoke) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        base = f"http://127.0.0.1:{silent.getsockname()[1]}/api"
        said = smoke.run("--timeout", "1", exit_code=3, base=base)

    assert said.stderr == "health: no answer within 1 seconds.\n"


def test_a_server_that_speaks_no_http_ends_with_3(smoke: Smoke) -> None:
    with Gateway(smoke.base, lambda call: call.send_raw(b"220 mail.example ESMTP\x1b[2J\r\n")).serving() as gateway:
        said = smoke.run("--json", exit_code=3, base=gateway.base)

    assert json.loads(said.stdout)["passed"] is False
    assert said.stderr == "health: no answer (220 mail.example ESMTP\\x1b[2J\\r\\n).\n"


@pytest.mark.parametrize("status", [200, 302, 401, 503])
def test_a_key_is_not_sent_to_a_server_that_is_no_archive(status: int, smoke: Smoke) -> None:
    with Gateway(smoke.base, lambda call: call.answer(status, b"<html>welcome</html>")).serving() as gateway:
        report = smoke.failed(base=gateway.base)

    assert names(report) == failures(report) == ["health"]
    assert [path for _, path in gateway.calls] == ["/api/v1/health"]


def test_a_413_of_a_gateway_is_not_that_of_the_archive(smoke: Smoke) -> None:
    with Gateway(smoke.base, refuse_large_bodies).serving() as gateway:
        report = smoke.failed(base=gateway.base)

    assert failures(report) == ["body of 5 MiB"]
    assert report["faults"] == [
        "body of 5 MiB: expected 413 with X-Error-Code body_too_large, got 413 without X-Error-Code."
    ]
    assert smoke.shown(report)["status"] == "CANCELLED"


def test_an_answer_that_comes_before_the_whole_body_is_read(smoke: Smoke) -> None:
    with Gateway(smoke.base, cut_large_bodies).serving() as gateway:
        report = smoke.failed(base=gateway.base)

    assert [step["answer"] for step in report["steps"]][-2:] == ["413 without X-Error-Code", "200"]


def test_a_notice_whose_answer_is_lost_is_cancelled(smoke: Smoke) -> None:
    with Gateway(smoke.base, lose_the_answer_of_publish).serving() as gateway:
        report = smoke.failed(base=gateway.base)

    assert names(report) == NAMES
    assert failures(report) == ["publish"]
    assert smoke.shown(report)["status"] == "CANCELLED"


def test_a_notice_that_a_gateway_sends_twice_is_cancelled(smoke: Smoke) -> None:
    with Gateway(smoke.base, send_publish_twice).serving() as gateway:
        report = smoke.failed(base=gateway.base)

    assert report["faults"] == ["publish: expected 201, got 412 precondition_failed."]
    assert smoke.shown(report)["status"] == "CANCELLED"


def test_a_notice_of_somebody_else_is_not_cancelled(smoke: Smoke) -> None:
    with Gateway(smoke.base, publish_another_first).serving() as gateway:
        report = smoke.failed(base=gateway.base)

    assert failures(report) == ["publish", "read"]
    assert "cancel" not in names(report)
    assert smoke.shown(report)["status"] == "ACTIVE"


def test_a_notice_that_never_came_leaves_nothing_to_cancel(smoke: Smoke) -> None:
    with Gateway(smoke.base, drop_publish).serving() as gateway:
        report = smoke.failed(base=gateway.base)

    assert failures(report) == ["publish", "read", "cancel"]
    assert report["faults"][-1] == "cancel: expected 200, got 404 notice_not_found."


def test_a_notice_that_could_not_be_cancelled_is_named(smoke: Smoke) -> None:
    with Gateway(smoke.base, refuse_to_cancel).serving() as gateway:
        report = smoke.failed(base=gateway.base)

    assert report["faults"] == [
        "cancel: expected 200, got 502 without X-Error-Code.",
        f"The notice {STRICT}/{report['noticeNumber']} may still be there: cancel it.",
    ]


def test_a_field_that_is_not_as_it_was_sent_is_named(smoke: Smoke) -> None:
    with Gateway(smoke.base, show_another_amount).serving() as gateway:
        report = smoke.failed(base=gateway.base)

    assert report["faults"] == ["read: the fields amount of the answer are wrong."]


def test_it_waits_for_an_archive_that_starts(smoke: Smoke) -> None:
    with Gateway(smoke.base, start_slowly).serving() as gateway:
        impatient = smoke.failed(base=gateway.base)
        patient = smoke.run("--wait", "20", "--json", base=gateway.base)

    assert impatient["faults"] == ["health: expected 200, got 503 without X-Error-Code."]
    assert names(json.loads(patient.stdout)) == NAMES


def test_a_run_that_is_stopped_cancels_its_notice(data: Path, smoke: Smoke) -> None:
    with Gateway(smoke.base, hold_large_bodies).serving() as gateway:
        options = ("--base", gateway.base, "--institution", STRICT, "--code", "47", "--json")
        process = start(data, "smoke", *options, SMOKE_KEY="local-ec")
        assert gateway.holds.wait(PATIENCE)
        time.sleep(A_MOMENT)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert err.startswith("\nStopped.")
    report = json.loads(out)
    assert names(report) == ["health", "unknown address", "unknown key", "publish", "read", "cancel"]
    assert smoke.shown(report)["status"] == "CANCELLED"


def refuse_large_bodies(call: Call) -> None:
    if call.is_large:
        call.answer(413, b"<html>413 Request Entity Too Large</html>")
    else:
        call.forward()


def cut_large_bodies(call: Call) -> None:
    if call.is_large:
        call.send_raw(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", read=False)
    else:
        call.forward()


def hold_large_bodies(call: Call) -> None:
    if call.is_large:
        call.gateway.holds.set()
        call.gateway.released.wait(PATIENCE)
    else:
        call.forward()


def lose_the_answer_of_publish(call: Call) -> None:
    if call.is_publish:
        call.fetch()
    else:
        call.forward()


def send_publish_twice(call: Call) -> None:
    if call.is_publish:
        call.fetch()
    call.forward()


def publish_another_first(call: Call) -> None:
    if call.is_publish:
        call.fetch(json.dumps(a_body()).encode())
    call.forward()


def drop_publish(call: Call) -> None:
    if not call.is_publish:
        call.forward()


def refuse_to_cancel(call: Call) -> None:
    if call.method == "POST":
        call.answer(502, b"")
    else:
        call.forward()


def show_another_amount(call: Call) -> None:
    status, headers, body = call.fetch()
    call.answer(status, body.replace(b'"amount":1,', b'"amount":2,') if call.method == "GET" else body, headers)


def start_slowly(call: Call) -> None:
    if len(call.gateway.calls) <= 2:
        call.answer(503, b"Function host is not running.")
    else:
        call.forward()
