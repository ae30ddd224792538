"""Reads a history, and counts what must not be in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from chaos.history import Event
from chaos.talk import Conversation
from chaos.turns import find_at_once, find_overtaken

TOLD_BY_ENTRY_FLOW = ("nobody_available", "desk_unreachable", "desk_error")
NAMED_LOST = "[utter_message_not_delivered] "
NAMED_DOUBTFUL = "[utter_message_possibly_delivered] "
JOINED = ("[utter_live_agent_joined]", "[utter_live_agent_joined_unnamed]")


KINDS = {
    "lost": "acknowledged, but neither answered, seen by the desk, nor named as failed",
    "never_acknowledged": "sent, and neither acknowledged nor refused in the end",
    "taken_twice": "one message of the requester given to the bot as two",
    "shown_twice": "one id, or the same words of the live agent, twice in one tab",
    "answered_twice": "the bot's answer to one message shown under two ids",
    "not_on_every_tab": "shown in one tab, missing in another",
    "out_of_order": "against the order of acceptance",
    "double_answers": "given to the bot and to the live agent, or bot words while live",
    "at_once": "turns of two processes at a time, though neither had stood still nor the database been away",
    "overtaken": "words of a turn after another process had begun to take its turn",
    "limbo": "not back with the bot in the end",
    "exit_missing": "a handoff ended, and nobody said so",
    "exit_twice": "a handoff whose end was told twice",
    "misnamed": "named as not delivered, though the desk saw it",
}


@dataclass
class Report:
    """``violations`` by kind, each a sentence; ``facts`` are no violations."""

    violations: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    facts: dict[str, float] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        return not any(self.violations.values())


def check(events: Sequence[Event]) -> Report:
    """Count everything; see ``docs/chaos.md`` for what each count means."""
    report = Report()
    for conversation in Conversation.all_of(events):
        for kind, sentence in _find_all(conversation):
            report.violations[kind].append(f"{conversation.id[:8]}: {sentence}")
    report.violations["at_once"] += find_at_once(events)
    report.violations["overtaken"] += find_overtaken(events)
    report.facts = _find_facts(events)
    return report


def _find_all(talk: Conversation) -> Iterator[tuple[str, str]]:
    yield from _find_lost(talk)
    yield from _find_repeated(talk)
    yield from _find_missing_in_tabs(talk)
    yield from _find_disorder(talk)
    yield from _find_double_answers(talk)
    yield from _find_exits(talk)
    for message in talk.invoked:
        if message not in talk.accepted and message not in talk.refused:
            yield "never_acknowledged", talk.invoked[message]["text"]
    if talk.final is False:
        yield "limbo", "the bot does not answer"
    for handoff in talk.handoffs:
        if handoff["state"] != "ended":
            yield "limbo", f"handoff {handoff['id']} is {handoff['state']}"


def _find_lost(talk: Conversation) -> Iterator[tuple[str, str]]:
    answered = {shown.answers for shown in talk.shown if shown.answers}
    seen = {event["text"] for event in talk.desk_saw}
    lost, doubtful = set(_named(talk, NAMED_LOST)), set(_named(talk, NAMED_DOUBTFUL))
    known = answered | seen | lost | doubtful | {event["text"] for event in talk.strayed}
    for message, seq in talk.accepted.items():
        text = talk.invoked[message]["text"]
        if talk.invoked[message]["command"] or text in known:
            continue
        if not (text.startswith("agent ") and _was_followed(talk, seq)):
            yield "lost", f"requester's {text!r}, seq {seq}"
    said = {shown.text for shown in talk.shown if shown.sender == "agent"}
    for text in talk.called_back:
        if text not in said:
            yield "lost", f"live agent's {text!r}"
    for text in sorted((lost - doubtful) & seen):
        yield "misnamed", text


def _was_followed(talk: Conversation, seq: int) -> bool:
    """A request for a live agent needs no words of its own where one came, or its end was told."""
    return any(shown.seq > seq and (shown.exit or shown.text.startswith(JOINED)) for shown in talk.shown)


def _named(talk: Conversation, marker: str) -> Iterator[str]:
    for shown in talk.shown:
        if shown.text.startswith(marker):
            yield str(json.loads(shown.text.removeprefix(marker))["text"])


def _find_repeated(talk: Conversation) -> Iterator[tuple[str, str]]:
    for tab, pushed in talk.tabs.items():
        ids: set[str] = set()
        words: dict[str, str] = {}
        for shown in pushed:
            if shown.id in ids:
                yield "shown_twice", f"tab {tab}: id {shown.id}"
            ids.add(shown.id)
            said = shown.answers or (shown.text if shown.sender == "agent" else None)
            if said and words.setdefault(f"{shown.sender} {said}", shown.id) != shown.id:
                kind = "answered_twice" if shown.answers else "shown_twice"
                yield kind, f"tab {tab}: {shown.sender}'s {shown.text!r}, seq {shown.seq}"
    commands = {event["text"] for event in talk.invoked.values() if event["command"]}
    heard: dict[str, str] = {}
    for event in talk.bot_heard:
        text = event["text"]
        if text not in commands and heard.setdefault(text, event["id"]) != event["id"]:
            yield "taken_twice", text


def _find_missing_in_tabs(talk: Conversation) -> Iterator[tuple[str, str]]:
    texts = {shown.id: shown.text for shown in talk.shown if shown.sender != "requester"}
    for tab, pushed in talk.tabs.items():
        for missing in sorted(texts.keys() - {shown.id for shown in pushed}):
            yield "not_on_every_tab", f"tab {tab} has not {texts[missing]!r}"


def _find_disorder(talk: Conversation) -> Iterator[tuple[str, str]]:
    for tab, pushed in talk.tabs.items():
        numbers = [shown.seq for shown in pushed if shown.sender != "requester"]
        if number := _first_disorder(numbers):
            yield "out_of_order", f"tab {tab} at seq {number}"
    accepted = {
        talk.invoked[message]["text"]: seq
        for message, seq in talk.accepted.items()
        if not talk.invoked[message]["command"]
    }
    # Answers to what the desk asks before a live agent is there overtake the words that wait for one.
    first = [event for event in talk.desk_saw if event.get("first")]
    later = [event for event in talk.desk_saw if not event.get("first")]
    for name, heard in (("desk", later), ("desk's bot", first), ("bot", talk.bot_heard)):
        texts = dict.fromkeys(event["text"] for event in heard)
        if number := _first_disorder([accepted[text] for text in texts if text in accepted]):
            yield "out_of_order", f"to the {name} at seq {number}"
    shown_at = {shown.text: shown.seq for shown in talk.shown if shown.sender == "agent"}
    if number := _first_disorder([shown_at[text] for text in talk.called_back if text in shown_at]):
        yield "out_of_order", f"from the desk at seq {number}"


def _first_disorder(numbers: Sequence[int]) -> int | None:
    return next((b for a, b in pairwise(numbers) if b < a), None)


def _find_double_answers(talk: Conversation) -> Iterator[tuple[str, str]]:
    seen = {event["text"] for event in talk.desk_saw}
    to_bot = {event["text"] for event in talk.bot_heard} | {shown.answers for shown in talk.shown}
    for text in sorted(seen & to_bot):
        yield "double_answers", f"both had {text!r}"
    is_live = False
    for shown in talk.in_order():
        if shown.text.startswith(JOINED):
            is_live = True
        elif shown.exit:
            is_live = False
        elif is_live and shown.sender == "bot":
            yield "double_answers", f"the bot said {shown.text!r} while live, seq {shown.seq}"


def _find_exits(talk: Conversation) -> Iterator[tuple[str, str]]:
    for handoff in talk.handoffs:
        told = [shown for shown in talk.in_order() if shown.exit == handoff["id"]]
        if len(told) > 1:
            yield "exit_twice", f"{len(told)} times for {handoff['id']}"
        if not told and handoff["state"] == "ended" and not _was_told_at_entry(talk, handoff):
            yield "exit_missing", f"{handoff['id']} ended as {handoff['reason']}"


def _was_told_at_entry(talk: Conversation, handoff: Event) -> bool:
    """An opening that fails is told by the turn that opened it, or by that turn's repetition."""
    if any(shown.text.startswith("opening: nobody") and handoff["id"] in shown.text for shown in talk.shown):
        return True
    return handoff["reason"] in TOLD_BY_ENTRY_FLOW and any(
        shown.text.startswith("opening: ") and shown.t > handoff["opened"] for shown in talk.shown
    )


