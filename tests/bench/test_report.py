"""The report of a run: JSON, tables and chart, from any measurements and any ratios."""

import io
import json
from xml.etree import ElementTree

import pytest
from rich.console import Console

from bench.aims import PANELS, RATIOS
from bench.chart import Panel, chart
from bench.measurements import Measurement, Of, Ratio
from bench.report import Report

MEASUREMENTS = [
    Measurement(side, "get", number, rate=rate, cpu_us=100, p50_ms=1, p99_ms=2)
    for number in range(2)
    for side, rate in (("archive", 4000 + number), ("<peer>", 1000))
]
RATIO = Ratio("get: archive / <peer>", "rate", Of("archive", "get"), Of("<peer>", "get"), at_least=3)
REPORT = Report(MEASUREMENTS, [RATIO], {"archive": "ours"}, {"cores": 2})
SVG = "{http://www.w3.org/2000/svg}"


def printed(report: Report) -> str:
    """Return the tables of a report as text."""
    console = Console(file=io.StringIO(), width=100)
    report.print(console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def texts(svg: str) -> list[str | None]:
    """Return the texts of a chart."""
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_json_has_every_round_and_every_ratio() -> None:
    document = json.loads(REPORT.as_json())

    assert document["machine"] == {"cores": 2}
    assert document["sides"] == {"archive": "ours"}
    assert [Measurement(**one) for one in document["measurements"]] == MEASUREMENTS
    (ratio,) = document["ratios"]
    assert ratio["per_round"] == [4, 4.001]
    assert (round(ratio["median"], 4), ratio["unstable"], ratio["met"]) == (4.0005, False, True)
    assert ratio["over"] == {"side": "<peer>", "load": "get"}


def test_the_tables_show_medians_ratios_and_aims() -> None:
    lines = printed(REPORT).splitlines()

    assert any("archive" in line and "4,000 ±0%" in line for line in lines)
    assert any("get: archive / <peer>" in line and "≥ 3" in line and "met" in line for line in lines)


def test_an_aim_that_is_missed_and_rounds_that_differ_are_named() -> None:
    rounds = [Measurement("archive", "get", number, p99_ms=10.0 * number) for number in range(1, 5)]
    ratio = Ratio("get: archive", "p99_ms", Of("archive", "get"), at_most=20)

    assert "missed, unstable" in printed(Report(rounds, [ratio]))


def test_failed_requests_are_counted() -> None:
    report = Report([Measurement("archive", "get", 0, rate=1, failures=3)], [])

    assert report.failures == 3
    assert "3 requests failed" in printed(report)


def test_a_rate_counts_what_the_report_says() -> None:
    report = Report([Measurement("relay", "out", 0, rate=1, p95_ms=3, failures=2)], [], counted="events")

    assert "events/s" in printed(report)
    assert "p95 ms" in printed(report)
    assert "2 events failed" in printed(report)
    assert json.loads(report.as_json())["counted"] == "events"


def test_the_chart_has_a_bar_for_each_side_and_the_value_beside_it() -> None:
    svg = chart(REPORT, [Panel("Requests", "rate", ("get",))])

    assert texts(svg) == ["archive", "<peer>", "Requests", "get", "4,000", "1,000"]
    bars = [float(element.attrib["width"]) for element in ElementTree.fromstring(svg).iter(f"{SVG}rect")][2:]
    assert bars[0] / bars[1] == pytest.approx(4, rel=0.01)


def test_the_chart_leaves_out_what_was_not_measured() -> None:
    svg = chart(REPORT, [Panel("Pages", "rate", ("list",)), Panel("Requests", "rate", ("list", "get"))])

    assert texts(svg) == ["archive", "<peer>", "Requests", "get", "4,000", "1,000"]


def test_the_chart_has_colours_for_a_dark_page() -> None:
    assert "prefers-color-scheme: dark" in chart(REPORT, [])


def test_each_ratio_of_a_run_has_a_name_of_its_own() -> None:
    named = [(ratio.name, ratio.figure) for ratio in RATIOS]

    assert len({*named}) == len(named)


def test_each_load_with_an_aim_is_in_the_chart() -> None:
    assert {ratio.of.load for ratio in RATIOS} <= {load for panel in PANELS for load in panel.loads}
