"""The one module that knows Rasa's Python API: what a channel is made of, and what we ask of the bot.

Beside it ``rasa_home`` knows what a loaded Rasa holds that belongs to one event loop.
Rasa announces a new channel API (``rasa.api.channels.v1``); moving to it is a change of this file.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from rasa.core.channels import BUILTIN_CHANNELS
from rasa.core.channels.channel import InputChannel, OutputChannel, RuntimeAgent, UserMessage
from rasa.dialogue_understanding.commands import StartFlowCommand
from rasa.shared.core.events import AgentUttered, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException
from rasa.shared.utils.common import class_from_module_path

from channels.rasa_home import Away, settle
from handoff.errors import HandoffError
from handoff.tasks import Home

__all__ = [
    "Bot",
    "ChannelRefused",
    "InputChannel",
    "OutputChannel",
    "RasaBot",
    "ReadRecord",
    "ReadSlots",
    "RuntimeAgent",
    "UserMessage",
    "find_channel",
]

USER_ID = "user_id"  # Rasa takes this key of a message's metadata for the user's proven identity


RECORD_ID = "handoff_record"  # in an event's metadata: what it is a record of

ReadSlots = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any] | None]]
ReadRecord = Callable[[], Awaitable[Mapping[str, Any] | None]]


class ChannelRefused(HandoffError, RasaException):  # type: ignore[misc]  # Rasa ships no types
    """A channel's settings are wrong; Rasa's command line prints it as one sentence."""


def find_channel(name: str) -> type[InputChannel]:
    """A channel's class: one of Rasa's own by its name in ``credentials.yml``, another by its path.

    Raises:
        ChannelRefused: there is none, or a package that it needs is not installed.
    """
    known: type[InputChannel] | None = BUILTIN_CHANNELS.get(name)
    if known:
        return known
    if "." not in name:
        raise ChannelRefused(
            f"Rasa has no channel {name} here. Slack, Telegram, Twilio, Facebook, Webex and Rocket.Chat need "
            "packages of their own: pip install 'rasa-pro[channels]'."
        )
    try:
        found: type[InputChannel] = class_from_module_path(name)
    except ImportError as error:
        raise ChannelRefused(f"credentials.yml: the channel {name} cannot be imported: {error}.") from error
    return found


class Bot(Protocol):
    """What the channels ask of the bot."""

    async def answer(
        self,
        conversation: str,
        text: str,
        *,
        output: OutputChannel,
        message_id: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Run one turn; a ``message_id`` that was answered already only repeats the answer."""
        ...

    async def start_flow(
        self, conversation: str, flow: str, *, output: OutputChannel, message_id: str
    ) -> None:
        """Run a flow from outside a turn of the requester; once per ``message_id``."""
        ...

    async def set_slots(self, conversation: str, read: ReadSlots) -> None:
        """Set the slots that ``read`` gives, without saying anything.

        ``read`` is called with the slots as they are, once the conversation stands still, so
        what it reads cannot have been overtaken when it is written; None means that there is
        nothing to set any more.

        Raises whatever keeps the tracker from being read or saved.
        """
        ...

    async def add_record(self, conversation: str, record_id: str, read: ReadRecord) -> None:
        """Keep what ``read`` gives in the conversation's history, for others to read; once per ``record_id``.

        No flow, slot or prompt is the other for it. ``read`` is called once the conversation stands
        still; None means that there is nothing to keep any more.

        Raises whatever keeps the tracker from being read or saved.
        """
        ...

    def is_ready(self) -> bool:
        """Whether a trained assistant is loaded."""
        ...

    async def render(self, response: str, values: Mapping[str, str], channel: str) -> dict[str, Any]:
        """A response of the domain with its placeholders filled, as ``{"text": ..., "buttons": [...]}``."""
        ...


