"""How long each state may last, and how often a desk that does not call back is asked."""

from __future__ import annotations

from dataclasses import dataclass

from handoff.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Limits in seconds; see the table of states in ``docs/architecture.md``."""

    requested: float = 30
    queued: float = 600
    ending: float = 10
    delivery: float = 60
    queue_reminder: float = 120
    agent_silence: float = 600
    poll: float = 2
    poll_idle: float = 10

    @property
    def agent_idle(self) -> float:
        """After two reminders nobody is expected to answer any more."""
        return 3 * self.agent_silence

    @classmethod
    def from_settings(cls, settings: Settings) -> Timeouts:
        return cls(
            requested=settings.handoff_requested_timeout,
            queued=settings.handoff_queued_timeout,
            ending=settings.handoff_ending_timeout,
            delivery=settings.handoff_delivery_deadline,
            queue_reminder=settings.handoff_queue_reminder,
            agent_silence=settings.handoff_agent_silence,
            poll=settings.handoff_poll_interval,
            poll_idle=settings.handoff_poll_idle_interval,
        )
