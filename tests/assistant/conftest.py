"""The assistant, trained once, with a ServiceNow simulator behind its actions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from servicenow.backend import close_backend
from simulator import Simulator, SimulatorSettings
from tests.support.assistant import quieten_rasa, train_assistant
from tests.support.new_ledger import place_ledger

if TYPE_CHECKING:
    from rasa.core.agent import Agent

    from tests.support.conversation import Conversation


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[None]:
    with quieten_rasa():
        yield


@pytest.fixture(scope="session")
def model_path() -> Path:
    """The trained assistant, without an LLM."""
    return train_assistant()


@pytest.fixture(scope="session")
def agent(model_path: Path) -> Agent:
    from tests.support.conversation import load_assistant  # Rasa takes seconds to import

    with quieten_rasa():
        return load_assistant(model_path)


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    """ServiceNow as the actions see it: a simulator over HTTP, and a ledger of our own."""
    simulator = Simulator(SimulatorSettings())
    async with simulator.serve() as url:
        monkeypatch.setenv("SERVICENOW_URL", url)
        monkeypatch.setenv("SERVICENOW_AUTH", "none")
        monkeypatch.setenv("SERVICENOW_CALLBACK_SECRET", "nobody calls back here")
        monkeypatch.setenv("SERVICENOW_START", "create_start")
        monkeypatch.setenv("HANDOFF_DATABASE_URL", f"sqlite:///{place_ledger(tmp_path)}")
        yield simulator
        await close_backend()


@pytest.fixture
def converse(agent: Agent) -> Callable[[], Conversation]:
    """Returns a function that begins a new conversation."""
    from tests.support.conversation import Conversation

    return lambda: Conversation(agent)


@pytest.fixture
def chat(converse: Callable[[], Conversation], desk: Simulator) -> Conversation:
    """One conversation whose actions reach the simulator."""
    return converse()