def _find_facts(events: Sequence[Event]) -> dict[str, float]:
    kinds = [event["kind"] for event in events]
    desk = [(event["conversation"], event["text"]) for event in events if event["kind"] == "desk_saw"]
    died = [event["label"] for event in events if event["kind"] == "died"]
    return {
        "messages acknowledged": kinds.count("acknowledged"),
        "words of live agents called back": len({e["text"] for e in events if e["kind"] == "callback"}),
        "handoffs": kinds.count("handoff"),
        "posted again to the desk (allowed)": len(desk) - len(set(desk)),
        "heard by the desk's own bot, as the live agent had left": kinds.count("strayed"),
        "of them neither answered by our bot nor named": _count_unnoticed(events),
        "kills": kinds.count("killed"),
        "of them at labels": len(died),
        "labels seen": len({event["label"] for event in events if event["kind"] == "label"}),
        "labels killed at": len(set(died)),
        "cuts of all connections": kinds.count("cut"),
        "faults switched on": kinds.count("fault"),
        "restarts of PostgreSQL and Redis": kinds.count("restarted"),
        "standstills of a server": kinds.count("frozen"),
        "longest recovery, s": round(_longest_recovery(events), 1),
    }


def _count_unnoticed(events: Sequence[Event]) -> int:
    """Texts that only the desk's own bot heard, and of which the requester was told nothing."""
    count = 0
    for talk in Conversation.all_of(events):
        answered = {shown.answers for shown in talk.shown if shown.answers}
        told = {*_named(talk, NAMED_LOST), *_named(talk, NAMED_DOUBTFUL)}
        count += len({event["text"] for event in talk.strayed} - answered - told)
    return count


def _longest_recovery(events: Sequence[Event]) -> float:
    """The longest wait for an acknowledgement of those during which the server was killed."""
    kills = [event["t"] for event in events if event["kind"] == "killed"]
    invoked = {event["id"]: event["t"] for event in events if event["kind"] == "invoked"}
    acknowledged = ((invoked[e["id"]], e["t"]) for e in events if e["kind"] == "acknowledged")
    return max((b - a for a, b in acknowledged if any(a < kill < b for kill in kills)), default=0.0)


def write_table(report: Report) -> str:
    """What a person reads."""
    lines = [f"{value:>8g}  {name}" for name, value in report.facts.items()]
    lines.append("")
    lines += [
        f"{len(found):>8}  {kind.replace('_', ' ')}: {KINDS[kind]}"
        for kind, found in report.violations.items()
    ]
    for kind, found in report.violations.items():
        lines += [f"          {kind}: {sentence}" for sentence in found[:5]]
    return "\n".join(lines)
