"""The original design: each message is a Rasa turn, whose custom action posts it and polls for answers.

``python -m benchmarks.original_design SPEC`` serves our assistant with it, by Rasa's own REST channel:
a policy sends what the requester writes to ``action_original_chat`` while ``live_chat_id`` is set, and
the action posts it to the thread of Connect Support, fetches the thread, and says what is new in it.
SPEC is JSON: the port and the desk's address.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
from rasa.core.channels.rest import RestInput
from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa_sdk import Action
from rasa_sdk.events import SlotSet

from benchmarks.assistant import quieten_rasa, seed_trackers
from benchmarks.stage import FOLDER, ROOT, Holding
from local.server import load_app, run_app
from local.training import MODELS, train_assistant

OPENING = "Connect me now"
ACTION = "action_original_chat"
USER, PASSWORD, QUEUE = "original", "password-of-the-original", "0123456789abcdef0123456789abcdef"
THREAD = "/api/now/connect/conversations/{}/messages"
SESSIONS = f"/api/now/connect/support/queues/{QUEUE}/sessions"
SOURCE = FOLDER / "original"
ABOVE_FLOWS = 100  # a priority
DOMAIN = f"""version: "3.1"
actions: [{ACTION}]
slots:
  original_chat: {{type: text, mappings: [{{type: controlled}}]}}
  original_last_seen: {{type: float, mappings: [{{type: controlled}}]}}
"""
ENDPOINTS = "action_endpoint: {actions_module: benchmarks.original_design}\n"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=False)
class OriginalChatPolicy(Policy):  # type: ignore[misc]  # Rasa ships no types
    """Our action after each of the requester's messages, while there is a chat."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"priority": ABOVE_FLOWS}

    def train(self, *_args: Any, **_kwargs: Any) -> Resource:
        return self._resource

    def predict_action_probabilities(self, tracker: Any, domain: Any, **_kwargs: Any) -> PolicyPrediction:
        scores = self._default_predictions(domain)
        if tracker.get_slot("original_chat") or tracker.latest_message.text == OPENING:
            is_done = tracker.latest_action_name == ACTION
            scores[domain.index_for_action("action_listen" if is_done else ACTION)] = 1.0
        return self._prediction(scores)


class OriginalChat(Action):  # type: ignore[misc]  # rasa-sdk ships no types
    """Post what the requester wrote; fetch the thread; say what others wrote since the last look."""

    session: ClassVar[aiohttp.ClientSession | None] = None

    def name(self) -> str:
        return ACTION

    async def run(self, dispatcher: Any, tracker: Any, domain: Any) -> list[Any]:
        chat, text = tracker.get_slot("original_chat"), tracker.latest_message["text"]
        if not chat:
            opened = await self._call("POST", SESSIONS, {"message": text})
            return [SlotSet("original_chat", opened["group"]), SlotSet("original_last_seen", 0.0)]
        await self._call("POST", THREAD.format(chat), {"message": text})
        thread = await self._call("GET", THREAD.format(chat))
        seen = float(tracker.get_slot("original_last_seen") or 0)
        for message in reversed(thread):
            if message["timestamp"] > seen and message["created_by"] not in (USER, "system"):
                dispatcher.utter_message(text=message["message"])
        return [SlotSet("original_last_seen", max(each["timestamp"] for each in thread))]

    async def _call(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        url = os.environ["ORIGINAL_DESK"] + path
        async with _find_session().request(method, url, json=body) as answer:
            answer.raise_for_status()
            return (await answer.json())["result"]


def _find_session() -> aiohttp.ClientSession:
    """Kept open, as a careful version of it would."""
    if OriginalChat.session is None:
        OriginalChat.session = aiohttp.ClientSession(auth=aiohttp.BasicAuth(USER, PASSWORD))
    return OriginalChat.session


def write_source() -> Path:
    """Our assistant with the policy and the action of the original design, in a folder of its own."""
    for folder in ("domain", "flows", "nlu"):
        shutil.copytree(ROOT / folder, SOURCE / folder, dirs_exist_ok=True)
    (SOURCE / "domain" / "original.yml").write_text(DOMAIN)
    (SOURCE / "endpoints.yml").write_text(ENDPOINTS)
    policy = "  - name: benchmarks.original_design.OriginalChatPolicy\n"
    (SOURCE / "config.yml").write_text((ROOT / "config.yml").read_text().rstrip() + "\n" + policy)
    return SOURCE


async def serve(spec: Mapping[str, Any], model: Path) -> None:
    """Until the orchestrator ends the process."""
    endpoints = str(SOURCE / "endpoints.yml")
    app = await load_app(model, endpoints=endpoints, make_channels=lambda: [RestInput()])
    await seed_trackers(app.ctx.agent, [Holding(**each) for each in spec["holdings"]])
    async with run_app(app, spec["port"], is_alone=True):
        gc.collect()
        gc.freeze()  # as ours does
        print("ready", flush=True)
        await asyncio.Event().wait()


def main(argument: str) -> None:
    """The model is trained, once, where there is none."""
    spec = json.loads(argument)
    quieten_rasa()
    os.environ["ORIGINAL_DESK"] = spec["desk"]
    model = train_assistant(root=write_source(), models=MODELS)
    asyncio.run(serve(spec, model))


if __name__ == "__main__":
    main(sys.argv[1])
