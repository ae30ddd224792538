"""What is asked for, one line per goal; every measurement belongs to one of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What the measured figure is."""

    RATIO = "ratio"  # ours by the other's, of the same round
    SECONDS = "seconds"
    COUNT = "count"


@dataclass(frozen=True)
class Goal:
    """``limit`` may not be exceeded; where ``at_least``, it has to be reached."""

    key: str
    title: str
    limit: float
    kind: Kind = Kind.RATIO
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


def _latency(load: str, title: str, median: float) -> list[Goal]:
    return [
        Goal(f"latency.{load}.{way}.{figure}", f"{name}, {title}: {figure}", limit)
        for way, name in (("to_browser", "agent → browser"), ("to_desk", "user → desk"))
        for figure, limit in (("median", median), ("p99", 2.0))
    ]


def _throughput(ledger: str, title: str, limit: float) -> list[Goal]:
    return [
        Goal(f"throughput.{ledger}.{way}", f"saturation, {title}, {name}", limit, at_least=True)
        for way, name in (("to_browser", "agent → browser"), ("to_desk", "user → desk"))
    ]


GOALS = (
    *_latency("one", "one session", 1.3),
    *_latency("pace", "200 msg/s over 200 sessions", 1.5),
    *_throughput("sqlite", "SQLite", 0.8),
    *_throughput("postgresql", "PostgreSQL", 0.6),
    Goal("growth.messages", "cost with 100,000 messages in the conversation, by that with 10", 1.1),
    Goal("growth.handoffs", "cost with 10,000 open handoffs, by that with 10", 1.1),
    Goal("growth.tracker", "cost with a tracker of 1,000 events, by that with 10", 1.1),
    Goal("idle.memory", "memory per idle handoff session, of 10,000", 1.25),
    Goal("idle.reconnect", "all 10,000 back after a restart", 30.0, Kind.SECONDS),
    Goal("idle.lost", "messages lost in it", 0, Kind.COUNT),
    Goal("missed.hundred", "100 missed messages shown after a reconnect", 5.0),
    Goal("turns.p99", "agent → browser with 5 bot turns/s in the same process: p99", 0.025, Kind.SECONDS),
    Goal(
        "original.cost.new",
        "processor time of the original design, by a diverted message's, in a new conversation",
        100.0,
        at_least=True,
    ),
    Goal("original.cost.long", "the same after 1,000 events", 100.0, at_least=True),
    Goal(
        "original.shown", "until the agent's answer is shown, the requester being silent", 0.1, Kind.SECONDS
    ),
    Goal("start.run", "make run to the first usable page, by the import of Rasa", 1.3),
    Goal("start.cli", "the operator CLI answers", 0.5, Kind.SECONDS),
    Goal("start.without_rasa", "of CLI, action server and simulator: those that import Rasa", 0, Kind.COUNT),
)
BY_KEY = {goal.key: goal for goal in GOALS}
SUBJECTS = tuple(dict.fromkeys(goal.key.partition(".")[0] for goal in GOALS))
