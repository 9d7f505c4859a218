"""`azd up` finds what azure.yaml names: the template with its parameters, the app, and its resource."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def settings() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
    return found


def test_the_template_and_its_parameters_are_where_azd_looks_for_them() -> None:
    infra = settings()["infra"]

    assert infra["provider"] == "bicep"
    folder = ROOT / infra["path"]
    assert (folder / f"{infra['module']}.bicep").is_file()
    # azd looks for a parameter file of this name only.
    parameters = (folder / f"{infra['module']}.bicepparam").read_text(encoding="utf-8")
    assert f"using '{infra['module']}.bicep'" in parameters
    assert not (folder / f"{infra['module']}.parameters.json").exists()


def test_azd_can_give_every_parameter_or_leave_it_out() -> None:
    parameters = (ROOT / "infra" / "main.bicepparam").read_text(encoding="utf-8")

    read = re.findall(r"readEnvironmentVariable\(([^)]*)\)", parameters)

    assert {"'AZURE_ENV_NAME'", "'AZURE_LOCATION'"} <= {each.split(",")[0] for each in read}
    assert [each for each in read if "," not in each] == [], "Each has a default."


def test_the_app_is_a_function_app_with_the_packing_list_beside_it() -> None:
    ((_, service),) = settings()["services"].items()

    folder = ROOT / service["project"]
    assert (service["host"], service["language"], service["remoteBuild"]) == ("function", "python", True)
    for name in ("host.json", "function_app.py", "requirements.txt", ".funcignore"):
        assert (folder / name).is_file()


def test_one_resource_has_the_tag_by_which_azd_finds_the_app() -> None:
    (name,) = settings()["services"]
    sources = [*(ROOT / "infra").rglob("*.bicep")]

    tags = [
        tag for source in sources for tag in re.findall(r"'azd-service-name': '([^']+)'", source.read_text("utf-8"))
    ]

    assert tags == [name]


def test_the_resource_group_has_the_tag_by_which_azd_finds_it() -> None:
    infra = "".join(path.read_text("utf-8") for path in (ROOT / "infra").glob("main.bicep*"))

    assert re.search(r"'azd-env-name': ", infra)
