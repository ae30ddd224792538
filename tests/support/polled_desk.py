"""A desk in memory that is asked instead of calling back."""

from __future__ import annotations

from collections import defaultdict

from handoff.desk import DeskEvent, Fetched
from handoff.handoff import Handoff
from tests.support.scripted_desk import ScriptedDesk


class ScriptedPolledDesk(ScriptedDesk):
    """Implements ``PolledDesk`` too: its cursor is the number of batches of news that were fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.fetches: list[str] = []  # handoff ids, failed ones too
        self._news: defaultdict[str, list[tuple[DeskEvent, ...]]] = defaultdict(list)

    def tell(self, handoff: Handoff, *events: DeskEvent) -> None:
        """One batch of news about a handoff."""
        self._news[handoff.id].append(events)

    async def fetch(self, handoff: Handoff) -> Fetched:
        self.fetches.append(handoff.id)
        read = int(handoff.cursor or 0)
        news = self._news[handoff.id][read:]
        await self._meet("fetch")
        cursor = str(read + len(news)) if news else handoff.cursor
        return Fetched(events=tuple(event for batch in news for event in batch), cursor=cursor)
