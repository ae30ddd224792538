"""Rasa's own end-to-end tests, run by its own runner; synchronous, since that has event loops of its own."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.e2e import STATES, VARIABLES
from servicenow.backend import close_backend
from tests.support.processes import run_action_server, run_simulator

ROOT = Path(__file__).resolve().parents[2]
E2E = ROOT / "e2e_tests"

pytestmark = pytest.mark.rasa


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    with run_simulator() as url:
        yield {
            "SERVICENOW_URL": url,
            "SERVICENOW_AUTH": "none",
            "SERVICENOW_START": "create_start",
            "SERVICENOW_CALLBACK_SECRET": "nobody calls back here",
            "HANDOFF_DATABASE_URL": f"sqlite:///{tmp_path / 'ledger.db'}",
        }


def test_each_folder_has_a_state():
    assert {folder.name for folder in E2E.iterdir() if folder.is_dir()} == STATES.keys()


@pytest.mark.parametrize("state", STATES)
def test_with_the_actions_in_rasas_process(state, model_path, environment, monkeypatch):
    for name, value in {**environment, **VARIABLES.get(state, {})}.items():
        monkeypatch.setenv(name, value)
    command(environment, state)

    assert run(E2E / state, model_path, ROOT / "endpoints.yml") == {}


@pytest.mark.parametrize("state", STATES)
def test_with_the_actions_in_a_server_of_their_own(state, model_path, environment, tmp_path):
    command(environment, state)
    with run_action_server({**environment, **VARIABLES.get(state, {})}) as url:
        endpoints = tmp_path / "endpoints.yml"
        endpoints.write_text(f"action_endpoint:\n  url: {url}\n")

        assert run(E2E / state, model_path, endpoints) == {}


def test_a_wrong_expectation_fails(model_path, environment, tmp_path):
    wrong = tmp_path / "wrong.yml"
    expected = (E2E / "desk_open" / "small_talk.yml").read_text()
    wrong.write_text(expected.replace("utter_greet", "utter_goodbye"))

    assert list(run(wrong, model_path, ROOT / "endpoints.yml")) == ["small talk"]


def command(environment: dict[str, str], state: str) -> None:
    for path, body in STATES[state]:
        url = f"{environment['SERVICENOW_URL']}/simulator/{path}"
        urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode()), timeout=10).close()


def run(tests: Path, model: Path, endpoints: Path) -> dict[str, str]:
    """The test cases that fail, and why."""
    from rasa.core.config.configuration import Configuration
    from rasa.e2e_test.e2e_test_runner import E2ETestRunner
    from rasa.e2e_test.utils.io import read_test_cases

    configured = Configuration.initialise_endpoints(endpoints).endpoints
    Configuration.initialise_sub_agents(None)
    configured.tracker_store = configured.lock_store = configured.event_broker = None
    suite = read_test_cases(str(tests))
    assert suite.test_cases, f"there are no tests in {tests}"
    runner = E2ETestRunner(model_path=str(model), endpoints=configured, test_case_path=tests)

    async def run_all():
        try:
            return await runner.run_tests(
                suite.test_cases, suite.fixtures_per_test, False, input_metadata=suite.metadata
            )
        finally:
            await close_backend()

    try:
        failed = [result for result in asyncio.run(run_all()) if not result.pass_status]
        return {result.test_case.name: result.assertion_failure.error_message for result in failed}
    finally:
        runner.agent.stop_privacy_manager()
