"""A history as conversations: what was said to whom, for the checker to compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from chaos.history import Event

EXITS = ("exit: ", "restarted: ")


@dataclass(frozen=True)
class Shown:
    """A message in a tab; ``exit`` names the handoff whose end it tells."""

    t: float
    tab: str
    id: str
    seq: int
    sender: str
    text: str
    exit: str | None = None

    @property
    def answers(self) -> str | None:
        """The requester's words that the bot answered by it."""
        if self.sender != "bot":
            return None
        if self.text.startswith("echo: "):
            return self.text.removeprefix("echo: ")
        if self.text.startswith("opening: "):
            return self.text.split(" ", 3)[3]
        return None


@dataclass
class Conversation:
    """Everything of a history that belongs to one conversation, in the order of its times."""

    id: str
    invoked: dict[str, Event] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    shown: list[Shown] = field(default_factory=list)
    desk_saw: list[Event] = field(default_factory=list)
    strayed: list[Event] = field(default_factory=list)
    bot_heard: list[Event] = field(default_factory=list)
    called_back: list[str] = field(default_factory=list)
    handoffs: list[Event] = field(default_factory=list)
    final: bool | None = None

    @classmethod
    def all_of(cls, events: Sequence[Event]) -> Iterable[Conversation]:
        """The conversations of a history."""
        found: dict[str, Conversation] = {}
        handoffs = {event["id"] for event in events if event["kind"] == "handoff"}
        for event in events:
            if name := event.get("conversation"):
                found.setdefault(name, cls(name))._take(event, handoffs)
        spoken_to = {
            event["text"]: event["conversation"] for event in events if event["kind"] == "agent_said"
        }
        called_back = [e for e in events if e["kind"] == "callback" and 200 <= e["status"] < 300]
        for event in sorted(called_back, key=lambda event: str(event["time"])):
            conversation = found.get(spoken_to.get(event["text"], ""))
            if conversation and event["text"] not in conversation.called_back:
                conversation.called_back.append(event["text"])
        return found.values()

    @property
    def tabs(self) -> dict[str, list[Shown]]:
        """What each tab has drawn, in that order."""
        tabs: dict[str, list[Shown]] = {}
        for shown in self.shown:
            tabs.setdefault(shown.tab, []).append(shown)
        return tabs

    def in_order(self) -> list[Shown]:
        """Each message once, by number."""
        first: dict[str, Shown] = {}
        for shown in self.shown:
            first.setdefault(shown.id, shown)
        return sorted(first.values(), key=lambda shown: shown.seq)

    def _take(self, event: Event, handoffs: set[str]) -> None:
        match event["kind"]:
            case "invoked":
                self.invoked[event["id"]] = event
            case "acknowledged":
                self.accepted[event["id"]] = event["seq"]
            case "refused":
                self.refused.add(event["id"])
            case "shown":
                self.shown.append(_read_shown(event, handoffs))
            case "desk_saw":
                self.desk_saw.append(event)
            case "strayed":
                self.strayed.append(event)
            case "bot_heard":
                self.bot_heard.append(event)
            case "handoff":
                self.handoffs.append(event)
            case "final":
                self.final = event["back"]


def _read_shown(event: Event, handoffs: set[str]) -> Shown:
    text = event["text"] or ""
    about = next((text.removeprefix(start) for start in EXITS if text.startswith(start)), None)
    told = about if event["sender"] == "bot" and about in handoffs else None
    return Shown(event["t"], event["tab"], event["id"], event["seq"], event["sender"], text, told)
