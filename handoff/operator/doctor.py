"""``doctor``: is everything in order."""

from __future__ import annotations

import asyncio
import sys

import structlog
import typer
from rich.console import Console

from handoff.checkup import check_settings
from handoff.finding import Finding
from handoff.operator.output import AsJson
from handoff.report import is_healthy, print_finding, write_json
from handoff.settings import Settings


def examine_all(as_json: AsJson = False) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    console = Console(quiet=as_json, highlight=False)
    settings, findings = check_settings()
    for finding in findings:
        print_finding(console, finding)
    if settings:
        findings += asyncio.run(_examine(settings, console))
    if as_json:
        typer.echo(write_json(findings))
    if not is_healthy(findings):
        raise typer.Exit(1)


async def _examine(settings: Settings, console: Console) -> list[Finding]:
    from servicenow.doctor import examine  # the rules know no ServiceNow; only this command does

    findings = []
    async for finding in examine(settings):
        print_finding(console, finding)
        findings.append(finding)
    return findings
