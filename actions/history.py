"""What was said so far, for the live agent to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from handoff.desk import Utterance

Event = dict[str, Any]


def read_history(events: Sequence[Event]) -> tuple[Utterance, ...]:
    """Everything said since the last restart, oldest first; a clicked button is told by its title."""
    return tuple(chain.from_iterable(_utterances(since_restart(events))))


def find_turn(events: Sequence[Event]) -> str | None:
    """The id of the message that the present turn answers; the same when the turn is repeated."""
    said = (event for event in reversed(events) if event["event"] == "user")
    return next((event.get("message_id") for event in said), None)


def since_restart(events: Sequence[Event]) -> Sequence[Event]:
    restarts = [index for index, event in enumerate(events) if event["event"] == "restart"]
    return events[restarts[-1] + 1 :] if restarts else events


def _utterances(events: Sequence[Event]) -> Iterator[list[Utterance]]:
    titles: dict[str, str] = {}
    for event in events:
        if event["event"] == "bot":
            titles |= _button_titles(event)
            yield _utterance(event.get("text"), event)
        elif event["event"] == "user":
            yield _utterance(_typed(event.get("text"), titles), event)


def _button_titles(event: Event) -> dict[str, str]:
    buttons = (event.get("data") or {}).get("buttons") or []
    return {button["payload"]: button["title"] for button in buttons if button.get("payload")}


def _typed(text: str | None, titles: dict[str, str]) -> str | None:
    """The text as the user saw it; None for a payload that no button of this conversation explains."""
    if text and text.startswith("/"):
        return titles.get(text)
    return text


def _utterance(text: str | None, event: Event) -> list[Utterance]:
    if not text:
        return []
    return [Utterance(text, is_bot=event["event"] == "bot", timestamp=float(event["timestamp"]))]
