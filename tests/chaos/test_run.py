"""The whole proof for a few seconds, with real processes: as it is, and with a mistake that it must catch."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from chaos.checker import KINDS
from chaos.lives import ROOT
from chaos.services import find_missing
from tests.support.chromium import give_up


@pytest.mark.timeout(240)
def test_a_short_run_prints_zeros_only(tmp_path):
    options = ["--seconds", "20", "--seed", "7", "--requesters", "6", "--folder", str(tmp_path)]
    command = [sys.executable, "-m", "chaos", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=220, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"^ +0  [a-z ]+: ", done.stdout, re.MULTILINE)) == len(KINDS)
    acknowledged = re.search(r"(\d+)  messages acknowledged", done.stdout)
    kills = re.search(r"(\d+)  kills", done.stdout)
    assert int(acknowledged[1]) > 30
    assert int(kills[1]) > 3


@pytest.mark.timeout(300)
def test_a_short_run_of_a_cluster_prints_zeros_only(tmp_path):
    if missing := find_missing():
        give_up(f"Not installed: {', '.join(missing)}")
    options = ["--seconds", "20", "--seed", "7", "--requesters", "6", "--folder", str(tmp_path)]
    command = [sys.executable, "-m", "chaos", "--topology", "cluster", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"^ +0  [a-z ]+: ", done.stdout, re.MULTILINE)) == len(KINDS)
    assert int(re.search(r"(\d+)  messages acknowledged", done.stdout)[1]) > 20
    assert int(re.search(r"(\d+)  kills", done.stdout)[1]) > 3
    assert int(re.search(r"(\d+)  restarts of PostgreSQL and Redis", done.stdout)[1]) > 0
    assert int(re.search(r"(\d+)  standstills of a server", done.stdout)[1]) > 0


@pytest.mark.timeout(240)
def test_a_server_that_acknowledges_without_a_commit_is_caught(tmp_path):
    options = ["--seconds", "8", "--seed", "3", "--requesters", "4", "--folder", str(tmp_path)]
    mutant = ["--mutant", "commit-forgotten"]
    command = [sys.executable, "-m", "chaos", *options, *mutant]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=220, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "commit-forgotten: caught" in done.stdout
    assert "Seed 3" in done.stdout
