"""How the doctor's findings are shown: to people, and to programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.text import Text

from handoff.finding import Finding, Verdict

STYLES = {Verdict.OK: "green", Verdict.FAILED: "bold red", Verdict.SKIPPED: "yellow"}
NAME_WIDTH = 22  # characters, as wide as the longest check's name


def print_finding(console: Console, finding: Finding) -> None:
    """One line, and another with the advice; texts of others are never taken for markup."""
    line = Text.assemble(
        (f"{finding.verdict:8}", STYLES[finding.verdict]),
        (f"{finding.check:{NAME_WIDTH}}", "bold"),
        finding.detail,
    )
    console.print(line, soft_wrap=True)
    if finding.advice:
        console.print(Text(f"{'':8}→ {finding.advice}"), soft_wrap=True)


def write_json(findings: Sequence[Finding]) -> str:
    """``{"ok": bool, "findings": [{"check", "verdict", "detail", "advice"}]}``."""
    return json.dumps({"ok": is_healthy(findings), "findings": [asdict(f) for f in findings]}, indent=2)


def is_healthy(findings: Sequence[Finding]) -> bool:
    return all(finding.verdict is not Verdict.FAILED for finding in findings)
