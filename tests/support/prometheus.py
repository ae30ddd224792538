"""Prometheus itself, with the project's own configuration, on a free port and for a test only."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import yaml

from chaos.services import Service, ServiceMissing, find_port, find_program
from tests.support.chromium import give_up

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"


def find_tool(name: str) -> str:
    """Its path; the test is skipped, or fails in CI, where it is not installed."""
    try:
        return find_program(name)
    except ServiceMissing as missing:
        give_up(f"{missing} (Debian's package prometheus)")
        raise


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``promtool`` in the folder of the rules."""
    return subprocess.run(
        [find_tool("promtool"), *arguments],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


class Running:
    """One that answers."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **values: str):
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(values)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def ask(self, query: str) -> list[dict]:
        return self.get("query", query=query)["result"]


@asynccontextmanager
async def run_prometheus(folder: Path, target: str) -> AsyncIterator[Running]:
    """Scrapes one assistant (host and port) each second, else as ``deploy/prometheus/prometheus.yml``."""
    settings = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    settings["rule_files"] = [str(FOLDER / "alerts.yml")]
    settings["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    port = find_port()
    command = [
        find_tool("prometheus"),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    service = Service("Prometheus", command, port, folder / "prometheus.log")
    await service.start()
    try:
        yield Running(f"http://127.0.0.1:{port}")
    finally:
        await service.stop()
