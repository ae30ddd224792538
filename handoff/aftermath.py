"""What a process that is gone may have left undone, by what the ledger says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from handoff.handoff import Handoff, State

LATELY = timedelta(minutes=2)  # what changed earlier had been shown and mirrored before the process ended


def changed_lately(unfinished: Sequence[Handoff]) -> list[Handoff]:
    """Open handoffs whose last change may not have been followed; by the last change of all of them.

    A chat that is live and rests has nothing to catch up with, and there may be thousands.
    """
    last = max(map(_last_change, unfinished), default=None)
    return [each for each in unfinished if last and each.is_open and not _rests(each, last - LATELY)]


def _rests(handoff: Handoff, since: datetime) -> bool:
    """Only of a live one every change moves a time."""
    return handoff.state is State.LIVE and _last_change(handoff) < since


def _last_change(handoff: Handoff) -> datetime:
    return max(handoff.last_updated, handoff.live_since or handoff.opened_at)
