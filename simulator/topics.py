"""The topics of Virtual Agent that SWITCH and `contextVariables.topic` may name (sections 2.2, 2.3, 4)."""

from simulator.bot_request import BotRequest
from simulator.chat import Chat
from simulator.floor import sys_id
from simulator.settings import SimulatorSettings

LIVE_AGENT_TOPIC = "ce2ee85053130010cf8cddeeff7b12bf"  # "Live Agent Support.", section 8
LIVE_AGENT = "Live Agent Support"


class Refusal(Exception):
    """No such switch is possible; Virtual Agent closes the conversation. The text is for the system log."""


def topic_id(name: str) -> str:
    """Return the sys_cs_topic sys_id of a topic."""
    return LIVE_AGENT_TOPIC if name == LIVE_AGENT else sys_id("sys_cs_topic", name)


def intent_id(name: str) -> str:
    """Return the sys_cs_topic_language sys_id of a topic."""
    return sys_id("sys_cs_topic_language", name)


def choose(settings: SimulatorSettings, chat: Chat, request: BotRequest) -> str:
    """Return the name of the topic a SWITCH asks for; raises `Refusal`."""
    topic, intent = (request.raw.get(key) for key in ("topic", "intent"))
    topic, intent = (one if isinstance(one, dict) else {} for one in (topic, intent))
    if topic.get("name") and topic.get("id"):
        raise Refusal("both topic.name and topic.id are given")
    for name in (*settings.topics, LIVE_AGENT):
        if (
            name == topic.get("name")
            or topic_id(name) == topic.get("id")
            or intent_id(name) == intent.get("id")
        ):
            if name == chat.topic:
                raise Refusal(f"the topic {name} is running already")
            return name
    raise Refusal("no active topic or intent matches")


def preset(settings: SimulatorSettings, chat: Chat) -> str | None:
    """Return the topic that `contextVariables.topic` starts a conversation in."""
    wanted = chat.context.get("topic")
    return next((name for name in settings.topics if topic_id(name) == wanted), None)
