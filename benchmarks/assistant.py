"""``python -m benchmarks.assistant SPEC``: our channels around the trained assistant itself.

By Rasa's public Python API, as ``local/server.py`` does it. The trackers of the holdings are written
before it serves, in the store that ``endpoints.yml`` names: memory.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import cycle, islice
from typing import Any

from benchmarks.configuration import environment, make_settings
from benchmarks.stage import PATIENT, Holding, make_seats
from channels.servicenow import ServiceNowCallback
from channels.webchat import WebChat
from local.server import load_app, run_app
from local.training import train_assistant
from servicenow.backend import Backend, make_backend


async def serve(spec: Mapping[str, Any]) -> None:
    """Until the orchestrator ends the process."""
    settings = make_settings(spec["desk"], spec["ledger"], spec["settings"])

    async def connect() -> Backend:
        return await make_backend(settings)

    def make_channels() -> list[Any]:
        return [WebChat(connect=connect), ServiceNowCallback(connect=connect)]

    app = await load_app(spec["model"], make_channels=make_channels)
    app.update_config(PATIENT)
    await seed_trackers(app.ctx.agent, [Holding(**each) for each in spec["holdings"]])
    async with run_app(app, spec["port"], is_alone=True):
        print("ready", flush=True)
        await asyncio.Event().wait()


async def seed_trackers(agent: Any, holdings: Iterable[Holding]) -> None:
    """A tracker of so many events for each conversation of the holdings."""
    from rasa.shared.core.trackers import DialogueStateTracker

    for holding in holdings:
        for seat in make_seats(holding.count, holding.seed) if holding.events else ():
            events = list(islice(_talk(), holding.events))
            tracker = DialogueStateTracker.from_events(seat.conversation, events, slots=agent.domain.slots)
            await agent.tracker_store.save(tracker)


def _talk() -> Iterator[Any]:
    """What a tracker holds of turn after turn: the requester's words, an action, the bot's words, a wait."""
    from rasa.shared.core.events import ActionExecuted, BotUttered, UserUttered

    turn = (
        UserUttered("where is my ticket", {"name": "check_incident", "confidence": 0.98}),
        ActionExecuted("utter_ask_incident_number"),
        BotUttered("Which incident do you mean? Its number begins with INC."),
        ActionExecuted("action_listen"),
    )
    return cycle(turn)


def quieten_rasa() -> None:
    """Else it prints every step of a turn, which costs more than the step."""
    from rasa.utils.log_utils import configure_structlog

    configure_structlog()


def main(argument: str) -> None:
    """The model is trained, once, where there is none."""
    spec = json.loads(argument)
    quieten_rasa()
    os.environ.update(environment(spec["desk"], spec["ledger"]), **spec["settings"])  # for the custom actions
    model = str(train_assistant())
    asyncio.run(serve({**spec, "model": model}))


if __name__ == "__main__":
    main(sys.argv[1])
