"""`smoke` says what is wrong with a server that does not answer as the archive does, and cancels its notice."""

import json
import re
import signal
import socket
import time

import pytest

from tests.ops.command_line import start
from tests.ops.gateway import Call, Gateway
from tests.ops.smoking import NAMES, STRICT, Smoke, failures, names
from tests.server import PATIENCE, unanswered_port
from tests.support import a_body

COMMAND = ("smoke", "--institution", STRICT, "--code", "47")
A_MOMENT = 0.5
"""Seconds after which the process waits for the answer. Python sees an earlier Ctrl-C only when the call ends."""


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


def test_an_answer_that_comes_too_slowly_ends_with_3(smoke: Smoke) -> None:
    with Gateway(smoke.base, trickle).serving() as gateway:
        began = time.monotonic()
        said = smoke.run("--timeout", "1", exit_code=3, base=gateway.base)

    assert said.stderr == "health: no answer within 1 seconds.\n"
    assert time.monotonic() - began < PATIENCE / 3


def test_a_server_without_tls_is_no_archive_under_https(smoke: Smoke) -> None:
    said = smoke.run(exit_code=3, base=smoke.base.replace("http:", "https:"))

    assert said.stderr.startswith("health: no answer (")
    assert "SSL" in said.stderr


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


def test_a_run_that_is_stopped_cancels_its_notice(smoke: Smoke) -> None:
    with Gateway(smoke.base, hold_large_bodies).serving() as gateway:
        process = start(smoke.operator.data, *COMMAND, "--base", gateway.base, "--json", SMOKE_KEY="local-ec")
        assert gateway.holds.wait(PATIENCE)
        time.sleep(A_MOMENT)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert err.startswith("\nStopped.")
    report = json.loads(out)
    assert names(report) == ["health", "unknown address", "unknown key", "publish", "read", "cancel"]
    assert smoke.shown(report)["status"] == "CANCELLED"


def test_a_run_that_is_stopped_names_a_notice_that_it_could_not_cancel(smoke: Smoke) -> None:
    with Gateway(smoke.base, hold_large_bodies_and_refuse_to_cancel).serving() as gateway:
        process = start(smoke.operator.data, *COMMAND, "--base", gateway.base, SMOKE_KEY="local-ec")
        assert gateway.holds.wait(PATIENCE)
        time.sleep(A_MOMENT)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert re.search(rf"The notice {STRICT}/347\d{{15}} may still be there: cancel it\.\n", err)
    assert out.endswith("502 without X-Error-Code  FAILED\n")


def test_a_notice_that_a_gateway_refuses_after_it_was_published_is_cancelled(smoke: Smoke) -> None:
    with Gateway(smoke.base, limit_publish_too_late).serving() as gateway:
        report = smoke.failed(base=gateway.base)

    assert report["faults"] == ["publish: expected 201, got 429 without X-Error-Code."]
    assert smoke.shown(report)["status"] == "CANCELLED"


def limit_publish_too_late(call: Call) -> None:
    if call.is_publish:
        call.fetch()
        call.answer(429, b"")
    else:
        call.forward()


def hold_large_bodies_and_refuse_to_cancel(call: Call) -> None:
    if call.method == "POST":
        call.answer(502, b"")
    else:
        hold_large_bodies(call)


def trickle(call: Call) -> None:
    for _ in range(100):
        call.send_raw(b"x")
        call.gateway.released.wait(0.3)


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
