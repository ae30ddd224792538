"""What holds for every test."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
# Rasa imports litellm, which looks for prices online, and waits for them.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

OURS = ("SERVICENOW_", "HANDOFF_", "SIMULATOR_")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not see the settings of the machine they run on, nor those of a developer's .env file."""
    for name in [name for name in os.environ if name.upper().startswith(OURS)]:
        if not name.startswith("HANDOFF_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HANDOFF_ENV_FILE", os.devnull)
