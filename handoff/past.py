"""A handoff as it looks from later on."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Past(NamedTuple):
    """A handoff, as a tally looks at it."""

    id: str
    opened_at: datetime
    joined_at: datetime | None
    first_answer_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None
    channel: str
    rating: int | None = None
