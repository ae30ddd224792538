"""Each threat has a row, each row a test, and each test exists."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from chaos.stage import ROOT

MODEL = (ROOT / "docs" / "threat-model.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in MODEL.splitlines()
    if line.startswith("|") and "::test_" in line
]
NAMED = sorted(set(re.findall(r"`(tests/\S+?\.py)::(\w+)`", MODEL)))
THREATS = [
    "forged callbacks",
    "replayed callbacks",
    "oversized callbacks",
    "stolen session ids",
    "guessed session ids",
    "one user's token with another's session",
    "cross-origin sockets",
    "script, style and link injection from the live agent",
    "script, style and link injection from the requester",
    "`/`-commands typed by users",
    "zip and media bombs",
    "path tricks in file names",
    "server-side request forgery through attachment URLs",
    "SQL injection",
    "log injection",
    "secrets in logs, errors, metrics, traces and `repr`",
    "values marked `SECURE` by ServiceNow, stored in clear",
    "personal data in logs, tracker and event broker",
    "what is kept for longer than it is needed",
    "slow-loris",
    "per-sender floods",
    "an instance that is none",
    "known vulnerabilities of what we depend on",
]


@cache
def functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("threat", THREATS)
def test_each_threat_has_a_row(threat):
    assert threat in [row[0] for row in ROWS]


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_each_named_test_exists(path, name):
    assert name in functions(path)


def test_each_row_names_a_defence_and_a_test():
    threats = MODEL[MODEL.index("## Callbacks") : MODEL.index("## What a proxy has to do")]
    lines = [
        line for line in threats.splitlines() if line.startswith("| ") and not line.startswith("| threat")
    ]
    assert len(lines) == len(ROWS)
    assert all(len(row) == 3 and all(row) for row in ROWS)
