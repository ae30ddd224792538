"""Talking with the trained assistant as a requester does, through Rasa's ``Agent``."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa.core.agent import Agent, load_agent
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.config.configuration import Configuration
from rasa.dialogue_understanding.commands import Command, ErrorCommand, StartFlowCommand
from rasa.shared.core.events import BotUttered, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

ROOT = Path(__file__).resolve().parents[2]


def load_assistant(model: Path, endpoints: Path = ROOT / "endpoints.yml") -> Agent:
    """The trained model with its actions; call it outside an event loop."""
    configured = Configuration.initialise_endpoints(endpoints).endpoints
    Configuration.initialise_sub_agents(None)
    return asyncio.run(load_agent(model_path=str(model), endpoints=configured))


@dataclass(frozen=True)
class Answer:
    """What the assistant said in one turn: the names of the responses, and what the requester reads."""

    responses: tuple[str, ...]
    texts: tuple[str, ...]
    buttons: tuple[dict[str, str], ...]

    @property
    def text(self) -> str:
        return "\n".join(self.texts)

    def button(self, title: str) -> str:
        """The payload behind a button."""
        return next(button["payload"] for button in self.buttons if button["title"] == title)


class Conversation:
    """One requester's conversation."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.id = f"c-{uuid.uuid4().hex}"
        self.channel: str | None = None

    async def say(self, text: str) -> Answer:
        return await self._turn(text=text)

    async def say_all(self, *texts: str) -> Answer:
        """Say one after the other; the answer to the last."""
        for text in texts[:-1]:
            await self.say(text)
        return await self.say(texts[-1])

    async def start_flow(self, flow: str) -> Answer:
        """As the channel starts the exit flow: no text, one command."""
        return await self._command(StartFlowCommand(flow))

    async def fail(self, error_type: str) -> Answer:
        """As a command generator reports that it could not do its work."""
        return await self._command(ErrorCommand(error_type=error_type, info={}))

    async def set_slots(self, **slots: Any) -> None:
        async with self.agent.lock_store.lock(self.id):
            tracker = await self.tracker()
            for name, value in slots.items():
                tracker.update(SlotSet(name, value), self.agent.domain)
            await self.agent.processor.save_tracker(tracker)

    async def slot(self, name: str) -> Any:
        return (await self.tracker()).get_slot(name)

    async def open_flows(self) -> list[str]:
        """The flows on Rasa's stack, the bottom one first."""
        stack = (await self.tracker()).stack
        return [frame.flow_id for frame in stack.frames if getattr(frame, "flow_id", None)]

    async def tracker(self) -> DialogueStateTracker:
        return await self.agent.processor.get_tracker(self.id)

    async def _command(self, command: Command) -> Answer:
        parsed = {
            "text": None,
            "intent": {"name": None, "confidence": 0},
            "entities": [],
            "commands": [command.as_dict()],
        }
        return await self._turn(text=None, parse_data=parsed)

    async def _turn(self, **message: Any) -> Answer:
        output = CollectingOutputChannel()
        events = (await self.tracker()).events
        before = events[-1].timestamp if events else 0
        await self.agent.handle_message(
            UserMessage(output_channel=output, sender_id=self.id, input_channel=self.channel, **message)
        )
        events = (await self.tracker()).events  # a restart leaves fewer than there were
        said = [event for event in events if isinstance(event, BotUttered) and event.timestamp > before]
        return _collect(said, output.messages)


def _collect(said: Sequence[BotUttered], messages: Sequence[dict[str, Any]]) -> Answer:
    return Answer(
        responses=tuple(event.metadata.get("utter_action", "") for event in said),
        texts=tuple(message.get("text", "") for message in messages),
        buttons=tuple(button for message in messages for button in message.get("buttons", [])),
    )
