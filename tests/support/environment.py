"""Tests do not see the settings of the machine they run on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

OURS = ("SERVICENOW_", "HANDOFF_")


def clean(monkeypatch: pytest.MonkeyPatch, folder: Path, *more: str) -> None:
    """Take our variables out of the environment, and go where no ``.env`` file is."""
    for name in [name for name in os.environ if name.upper().startswith((*OURS, *more))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
