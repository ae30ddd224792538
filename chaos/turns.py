"""Turns of the bot that two processes took for one conversation at the same moment.

Two counts. ``find_at_once`` takes a turn from when the bot heard a message until it was through with it,
and knows nothing of leases, so it must excuse what happens about a standstill. ``find_overtaken`` looks
only at turns that spoke: words are committed by a transaction in which the lease of the turn is compared,
so the process had the lease from before it heard until after it began to speak, and no other one can have
had a turn begin in between, whatever stood still.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from chaos.history import Event

EXCUSES = ("frozen", "restarted")  # after which a lease may be another process's, though its holder goes on
EXCUSED = 15.0  # seconds that an excuse holds


@dataclass(frozen=True)
class Turn:
    """From when the bot heard a message until it was through with it, or last began to speak."""

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


def find_overtaken(events: Sequence[Event]) -> Iterator[str]:
    """A sentence for each turn that spoke on after another process had begun one, which spoke too."""
    turns = list(_find_spoken(events))
    for one in turns:
        for other in turns:
            is_theirs = other.conversation == one.conversation and other.process != one.process
            if is_theirs and one.began < other.began < one.ended:
                yield f"{one.conversation[:8]}: {one.process} by {other.process}, at {other.began:.1f}"


def _find_spoken(events: Sequence[Event]) -> Iterator[Turn]:
    """Turns by the moment in which they last began to say something that was committed."""
    open_turns: dict[tuple[str, str, int], Turn] = {}
    for event in events:
        if event["kind"] not in ("bot_heard", "bot_spoke") or "process" not in event:
            continue
        key = event["conversation"], event["id"], event["process"]
        if event["kind"] == "bot_heard":
            if key in open_turns:
                yield open_turns.pop(key)
            open_turns[key] = Turn(event["conversation"], event["process"], event["t"], event["t"])
        elif key in open_turns:  # what an exit flow says was no answer to a message
            open_turns[key] = replace(open_turns[key], ended=event["begun"])
    yield from open_turns.values()


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
