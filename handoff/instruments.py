"""Every metric, named once; ``docs/operations.md`` has the table that is made from them.

A label has few values, all of them known here: anything else counts as ``other``. None holds an id
or a word of anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from operator import add
from types import MappingProxyType

from handoff.handoff import OPEN_STATES, EndReason, State
from handoff.message import Sender
from handoff.verdict import Direction, Flaw, Verdict

OTHER = "other"
SECONDS = "s"

# Upper bounds in seconds: of what a machine does, and of what people do.
FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SLOW = (1, 5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600)


class Kind(StrEnum):
    """How a metric moves, in the words of Prometheus."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True, eq=False)
class Instrument:
    """One metric; its ``name`` is OpenTelemetry's, with dots.

    ``labels`` are the values that each may have, an empty tuple where the process finds them out (as the
    names of its channels); then there are at most ``MANY``. ``unit`` is OpenTelemetry's; ``merge`` makes one
    of two readings of a gauge that have the same labels.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = "1"
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    buckets: tuple[float, ...] = ()
    merge: Callable[[float, float], float] = add

    @property
    def page_name(self) -> str:
        """What Prometheus calls it, by OpenTelemetry's rule: with the unit, and ``_total`` if it counts."""
        name = self.name.replace(".", "_")
        if self.unit == SECONDS:
            name += "_seconds"
        return name + ("_total" if self.kind is Kind.COUNTER else "")


MANY = 50  # values of a label that the process finds out


def _counter(name: str, meaning: str, unit: str, **labels: tuple[str, ...]) -> Instrument:
    return Instrument(name, Kind.COUNTER, meaning, f"{{{unit}}}", labels)


def _timer(
    name: str, meaning: str, buckets: tuple[float, ...] = FAST, **labels: tuple[str, ...]
) -> Instrument:
    return Instrument(name, Kind.HISTOGRAM, meaning, SECONDS, labels, buckets)


def _gauge(
    name: str,
    meaning: str,
    unit: str = "1",
    merge: Callable[[float, float], float] = add,
    **labels: tuple[str, ...],
) -> Instrument:
    return Instrument(name, Kind.GAUGE, meaning, unit, labels, merge=merge)


OPEN = tuple(state.value for state in State if state in OPEN_STATES)
SENDERS = tuple(sender.value for sender in Sender)
PILES = ("bot", "desk", "requester")

# -- handoffs: what this process has done ---------------------------------------------

REQUESTED = _counter("handoff.requested", "Handoffs that were asked for.", "handoff")
ENDED = _counter(
    "handoff.ended", "Handoffs that have ended, by why.", "handoff", reason=tuple(r.value for r in EndReason)
)
TIME_TO_JOIN = _timer("handoff.time_to_join", "From asking for a live agent until the first joined.", SLOW)
WAIT_IN_VAIN = _timer("handoff.wait_in_vain", "From asking until an end that no live agent had joined.", SLOW)
TIME_TO_ANSWER = _timer(
    "handoff.time_to_first_answer", "From asking for a live agent until one said something.", SLOW
)

# -- messages ---------------------------------------------------------------------------

MESSAGES = _counter("handoff.messages", "Messages taken in, by who wrote them.", "message", sender=SENDERS)
DUPLICATES = _counter(
    "handoff.duplicates", "Repetitions that were recognised and dropped.", "message", sender=SENDERS
)
NOT_DELIVERED = _counter(
    "handoff.messages.not_delivered",
    "Messages of requesters that were given up; in doubt where the desk may have them.",
    "message",
    doubt=("yes", "no"),
)
TO_DESK = _timer(
    "handoff.relay.to_desk", "From taking in a requester's message in a live chat until the desk had it."
)
TO_REQUESTER = _timer(
    "handoff.relay.to_requester",
    "From taking in a live agent's message until it was pushed (shown), and until a browser of ours said "
    "that it shows it (confirmed). Only where the requester was there.",
    step=("shown", "confirmed"),
)

# -- the desk -----------------------------------------------------------------------------

DESK_FAILURES = _counter(
    "handoff.desk.failures",
    "Requests of the relay that the desk did not grant, each attempt, by what was asked and how it failed.",
    "request",
    operation=("open", "proceed", "send", "end", "fetch"),
    reason=("unavailable", "busy", "rejected"),
)
RETRIES = _counter(
    "handoff.desk.retries", "Attempts after the first one.", "attempt", operation=("send", "fetch")
)
DESK_REQUEST = _timer(
    "handoff.desk.request",
    "Time of one HTTP request to ServiceNow, by its outcome.",
    outcome=("ok", "busy", "rejected", "unavailable"),
)
RATE_LIMIT = _gauge(
    "handoff.rate_limit.limit", "Requests per hour that ServiceNow allows.", merge=max, api=()
)
RATE_LEFT = _gauge(
    "handoff.rate_limit.left", "Requests left of this hour, as far as this process knows.", merge=min, api=()
)
RATE_LOW = _gauge(
    "handoff.rate_limit.low", "1 where less than a fifth is left, or none may be sent.", merge=max, api=()
)
CALLBACKS = _counter(
    "handoff.callbacks",
    "Callbacks: taken in, of no handoff that we know, without our secret, or not to be read.",
    "request",
    outcome=("taken", "unresolved", "refused", "unreadable"),
)

IGNORED = _counter(
    "handoff.callbacks.ignored", "Items of callbacks that nothing could be made of, by type.", "item", kind=()
)

# -- the bot, clients, audits -------------------------------------------------------------

BOT_FAILURES = _counter(
    "handoff.bot.failures", "Turns and exit flows in which the bot failed.", "turn", work=("turn", "exit")
)
LETTERS = _counter(
    "handoff.letters",
    "Posts to a client's own address: taken, failed (tried again later), or given up (dead).",
    "message",
    outcome=("taken", "failed", "dead"),
)
AUDITS = _counter(
    "handoff.audits", "Chats that were audited.", "chat", verdict=tuple(v.value for v in Verdict)
)
DIFFERENCES = _counter(
    "handoff.audit.differences",
    "Messages that the desk's transcript and the ledger have otherwise.",
    "message",
    flaw=tuple(f.value for f in Flaw),
    direction=tuple(d.value for d in Direction),
)

# -- how things stand: of this process, then of the ledger, which is the same for all -------

SOCKETS = _gauge("handoff.sockets", "Browsers and clients that are connected to this process.", channel=())
READABLE = _gauge("handoff.ledger.readable", "1 where the last look at the ledger succeeded.")
OPEN_HANDOFFS = _gauge("handoff.open", "Open handoffs, in the whole ledger.", state=OPEN)
OPEN_OLDEST = _gauge("handoff.open.oldest", "Age of the oldest of them.", SECONDS, state=OPEN)
OVERDUE = _gauge("handoff.overdue", "Open handoffs whose deadline has passed, in the whole ledger.")
EXITS_OWED = _gauge("handoff.exits_owed", "Ended handoffs of which the requester has not been told.")
EXITS_OLDEST = _gauge("handoff.exits_owed.oldest", "Time since the end of the oldest of them.", SECONDS)
WAITING = _gauge(
    "handoff.messages.waiting",
    "Messages that wait for bot, desk or requester, in the whole ledger.",
    waits_for=PILES,
)
WAITING_OLDEST = _gauge(
    "handoff.messages.waiting.oldest", "Age of the oldest of them.", SECONDS, waits_for=PILES
)
DEAD_LETTERS = _gauge("handoff.letters.waiting_dead", "Dead letters that wait to be posted once more.")

ALL = tuple(one for one in list(globals().values()) if isinstance(one, Instrument))
