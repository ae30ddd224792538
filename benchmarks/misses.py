"""Why a goal is missed, where it is, and what to try next; shown beside each that a run has missed.

By the beginning of a goal's key; the longest that fits counts. The reasons are those of the
measurements in docs/performance-notes.md; change them with the code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Miss:
    """Both are whole sentences."""

    reason: str
    next_step: str


MISSES = {
    "latency": Miss(
        "Ours does more than the floor before a message is through: it finds whose conversation it is, "
        "numbers and writes the message with its handoff, notes who was shown what, and commits by the rules "
        "of the ledger. That is Python on the event loop, and at 200 messages a second they wait for each "
        "other. What is slowest of a hundred has met another message.",
        "Two thirds of what is beyond the floor come before the commit, with code that has left the caches: "
        "fewer turns of the loop and statements there. Preparing the frame while the disk is waited for made "
        "it later (docs/performance-notes.md).",
    ),
    "throughput.sqlite": Miss(
        "The processor is the limit, not the disk: what one message costs decides how many go through, and "
        "of that the floor's libraries take as much with ours. What is ours is spread over pieces of 1 to 5 "
        "microseconds each.",
        "Several processes, each with its share of the sockets, on PostgreSQL (docs/scaling.md); in one "
        "process, what Sanic, Socket.IO and aiohttp do for each message by ways of our own, as for frames. "
        "Compiling ours by Cython gained nothing (docs/performance-notes.md).",
    ),
    "throughput.postgresql": Miss(
        "Messages of several conversations share a transaction and its round trips, and PostgreSQL itself "
        "takes a good part of what we take, on the same two cores; the floor that it is compared with "
        "writes to SQLite, in its own process.",
        "PostgreSQL on a machine of its own, as in production; in the process, what every message costs "
        "whatever keeps it, as with SQLite.",
    ),
    "growth": Miss(
        "Something in the path looks at more than the message at hand.",
        "Find the statement without an index, or the loop over everything, by the profile of the "
        "largest size.",
    ),
    "idle.memory": Miss(
        "A session keeps more than its socket: what is remembered of it in dictionaries of the channel.",
        "Count the objects of a session with tracemalloc, and keep only what cannot be read from the ledger.",
    ),
    "idle": Miss(
        "Each browser that returns is a handshake of Sanic's and Socket.IO's, as with the floor, "
        "and three short transactions; all come at once.",
        "One transaction for a browser that returns.",
    ),
    "missed": Miss(
        "Missed messages are shown one by one, each with its receipt.",
        "Send them in one go, and commit the receipts of all of them at once.",
    ),
    "turns": Miss(
        "A turn computes in Python. On the event loop it is a wait for everybody; in a thread it shares the "
        "interpreter, so that a live agent's words wait for it some milliseconds each time they need it.",
        "A process of its own for the turns: the channels would hand a turn over a socket and get its words "
        "back, by the interface `Bot`, which is narrow enough for it.",
    ),
    "original.cost": Miss(
        "A turn of the original costs some tens of milliseconds while the conversation is short, and a "
        "message of ours one or more; so the ratio is reached in long conversations first.",
        "What makes a message of ours cheaper: see latency.",
    ),
    "original.shown": Miss(
        "The answer takes the way of every message of a live agent.",
        "The same as for latency.",
    ),
    "start.run": Miss(
        "Beside the import the model is loaded, for which Rasa reads its domain and flows and those that it "
        "brings as YAML, in Python; the channels begin; and a first message is answered.",
        "Serve the page while the model loads, and let a first message wait for it.",
    ),
    "start.cli": Miss(
        "The command imports pydantic and typer before it reads a row, and nothing else that is large "
        "(docs/performance-notes.md).",
        "Read an option and a setting without pydantic.",
    ),
    "start.without_rasa": Miss(
        "A module of theirs imports Rasa.",
        "Look with `python -X importtime` which one, and move that import.",
    ),
}


def find_miss(key: str) -> Miss:
    """The one for a goal."""
    names = [name for name in MISSES if key == name or key.startswith(name + ".")]
    return MISSES[max(names, key=len)]


def group_misses(keys: Iterable[str]) -> dict[Miss, list[str]]:
    """Goals that have the same reason stand together."""
    found: dict[Miss, list[str]] = {}
    for key in keys:
        found.setdefault(find_miss(key), []).append(key)
    return found
