"""The custom actions in a process of their own: they meet the channel in the ledger, and nowhere else."""

import pytest

from local.server import load_app, run_app
from servicenow.backend import close_backend
from simulator import Simulator, SimulatorSettings
from tests.scenarios.conftest import SECRET, Helpdesk, heard
from tests.support.processes import run_action_server
from tests.support.waiting import eventually

pytestmark = pytest.mark.rasa


async def test_a_handoff_opened_by_another_process_is_diverted_and_comes_back(
    model_path, tmp_path, monkeypatch
):
    simulator = Simulator(SimulatorSettings(callback_secret=SECRET))
    async with simulator.serve() as desk:
        settings = {
            "SERVICENOW_URL": desk,
            "SERVICENOW_AUTH": "none",
            "SERVICENOW_CALLBACK_SECRET": SECRET,
            "HANDOFF_DATABASE_URL": f"sqlite:///{tmp_path}/ledger.db",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        # Another start strategy there than here, so that it shows which process has asked the desk.
        with run_action_server({**settings, "SERVICENOW_START": "live_agent_only"}) as actions:
            endpoints = tmp_path / "endpoints.yml"
            endpoints.write_text(f"action_endpoint:\n  url: {actions}\n")
            app = await load_app(model_path, endpoints=str(endpoints))
            async with run_app(app, 0) as url:
                simulator.settings.callback_url = f"{url}/webhooks/servicenow/callback"
                helpdesk = Helpdesk(url, app, simulator)
                client = await helpdesk.join()
                chat = await helpdesk.go_live(client)
                asked = [request.action for request in simulator.requests]
                assert "START_CONVERSATION" in asked
                assert "CREATE_CONVERSATION" not in asked
                await client.say("can you see me?")
                await eventually(lambda: heard(chat) == ["can you see me?"])
                await simulator.say(chat, "I can")
                await client.expect("I can")
                await simulator.end(chat)
                await client.expect("Welcome back")
                await helpdesk.expect_slot(client, "handoff_active", False)
                await client.leave()
            await close_backend()
