"""What `make run` makes up, and what it leaves as it is set."""

import itertools
import os
from pathlib import Path

import pytest

from handoff.settings import read_settings
from local.environment import make_plan

NO_FILE = Path(os.devnull)


def test_without_servicenow_the_simulator_is_planned_for():
    plan = make_plan({}, 5005, 8081, NO_FILE)
    assert plan.simulator["SIMULATOR_PORT"] == "8081"
    assert plan.assistant["SERVICENOW_URL"] == "http://127.0.0.1:8081"
    assert plan.simulator["SIMULATOR_CALLBACK_URL"] == "http://127.0.0.1:5005/webhooks/servicenow/callback"


def test_both_sides_know_the_same_secrets_and_each_run_has_its_own():
    one, two = (make_plan({}, 5005, 8081, NO_FILE) for _ in range(2))
    assert one.assistant["SERVICENOW_PASSWORD"] == one.simulator["SIMULATOR_PASSWORD"]
    assert one.assistant["SERVICENOW_CALLBACK_SECRET"] == one.simulator["SIMULATOR_CALLBACK_SECRET"]
    assert one.assistant["SERVICENOW_QUEUE"] == one.simulator["SIMULATOR_CONNECT_QUEUE_ID"]
    assert one.assistant["SERVICENOW_PASSWORD"] != two.assistant["SERVICENOW_PASSWORD"]
    assert one.assistant["SERVICENOW_CALLBACK_SECRET"] != two.assistant["SERVICENOW_CALLBACK_SECRET"]


def test_what_is_made_up_are_whole_settings(monkeypatch):
    plan = make_plan({}, 5005, 8081, NO_FILE)
    for name, value in plan.assistant.items():
        monkeypatch.setenv(name, value)
    assert read_settings().servicenow_url == "http://127.0.0.1:8081"
    assert read_settings(servicenow_desk="connect_support").servicenow_queue


def test_every_chat_with_the_simulator_is_audited_unless_that_is_set():
    assert make_plan({}, 5005, 8081, NO_FILE).assistant["HANDOFF_AUDIT"] == "true"
    assert make_plan({"HANDOFF_AUDIT": "false"}, 5005, 8081, NO_FILE).assistant["HANDOFF_AUDIT"] == "false"
    real = {"SERVICENOW_URL": "https://example.service-now.com"}
    assert "HANDOFF_AUDIT" not in make_plan(real, 5005, 8081, NO_FILE).assistant


def test_a_real_instance_is_used_as_it_is_set():
    real = {"SERVICENOW_URL": "https://example.service-now.com", "SERVICENOW_USER": "me"}
    plan = make_plan(real, 5005, 8081, NO_FILE)
    assert plan.simulator is None
    assert plan.assistant["SERVICENOW_USER"] == "me"


def test_the_dotenv_file_is_read_and_the_environment_wins(tmp_path):
    dotenv = tmp_path / ".env"
    dotenv.write_text("SERVICENOW_URL=https://file.service-now.com\nSERVICENOW_USER=file\nRASA_LICENSE=\n")
    plan = make_plan({"SERVICENOW_USER": "environment"}, 5005, 8081, dotenv)
    assert plan.assistant["SERVICENOW_URL"] == "https://file.service-now.com"
    assert plan.assistant["SERVICENOW_USER"] == "environment"
    assert not plan.has_licence


@pytest.mark.parametrize(
    ("missing", "config"),
    [(None, "config.llm.yml"), ("HANDOFF_LLM_API_BASE", "config.yml"), ("HANDOFF_LLM_MODEL", "config.yml")],
)
def test_the_llm_is_used_when_it_is_wholly_set(missing, config):
    names = ("HANDOFF_LLM_API_BASE", "HANDOFF_LLM_API_KEY", "HANDOFF_LLM_MODEL")
    plan = make_plan({name: "x" for name in names if name != missing}, 5005, 8081, NO_FILE)
    assert plan.config == config
    assert Path(__file__).resolve().parents[2].joinpath(plan.endpoints).exists()


def test_every_setting_stands_in_the_example_file():
    from handoff.settings import Settings

    example = Path(__file__).resolve().parents[2] / ".env.example"
    named = {line.partition("=")[0] for line in example.read_text().splitlines() if "=" in line[:60]}
    assert {name.upper() for name in Settings.model_fields} <= named


def test_every_setting_in_the_example_file_has_a_sentence():
    example = Path(__file__).resolve().parents[2] / ".env.example"
    lines = example.read_text().splitlines()
    for before, line in itertools.pairwise(lines):
        if line and not line.startswith("#"):
            assert before.startswith(("#", "SERVICENOW_CALLBACK_USER"))


def test_on_loopback_with_the_simulator_rest_is_open_unless_it_is_set():
    assert make_plan({}, 5005, 8081, NO_FILE).assistant["HANDOFF_REST_TRUSTED_NETWORK"] == "true"
    for mine in ({"HANDOFF_REST_TOKEN": "t" * 32}, {"SERVICENOW_URL": "https://example.service-now.com"}):
        assert "HANDOFF_REST_TRUSTED_NETWORK" not in make_plan(mine, 5005, 8081, NO_FILE).assistant
