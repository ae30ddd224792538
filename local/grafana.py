"""``python -m local.grafana``: writes ``deploy/grafana/handoff.json`` from ``local/panels.py``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.panels import ROWS, Panel

FILE = Path(__file__).resolve().parents[1] / "deploy" / "grafana" / "handoff.json"
SCHEMA = 42  # Grafana 12's; others bring it up to theirs
ACROSS, HEIGHT = 4, 8  # panels in a row, and their height in Grafana's units; the page is 24 wide
SOURCE = {"type": "prometheus", "uid": "${source}"}


def write_dashboard() -> dict[str, Any]:
    """The dashboard as Grafana's JSON."""
    return {
        "uid": "rasa-handoff",
        "title": "Rasa to live agents",
        "description": "Made by `python -m local.grafana`. What each metric means: docs/operations.md.",
        "tags": ["rasa", "servicenow"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": list(_write_variables())},
        "panels": list(_write_panels()),
    }


def _write_variables() -> Iterator[dict[str, Any]]:
    yield {
        "name": "source",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
    }
    yield _variable("job", "label_values(handoff_ledger_readable, job)")
    yield _variable("instance", 'label_values(handoff_ledger_readable{job=~"$job"}, instance)')


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _write_panels() -> Iterator[dict[str, Any]]:
    number, y = 0, 0
    for row in ROWS:
        number += 1
        place = {"x": 0, "y": y, "w": 24, "h": 1}
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": place,
            "panels": [],
        }
        y += 1
        for start in range(0, len(row.panels), ACROSS):
            beside = row.panels[start : start + ACROSS]
            for column, panel in enumerate(beside):
                number += 1
                width = 24 // len(beside)
                yield _write_panel(number, panel, {"x": column * width, "y": y, "w": width, "h": HEIGHT})
            y += HEIGHT


def _write_panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    defaults = {
        "unit": panel.unit,
        "min": 0,
        "custom": {"lineWidth": 1, "fillOpacity": 10, "showPoints": "never"},
    }
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": SOURCE,
                "editorMode": "code",
                "expr": query,
                "legendFormat": legend,
                "range": True,
            }
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
    }


def write_file() -> str:
    return json.dumps(write_dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(write_file())
    print(f"Wrote {FILE}")
