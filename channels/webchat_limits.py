"""How much one browser may do: messages per session, events per socket, sockets per session."""

from __future__ import annotations

from dataclasses import dataclass, field

from handoff.flood import Buckets
from handoff.settings import Settings

EVENTS_PER_MESSAGE = 20  # joining, typing, and confirming what one is shown
LOGGED = 60  # refusals per minute that are worth a line in the log


@dataclass(frozen=True)
class WebChatLimits:
    """Limits of one process; ``sockets`` 0 is no limit."""

    words: Buckets
    events: Buckets
    sockets: int
    logged: Buckets = field(default_factory=lambda: Buckets(LOGGED))

    @classmethod
    def from_settings(cls, settings: Settings) -> WebChatLimits:
        limit = settings.handoff_sender_limit
        return cls(Buckets(limit), Buckets(limit * EVENTS_PER_MESSAGE), settings.handoff_socket_limit)

    def is_crowded(self, present: int) -> bool:
        """Whether a session that so many sockets show already lets no other in."""
        return 0 < self.sockets <= present

    def is_worth_a_line(self) -> bool:
        """Whether one more refusal is to be logged."""
        return self.logged.spend("") is None
