"""The alerts, the dashboard and their documents fit the metrics and each other."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from handoff.instruments import ALL, Kind
from handoff.observation import Observation
from local.grafana import FILE, write_file
from tests.support.prometheus import FOLDER, check, find_tool
from tests.support.scraping import Page

ROOT = Path(__file__).resolve().parents[1]
METRIC = re.compile(r"\b(?:handoff|process)_[a-z_]+|\bup\b")
LOGGED = re.compile(r'log\.(\w+)\(\s*"([a-z_]+\.[a-z_]+)"')
SEARCHED = re.compile(r"grep (?:-E )?'?([^' ]+)'? var/log")
LOUD = {"warning", "error", "exception"}  # what `make run` writes
RUNBOOK = (ROOT / "docs" / "operations.md").read_text()


def read_alerts():
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return group["rules"]


def read_queries():
    panels = json.loads(FILE.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def read_names():
    """What can be asked for: the samples of a page, and those that come with their first value."""
    page = Page(Observation().page.print().decode())
    late = {one.page_name for one in ALL if one.kind is not Kind.HISTOGRAM}
    return page.names | late | {"up"}


def read_sections():
    """The runbook's sections of alerts, by their heading."""
    alerts = RUNBOOK.split("## Alerts\n", 1)[1].split("\n## ", 1)[0]
    return dict(part.split("\n", 1) for part in alerts.split("\n### ")[1:])


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "alerts.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "alerts.test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_has_nothing_to_say_against_it(arguments):
    done = check(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_finds_metrics_well_named():
    """Its lint of a page; what Prometheus's own client names otherwise is not ours."""
    page = Observation().page.print()
    done = subprocess.run(
        [find_tool("promtool"), "check", "metrics"], input=page, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def test_alerts_and_panels_ask_for_metrics_that_there_are():
    names = read_names()
    asked = [*(rule["expr"] for rule in read_alerts()), *read_queries()]
    found = {name for query in asked for name in METRIC.findall(query)}
    assert found - names == set()
    assert len(found) > 25


def test_every_metric_is_in_the_dashboard_or_in_an_alert():
    asked = " ".join([*(rule["expr"] for rule in read_alerts()), *read_queries()])
    assert [one.page_name for one in ALL if one.page_name not in asked] == []


def test_every_alert_has_its_section_with_a_command():
    sections = read_sections()
    assert list(sections) == [rule["alert"] for rule in read_alerts()]
    for rule in read_alerts():
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert "```sh" in sections[rule["alert"]], rule["alert"]


def test_every_alert_is_tried_where_it_fires_and_where_it_must_not():
    tests = yaml.safe_load((FOLDER / "alerts.test.yml").read_text())["tests"]
    tried = {(one["alertname"], bool(one["exp_alerts"])) for test in tests for one in test["alert_rule_test"]}
    assert tried == {(rule["alert"], fires) for rule in read_alerts() for fires in (True, False)}


def test_the_dashboard_is_made_of_its_panels():
    assert FILE.read_text() == write_file(), "run `python -m local.grafana`"


def test_panels_have_ids_of_their_own_and_do_not_overlap():
    panels = json.loads(FILE.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells)
        taken |= cells


def test_the_provisioning_is_readable():
    for path in (ROOT / "deploy" / "grafana" / "provisioning").rglob("*.yml"):
        assert yaml.safe_load(path.read_text())["apiVersion"] == 1


def read_logged():
    """Each event that our sources log, with its levels."""
    found: dict[str, set[str]] = {}
    for room in ("handoff", "channels", "servicenow", "actions"):
        for source in (ROOT / room).rglob("*.py"):
            for level, name in LOGGED.findall(source.read_text()):
                found.setdefault(name, set()).add(level)
    return found


def test_what_the_runbook_looks_for_in_the_log_is_logged():
    searched = SEARCHED.findall(RUNBOOK)
    assert searched
    for pattern in searched:
        assert [name for name in read_logged() if re.search(pattern, name)], pattern


def test_what_the_runbook_names_of_the_log_is_written_by_make_run_or_said_not_to_be():
    alerts = "\n".join(read_sections().values())
    named = {name: levels for name, levels in read_logged().items() if f"`{name}`" in alerts}
    named |= {
        name: levels
        for name, levels in read_logged().items()
        if any(re.fullmatch(pattern, name) for pattern in SEARCHED.findall(alerts))
    }
    assert "exit_flow.no_channel" in named
    assert "callback.item_ignored" in named
    for name, levels in named.items():
        assert levels & LOUD or re.search(f"`{name}`[^.;:]*at level info", alerts), name
