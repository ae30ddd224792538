"""What was said before the handoff, for the live agent, in each form an instance may take (section 2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handoff.desk import Utterance

ITEMS = 100  # lines of an array; the newest are kept
ITEM_LIMIT = 4000  # characters of one of them
TEXT_LIMIT = 4000  # characters of a history in one text; how many an instance takes is not known
LINE_LIMIT = 500  # characters of one of its lines
SAID_BEFORE = "What was said before:"
NOTHING_SAID = "Nothing was said before."
CUT = "…"
LEFT_OUT = "Earlier lines that are left out: {count}"

Item = dict[str, Any]


def write_items(summary: str | None, history: Sequence[Utterance], now: float) -> list[Item]:
    """The array of the documented examples, the summary first; times are milliseconds, as strings."""
    kept = history[-ITEMS:]
    lost = len(history) - len(kept)
    notes = [f"Summary: {summary}"] if summary else []
    notes += [LEFT_OUT.format(count=lost)] if lost else []
    lines = [_write_item(said.text, is_bot=said.is_bot, at=said.timestamp) for said in kept]
    return [_write_item(note, is_bot=True, at=now) for note in notes] + lines


def write_object(summary: str | None, history: Sequence[Utterance], now: float) -> Item | None:
    """One object, which is what the field's description says: all lines in one value."""
    text = write_brief(summary, history)
    return _write_item(text, is_bot=True, at=now) if text else None


def write_brief(summary: str | None, history: Sequence[Utterance]) -> str:
    """Summary and lines as one text, empty where there is neither."""
    lines = _keep_newest(history)
    head = [f"Summary: {summary[:ITEM_LIMIT]}"] if summary else []
    return "\n".join([*head, *lines])


def write_text(history: Sequence[Utterance]) -> str:
    """The lines as one text that says so where there are none."""
    lines = _keep_newest(history)
    return "\n".join([SAID_BEFORE, *lines]) if lines else NOTHING_SAID


def _keep_newest(history: Sequence[Utterance]) -> list[str]:
    lines: list[str] = []
    room = TEXT_LIMIT
    for said in reversed(history):
        line = f"{_name(is_bot=said.is_bot)}: {_cut(said.text, LINE_LIMIT)}"
        room -= len(line) + 1
        if room < 0:
            break
        lines.insert(0, line)
    lost = len(history) - len(lines)
    return [LEFT_OUT.format(count=lost), *lines] if lost and lines else lines


def _write_item(text: str, *, is_bot: bool, at: float) -> Item:
    return {
        "displayName": _name(is_bot=is_bot),
        "isBotMessage": is_bot,
        "timestamp": str(int(at * 1000)),
        "type": "text",
        "value": _cut(text, ITEM_LIMIT),
    }


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + CUT


def _name(*, is_bot: bool) -> str:
    return "Assistant" if is_bot else "Requester"
