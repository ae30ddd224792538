"""Turns of the bot that two processes took for one conversation at the same moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chaos.history import Event

EXCUSES = ("frozen", "restarted")  # after which a lease may be another process's, though its holder goes on
EXCUSED = 15.0  # seconds that an excuse holds


@dataclass(frozen=True)
class Turn:
    """From when the bot heard a message until it was through with it."""

    conversation: str
    process: int
    began: float
    ended: float


def find_at_once(events: Sequence[Event]) -> Iterator[str]:
    """A sentence for each; a turn that was never ended by its process is not known to have gone on."""
    excuses = [event["t"] for event in events if event["kind"] in EXCUSES]
    turns = list(_find_turns(events))
    for number, one in enumerate(turns):
        for other in turns[number + 1 :]:
            if other.began >= one.ended:
                break
            is_theirs = other.conversation == one.conversation and other.process != one.process
            if is_theirs and not any(one.began - EXCUSED < at < other.ended for at in excuses):
                yield f"{one.conversation[:8]}: in {one.process} and in {other.process}, at {other.began:.1f}"


def _find_turns(events: Sequence[Event]) -> Iterator[Turn]:
    """In the order in which they began."""
    ends = {
        (event["conversation"], event["id"], event["process"], number): event["t"]
        for number, event in _numbered(events, "bot_through")
    }
    for number, event in _numbered(events, "bot_heard"):
        key = event["conversation"], event["id"], event["process"], number
        if key in ends:
            yield Turn(event["conversation"], event["process"], event["t"], ends[key])


def _numbered(events: Sequence[Event], kind: str) -> Iterator[tuple[int, Event]]:
    """Events of a kind, each with how often its process has had its message before."""
    seen: dict[tuple[str, str, int], int] = {}
    for event in events:
        if event["kind"] == kind and "process" in event:
            key = event["conversation"], event["id"], event["process"]
            seen[key] = seen.get(key, -1) + 1
            yield seen[key], event
