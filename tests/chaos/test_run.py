"""The whole proof for a few seconds, with real processes and a deliberate mistake that it must catch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from chaos.lives import ROOT


@pytest.mark.timeout(120)
def test_a_server_that_acknowledges_without_a_commit_is_caught(tmp_path):
    options = ["--seconds", "8", "--seed", "3", "--requesters", "4", "--folder", str(tmp_path)]
    mutant = ["--mutant", "acknowledge-without-commit"]
    command = [sys.executable, "-m", "chaos", *options, *mutant]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "acknowledge-without-commit: caught" in done.stdout
    assert "Seed 3" in done.stdout