class RasaBot:
    """``Bot`` by the agent that Rasa has loaded."""

    def __init__(self, agent: RuntimeAgent) -> None:
        self._runtime = agent
        self._home: Home | None = None
        self._away: Away | None = None

    def leave(self, home: Home, away: Away) -> None:
        """Be ready for turns that run elsewhere than where Rasa was loaded, with each agent that it loads."""
        self._home, self._away = home, away

    @property
    def _agent(self) -> Any:
        agent = self._runtime.agent
        if self._home and self._away:
            settle(agent, self._home, self._away)
        return agent

    async def answer(
        self,
        conversation: str,
        text: str,
        *,
        output: OutputChannel,
        message_id: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        trusted = {key: value for key, value in (metadata or {}).items() if key != USER_ID}
        await self._handle(conversation, output, message_id, text=text, metadata=trusted)

    async def start_flow(
        self, conversation: str, flow: str, *, output: OutputChannel, message_id: str
    ) -> None:
        """Commands in ``parse_data`` are the only way to run a flow from outside a turn (rasa-pro 3.21)."""
        parsed = {
            "text": None,
            "intent": {"name": None, "confidence": 1.0},
            "entities": [],
            "commands": [StartFlowCommand(flow).as_dict()],
        }
        await self._handle(conversation, output, message_id, text=None, parse_data=parsed)

    async def set_slots(self, conversation: str, read: ReadSlots) -> None:
        """Under the conversation's lock, which is not re-entrant: never from within a turn."""
        agent = self._agent
        async with agent.lock_store.lock(conversation):
            known = await _retrieve(agent.tracker_store, conversation)
            present = known.current_slot_values() if known else {}
            slots = await read(present)
            changed = {name: value for name, value in (slots or {}).items() if present.get(name) != value}
            if not changed:
                return
            tracker = known or await agent.processor.get_tracker(conversation)
            for name, value in changed.items():
                tracker.update(SlotSet(name, value), agent.domain)
            await _find_store(agent.tracker_store).save(tracker)

    async def add_record(self, conversation: str, record_id: str, read: ReadRecord) -> None:
        """As Rasa's event ``agent``: kept, published, and looked at by nothing in CALM (rasa-pro 3.21).

        All sessions are looked through for it, as a new one may have begun since a crash.
        """
        agent = self._agent
        async with agent.lock_store.lock(conversation):
            known = await _retrieve(agent.tracker_store, conversation)
            store = _find_store(agent.tracker_store)
            past = await store.retrieve_full_tracker(conversation) if known else None
            if past and any(event.metadata.get(RECORD_ID) == record_id for event in past.events):
                return
            record = await read()
            if record is None:
                return
            tracker = known or await agent.processor.get_tracker(conversation)
            event = AgentUttered(data=dict(record), metadata={RECORD_ID: record_id})
            tracker.update(event, agent.domain)
            await store.save(tracker)

    def is_ready(self) -> bool:
        try:
            return bool(self._runtime.agent.is_ready())
        except RasaException:  # no agent yet
            return False

    async def render(self, response: str, values: Mapping[str, str], channel: str) -> dict[str, Any]:
        """By an empty tracker: a sentence of the channel depends on no slot, and costs no tracker read."""
        agent = self._runtime.agent
        tracker = DialogueStateTracker.from_events("", [], slots=agent.domain.slots)
        output = _NamedOutput(channel)
        rendered = await agent.processor.nlg.generate(response, tracker, output, **values)
        if not rendered:
            raise LookupError(f"No response {response} in the domain")
        return dict(rendered)

    async def _handle(
        self, conversation: str, output: OutputChannel, message_id: str, **message: Any
    ) -> None:
        await self._agent.handle_message(
            UserMessage(
                sender_id=conversation,
                output_channel=output,
                input_channel=output.name(),
                message_id=message_id,
                **message,
            )
        )


async def _retrieve(store: Any, conversation: str) -> Any:
    """The tracker, None where there is none, an exception where the store is down."""
    try:
        return await _find_store(store).retrieve(conversation)
    except Exception:
        # Rasa's wrappers renew credentials that have expired, on their way to no answer.
        await store.retrieve(conversation)
        raise


def _find_store(store: Any) -> Any:
    """The tracker store within Rasa's wrappers, which raises when it is down.

    ``FailSafeTrackerStore`` and ``AuthRetryTrackerStore`` (rasa-pro 3.21) read an empty
    conversation then, and save to memory or not at all: an owner must not be guessed by that.
    """
    while inner := getattr(store, "_tracker_store", None):
        store = inner
    return store


class _NamedOutput(OutputChannel):  # type: ignore[misc]  # Rasa ships no types
    """Tells the response generator for which channel to choose a variation."""

    def __init__(self, channel: str) -> None:
        self._channel = channel

    def name(self) -> str:
        return self._channel
