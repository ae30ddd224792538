"""What belongs to the project, as git knows it."""

from __future__ import annotations

import subprocess

import pytest

from chaos.stage import ROOT


def list_tracked(*patterns: str) -> list[str]:
    """Paths from the project's folder; tests that need them are skipped where this is no clone."""
    done = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True)
    if done.returncode or not done.stdout:
        pytest.skip("this is no clone of the repository, or git is not installed", allow_module_level=True)
    return done.stdout.splitlines()
