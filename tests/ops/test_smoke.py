"""`smoke` tests a running archive with a notice of its own."""

import json
import re
import subprocess
import sys

import pytest

from ops.smoke_run import new_number
from shared.domain.identifiers import NoticeNumber
from tests.ops.command_line import ROOT, Operator, environment
from tests.ops.gateway import Gateway
from tests.ops.smoking import LENIENT, NAMES, STRICT, Smoke, failures, names


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


def test_the_key_can_come_from_standard_input(smoke: Smoke) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "ops", "smoke", "--base", smoke.base, "--institution", STRICT, "--code", "48"],
        cwd=ROOT,
        env=environment(smoke.operator.data),
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
     "http://localhost/api?x=1", "http://key@localhost/api", "http://localhost/api#x", "http://localhost:70710/api",
     "http://archive.example/api", "http://10.0.0.4/api"],
)  # fmt: skip
def test_every_fault_of_the_command_is_named_at_once(base: str, operator: Operator) -> None:
    refusal = operator.refused("smoke", "--base", base, "--institution", "1", "--code", "4", exit_code=2)

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
