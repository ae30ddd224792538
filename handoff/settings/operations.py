"""For those who run it: probes, metrics, and an end without haste."""

from __future__ import annotations

from pydantic import Field

from handoff.settings.group import Group


class OperationsSettings(Group):
    """What `channels/operations.py` serves, and how long an end may take."""

    # Seconds; 0 cuts the turns of the bot that are under way, which are then repeated after the start.
    handoff_drain_timeout: float = Field(default=10, ge=0, le=600)

    # Whether the bot's turns run in a thread of their own, beside the words of live agents.
    handoff_turn_thread: bool = True
