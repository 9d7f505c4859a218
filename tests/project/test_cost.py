"""docs/cost.md: its tables are those that docs/cost.py calculates, and its prices agree with those of docs/scale.md."""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from docs.bill import DEV, ENVIRONMENTS, LINES, OPTIONS, PROD, UAT, Bill, Environment
from docs.cost import cost
from docs.prices import MEMORY, PRICES
from docs.scale import figures

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "cost.md").read_text(encoding="utf-8")
SCALE_PAGE = (DOCS / "scale.md").read_text(encoding="utf-8")
SCALE = figures(SCALE_PAGE)
GATEWAY = "Microsoft.ApiManagement/service"
IN_BOTH = {
    "usd_ru_hour": ("manual", 1),
    "usd_gb_month": ("data", 1),
    "usd_gb_second": ("work", 1_000_000),
    "usd_executions": ("executions", 1),
    "usd_unit_hour": ("premium", 1),
}
"""Prices of docs/scale.md, with the price here and how many of the units of scale.md this one is for."""


def test_a_table_that_was_edited_by_hand_is_written_again() -> None:
    edited = re.sub(r"\| \*\*total\*\* \| .*", "| **total** | 1 | 1 | 1 | 1 | 1 |", PAGE)

    assert edited != PAGE
    assert cost(edited, SCALE_PAGE) == PAGE


def test_a_page_without_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="unlike options"):
        cost(PAGE.replace("<!-- table: options -->", ""), SCALE_PAGE)


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda each: each.name)
def test_a_bill_is_the_sum_of_its_lines_and_none_is_negative(environment: Environment) -> None:
    bill = Bill(environment, SCALE)
    amounts = [bill.quantity(line) * PRICES[line.price].euro for line in bill.lines]

    assert min(amounts) >= 0
    assert bill.total == pytest.approx(sum(amounts))


def test_a_bill_has_the_load_of_its_environment() -> None:
    loads = [Bill(each, SCALE).values["mean_publish"] for each in ENVIRONMENTS]

    assert loads == pytest.approx([each.notices for each in ENVIRONMENTS])


def test_more_notices_cost_more() -> None:
    totals = [Bill(each, SCALE).total for each in ENVIRONMENTS]

    assert totals == sorted(totals)


def test_each_price_is_used_and_is_marked_if_it_was_read_nowhere() -> None:
    used = {line.price for line in (*LINES, *(line for _, lines in OPTIONS for line in lines))}

    assert used == PRICES.keys()
    assert {name for name, each in PRICES.items() if each.source == MEMORY} == {
        name for name, each in PRICES.items() if each.region == "–"
    }


@pytest.mark.parametrize("name", IN_BOTH)
def test_a_price_that_scale_has_too_is_the_same(name: str) -> None:
    (shown,) = [each for each in SCALE if each.name == name]
    price, times = IN_BOTH[name]

    assert shown.text == shown.shown(PRICES[price].dollars / times)


@pytest.mark.parametrize(("environment", "sizes"), [("dev", DEV), ("uat", UAT), ("prod", PROD)])
def test_sizes_are_those_of_the_infrastructure(environment: str, sizes: Mapping[str, float]) -> None:
    assert sizes_of(predicted(environment)) == sizes


@pytest.mark.parametrize(("environment", "bill"), [("dev", "dev"), ("uat", "uat"), ("prod", "prod, 14/s")])
def test_a_budget_is_not_below_the_bill(environment: str, bill: str) -> None:
    (calculated,) = [Bill(each, SCALE).total for each in ENVIRONMENTS if each.name == bill]

    assert budget_of(environment) >= calculated


def test_the_budgets_of_the_page_are_those_of_the_infrastructure() -> None:
    page = (DOCS / "deployment.md").read_text(encoding="utf-8")

    listed = re.findall(r"^\| (dev|uat|prod) \| .* \| ([\d,]+) \|$", page, re.MULTILINE)

    assert dict(listed) == {name: f"{budget_of(name):,}" for name in ("dev", "uat", "prod")}


def budget_of(environment: str) -> int:
    """Return the amount at which Azure warns."""
    (budget,) = [each for each in predicted(environment) if each["type"] == "Microsoft.Consumption/budgets"]
    return int(budget["properties"]["amount"])


def predicted(environment: str) -> list[dict[str, Any]]:
    """Return the resources of an environment."""
    snapshot = json.loads((ROOT / "infra" / "snapshots" / f"{environment}.json").read_text(encoding="utf-8"))
    resources: list[dict[str, Any]] = snapshot["predictedResources"]
    return resources


def sizes_of(resources: list[dict[str, Any]]) -> dict[str, float]:
    """Return the sizes on which a bill depends."""

    def all_of(kind: str) -> list[dict[str, Any]]:
        return [each.get("properties", {}) for each in resources if each["type"] == f"Microsoft.{kind}"]

    (app,) = all_of("Web/sites")
    scale = app["functionAppConfig"]["scaleAndConcurrency"]
    ready = {group["name"]: group["instanceCount"] for group in scale["alwaysReady"]}
    containers = all_of("DocumentDB/databaseAccounts/sqlDatabases/containers")
    chosen = [each["options"].get("autoscaleSettings", {"maxThroughput": 0})["maxThroughput"] for each in containers]
    logs = [log for each in all_of("Insights/diagnosticSettings") for log in each.get("logs", [])]
    criteria = [one for each in all_of("Insights/metricAlerts") for one in each["criteria"].get("allOf", [{}])]
    (account,) = all_of("DocumentDB/databaseAccounts")
    backup = account["backupPolicy"]["continuousModeProperties"]["tier"]
    return {
        "memory": scale["instanceMemoryMB"] // 1024,
        "ready_http": ready.get("http", 0),
        "ready_readers": sum(ready.get(f"function:{reader}", 0) for reader in ("relay_events", "project_debtors")),
        "ready_due": ready.get("function:apply_due_changes", 0),
        "ru_chosen": sum(chosen),
        "long_backup": int(backup == "Continuous30Days"),
        "call_records": sum(log.get("category") == "DataPlaneRequests" for log in logs),
        "log_alerts": len(all_of("Insights/scheduledQueryRules")),
        "time_series": sum(math.prod(len(each["values"]) for each in one.get("dimensions", [])) for one in criteria),
        "web_tests": sum(len(each["Locations"]) for each in all_of("Insights/webtests")),
        "endpoints": len(all_of("Network/privateEndpoints")),
        "gateways": sum(each["sku"]["capacity"] for each in resources if each["type"] == GATEWAY),
        "machines": len(all_of("Compute/virtualMachines")),
    }


def test_prose_repeats_no_result() -> None:
    prose = re.sub(r"<!-- table: .*?<!-- end -->", "", PAGE, flags=re.DOTALL)

    assert "€" not in prose
    assert "$" not in prose
