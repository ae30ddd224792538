"""How much one sender may do; who does more is told, and what was acknowledged is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from handoff.settings.group import Group

PerMinute = Annotated[int, Field(ge=0, le=1_000_000)]


class LimitSettings(Group):
    """Limits of one process; 0 is no limit."""

    handoff_sender_limit: PerMinute = 120
    handoff_socket_limit: Annotated[int, Field(ge=0, le=100_000)] = 20
