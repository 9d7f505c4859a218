"""The workflows deploy what is tested, with no secret, in the order of the environments, and clean up behind them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ops.command_line import Operator, environment
from tests.ops.gateway import Call, Gateway
from tests.project.test_packing import app, checkout
from tests.server import PATIENCE, running, unanswered_port

ROOT = Path(__file__).parents[2]
WORKFLOWS = {path.stem: path for path in (ROOT / ".github" / "workflows").glob("*.yml")}
STRICT = "15376371009"
TOKEN = {"contents": "read", "id-token": "write"}
GUIDE, DEPLOYMENT = ((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("pipeline", "deployment"))


def jobs(workflow: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(WORKFLOWS[workflow].read_text(encoding="utf-8"))["jobs"]
    return found


def all_jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for workflow in sorted(WORKFLOWS):
        for name, job in jobs(workflow).items():
            yield f"{workflow}: {name}", job


def step(workflow: str, job: str, name: str) -> dict[str, Any]:
    """Return a step by its name or by the beginning of its action."""
    (found,) = (
        step
        for step in jobs(workflow)[job]["steps"]
        if step.get("name") == name or step.get("uses", "").startswith(f"{name}@")
    )
    return dict(found)


Done = subprocess.CompletedProcess[str]
SMOKE, REMOVE = (
    step("deploy-environment", "deploy", name) for name in ("Smoke test", "Remove the caller of the smoke test")
)


SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
A_MOMENT = 0.5
"""Seconds after which the process waits for the answer. Python sees an earlier signal only when the call ends."""

GRACE = 7
"""Seconds that GitHub waits after the signal before it ends the process."""


def run(script: str, folder: Path, given: Mapping[str, str]) -> Done:
    """Run the script of a step as GitHub does."""
    return subprocess.run(
        [*SHELL, script], cwd=folder, env=dict(given), capture_output=True, text=True, timeout=120, check=False
    )


# Least privilege


def test_no_workflow_has_a_secret() -> None:
    assert [name for name, path in WORKFLOWS.items() if "secrets" in path.read_text(encoding="utf-8")] == []


def test_no_workflow_runs_with_the_rights_of_the_repository_on_code_of_a_fork() -> None:
    for path in WORKFLOWS.values():
        triggers = yaml.safe_load(path.read_text(encoding="utf-8"))[True]  # YAML reads `on` as true
        assert {"pull_request_target", "workflow_run"} & set(triggers) == set(), path


def test_a_workflow_gives_each_job_only_the_rights_that_it_needs() -> None:
    for name, path in WORKFLOWS.items():
        whole = yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"]
        assert whole == ({"contents": "read"} if name == "ci" else {}), name
    for name, job in all_jobs():
        signs_in = any(step.get("uses", "").startswith("azure/login@") for step in job.get("steps", []))
        calls = job.get("uses", "").endswith("/deploy-environment.yml")
        given = job.get("permissions", {"contents": "read"})
        assert given == (TOKEN if signs_in or calls else {"contents": "read"}), name


def test_no_job_runs_for_ever_and_no_checkout_leaves_a_token_behind() -> None:
    for name, job in all_jobs():
        assert "uses" in job or job["timeout-minutes"] <= 60, name
        for each in job.get("steps", []):
            if each.get("uses", "").startswith("actions/checkout@"):
                assert each["with"] == {"persist-credentials": False}, name


def test_azure_is_signed_in_to_by_the_identity_of_the_environment() -> None:
    for workflow, job in (("infra-check", "what-if"), ("deploy-environment", "deploy")):
        assert "environment" in jobs(workflow)[job]
        assert step(workflow, job, "azure/login")["with"] == {
            "client-id": "${{ vars.AZURE_CLIENT_ID }}",
            "tenant-id": "${{ vars.AZURE_TENANT_ID }}",
            "subscription-id": "${{ vars.AZURE_SUBSCRIPTION_ID }}",
        }


def test_no_script_has_an_expression_in_it() -> None:
    # A value would become part of the script. Values come as variables of the environment.
    for name, job in all_jobs():
        scripts = [each["run"] for each in job.get("steps", []) if "run" in each]
        assert [script for script in scripts if "${{" in script.replace("${{ matrix.python }}", "")] == [], name


# The order of the environments


def test_a_pull_request_shows_what_it_would_change_in_each_environment_and_not_for_a_fork() -> None:
    what_if = jobs("infra-check")["what-if"]

    assert what_if["strategy"]["matrix"]["environment"] == ["dev", "uat", "prod"]
    assert what_if["environment"] == "${{ matrix.environment }}-preview"
    assert "github.event.pull_request.head.repo.full_name == github.repository" in what_if["if"]


def test_the_commit_that_is_deployed_is_the_one_whose_infrastructure_was_checked() -> None:
    # A pull request is checked with the main of its time. Two of them can be right alone, and wrong together.
    scripts = [step["run"] for step in jobs("ci")["check-infra"]["steps"] if "run" in step]

    assert any(script.startswith("make check-infra ") for script in scripts)


def test_the_environments_are_deployed_one_after_the_other_when_the_checks_have_passed() -> None:
    deploy = jobs("deploy")

    assert {name: job.get("needs") for name, job in deploy.items()} == {
        "check": None,
        "dev": "check",
        "uat": "dev",
        "prod": "uat",
    }
    assert deploy["check"]["uses"] == "$/.github/workflows/ci.yml"
    for name in ("dev", "uat", "prod"):
        assert deploy[name]["with"] == {"environment": name, "runner": f"${{{{ vars.RUNNER_{name.upper()} }}}}"}
    whole = jobs("deploy-environment")
    assert [job["environment"] for job in whole.values()] == ["${{ inputs.environment }}"]


# What the scripts need is there


@pytest.mark.parametrize(
    ("workflow", "job", "name"),
    [("infra-check", "what-if", "Show what would change"), ("deploy-environment", "deploy", "Deploy the resources")],
)
def test_the_parameter_files_get_the_variables_that_they_read(workflow: str, job: str, name: str) -> None:
    read = variables_of_parameter_files()
    script = step(workflow, job, name)

    assert {variable for variable in read if script["env"].get(variable) != f"${{{{ vars.{variable} }}}}"} == set()
    # One that is not set must not be an empty text.
    (cleared,) = re.findall(r"for name in (.+); do", script["run"])
    assert read <= set(cleared.split()) <= set(script["env"])
    assert 'infra/$ENVIRONMENT.bicepparam"' in script["run"]


def test_the_outputs_that_are_used_are_those_of_the_template() -> None:
    template = (ROOT / "infra" / "main.bicep").read_text(encoding="utf-8")
    outputs = {name.lower() for name in re.findall(r"^output (\w+) ", template, re.MULTILINE)}

    used = set(
        re.findall(r"steps\.resources\.outputs\.(\w+)", WORKFLOWS["deploy-environment"].read_text(encoding="utf-8"))
    )

    assert len(used) >= 4
    assert used <= outputs


def test_every_target_that_a_workflow_makes_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    made = {
        target
        for path in WORKFLOWS.values()
        for target in re.findall(r"run: make ([a-z][a-z-]*)", path.read_text(encoding="utf-8"))
    }

    assert {"check", "test", "conformance", "check-infra"} <= made
    assert made <= targets


def test_the_guide_explains_every_variable_and_no_other() -> None:
    used = {
        variable for path in WORKFLOWS.values() for variable in re.findall(r"vars\.([A-Z_]+)", path.read_text("utf-8"))
    }

    here = explained(GUIDE, "| variable | level | value |")
    of_parameter_files = explained(DEPLOYMENT, "| variable | environments | value | without it |")

    assert here | of_parameter_files == used
    assert here & of_parameter_files == set(), "Each is explained once."
    assert [variable for variable in of_parameter_files if f"`{variable}`" not in GUIDE] == []


def test_the_guide_for_a_deployment_explains_every_variable_of_the_parameter_files_and_no_other() -> None:
    explained_there = explained(DEPLOYMENT, "| variable | environments | value | without it |")

    assert explained_there == variables_of_parameter_files()


def variables_of_parameter_files() -> set[str]:
    files = [ROOT / "infra" / f"{environment}.bicepparam" for environment in ("dev", "uat", "prod")]
    return {
        variable
        for file in files
        for variable in re.findall(r"readEnvironmentVariable\(\s*'(\w+)'", file.read_text(encoding="utf-8"))
    }


def explained(page: str, head: str) -> set[str]:
    """Return the variables in the first column of a table."""
    rows = page.partition(head)[2].partition("\n\n")[0]
    return {variable for row in rows.splitlines()[2:] for variable in re.findall(r"`([A-Z_]+)`", row.split("|")[1])}


def test_the_guide_names_every_workflow() -> None:
    assert [name for name in WORKFLOWS if f"`{name}`" not in GUIDE] == []


@pytest.mark.parametrize("name", ["CONFORMANCE_COSMOS", "CONFORMANCE_SERVICEBUS"])
def test_the_emulators_are_addressed_as_the_guide_for_tests_says(name: str) -> None:
    guide = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")

    (given,) = (
        each["env"][name]
        for job in jobs("conformance").values()
        for each in job["steps"]
        if name in each.get("env", {})
    )

    assert f"export {name}='{given}'" in guide


# The scripts do what they say


def test_the_package_has_the_files_of_the_app_and_no_other(tmp_path: Path) -> None:
    for name in checkout():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    for command in ("init", "add .", "-c user.name=X -c user.email=x@example.org commit --message=All"):
        subprocess.run(["git", *command.split()], cwd=tmp_path, stdout=subprocess.DEVNULL, check=True)
    (tmp_path / "shared" / "left.py").write_text("# not in the commit")

    done = run(step("deploy-environment", "deploy", "Make the package")["run"], tmp_path, os.environ)

    assert (done.returncode, done.stderr) == (0, "")
    with zipfile.ZipFile(tmp_path / "package.zip") as package:
        files = {name for name in package.namelist() if not name.endswith("/")}
    assert files == app()


def test_the_outputs_of_a_deployment_are_passed_on_in_small_letters(tmp_path: Path) -> None:
    az = tmp_path / "az"
    outputs = {"azurE_FUNCTION_NAME": {"type": "String", "value": "app"}, "operatorS_CLIENT_ID": {"value": ""}}
    az.write_text(f"#!/bin/sh\nenv >seen.txt\necho '{json.dumps(outputs)}'\n")
    az.chmod(0o700)
    (tmp_path / "python").symlink_to(sys.executable)
    given = {"ENVIRONMENT": "dev", "LOCATION": "italynorth", "ALERT_EMAIL": "a@example.org", "BUDGET_START": ""}
    others = {"JUMP_HOST_PUBLIC_KEY": "", "OPERATORS_GROUP_ID": ""}
    found = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(tmp_path / "output")}

    done = run(step("deploy-environment", "deploy", "Deploy the resources")["run"], tmp_path, given | others | found)

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "output").read_text() == "azure_function_name=app\noperators_client_id=\n"
    seen = (tmp_path / "seen.txt").read_text()
    assert "ALERT_EMAIL=a@example.org\n" in seen
    assert "BUDGET_START" not in seen


def test_the_smoke_test_has_a_caller_of_its_own_which_is_removed(tmp_path: Path) -> None:
    data = prepared(tmp_path)
    with running(data) as server:
        base = server.url.removesuffix("/v1")
        tested, removed = smoked(data, base, SMOKE["run"])

    assert (tested.returncode, removed.returncode) == (0, 0), tested.stderr
    assert "Passed. The test notice was" in tested.stdout
    # The key has 43 of these characters, and a log is no place for it.
    assert re.search(r"[A-Za-z0-9_-]{43}", tested.stdout + tested.stderr) is None
    operator = Operator(data)
    assert [caller["name"] for caller in operator.read("callers", "list")["items"]] == ["local-ec", "local-platform"]
    removal, addition = operator.read("audit", "--caller", "smoke-1-1")["items"]
    assert (removal["action"], addition["action"]) == ("removed", "added")
    assert addition["fields"]["grants"]["to"] == {STRICT: ["47"]}
    assert addition["fields"]["validUntil"]["to"] is not None


def test_the_caller_of_a_smoke_test_that_fails_is_removed(tmp_path: Path) -> None:
    with unanswered_port() as port:
        script = SMOKE["run"].replace("--wait 300", "--wait 0")
        tested, removed = smoked(prepared(tmp_path), f"http://127.0.0.1:{port}/api", script)

    assert (tested.returncode, removed.returncode) == (3, 0), tested.stderr
    assert REMOVE["if"] == "always() && steps.smoke.outcome != 'skipped'"
    assert REMOVE["env"].items() <= SMOKE["env"].items()


def test_a_smoke_test_that_is_stopped_cancels_its_notice(tmp_path: Path) -> None:
    data = prepared(tmp_path)
    with running(data) as server, Gateway(server.url.removesuffix("/v1"), hold_large_bodies).serving() as gateway:
        # GitHub sends the signal to this process alone.
        process = subprocess.Popen(
            [*SHELL, SMOKE["run"]], cwd=tmp_path, env=variables(data, gateway.base), stdout=subprocess.PIPE, text=True
        )
        assert gateway.holds.wait(PATIENCE)
        time.sleep(A_MOMENT)
        process.send_signal(signal.SIGINT)
        try:
            said, _ = process.communicate(timeout=GRACE)
        finally:
            process.kill()

    assert process.returncode == 1
    assert re.search(r"^cancel +\d+ ms  200$", said, re.MULTILINE)


def hold_large_bodies(call: Call) -> None:
    if call.is_large:
        call.gateway.holds.set()
        call.gateway.released.wait(PATIENCE)
    else:
        call.forward()


def smoked(data: Path, base: str, script: str) -> tuple[Done, Done]:
    """Run the script of the smoke test, and the one that removes its caller."""
    given = variables(data, base)
    return run(script, data.parent, given), run(REMOVE["run"], data.parent, given)


def variables(data: Path, base: str) -> dict[str, str]:
    """Return the variables that the steps of the smoke test have."""
    given = {"BASE": base, "INSTITUTION": STRICT, "CODE": "47", "CALLER": "smoke-1-1"}
    return environment(data, PYTHONPATH=str(ROOT), **given)


def prepared(folder: Path) -> Path:
    """Make `.venv-run` in the folder, with the Python of the tests, and return a folder for data."""
    python = folder / ".venv-run" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o700)
    return folder / "data"
