"""What holds for every test."""

from __future__ import annotations

import os
from typing import Any

import pytest

os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
# Rasa imports litellm, which looks for prices online, and waits for them.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

DIED = pytest.StashKey[bool]()

OURS = ("SERVICENOW_", "HANDOFF_", "SIMULATOR_")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not see the settings of the machine they run on, nor those of a developer's .env file."""
    for name in [name for name in os.environ if name.upper().startswith(OURS)]:
        if not name.startswith("HANDOFF_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HANDOFF_ENV_FILE", os.devnull)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """A process of pytest-xdist has ended, by itself if there is an error."""
    if error:
        node.config.stash[DIED] = True


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where one has died not every test has run, so running again what failed would prove nothing."""
    if session.config.stash.get(DIED, False):
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        session.config.cache.set("cache/lastfailed", {})
