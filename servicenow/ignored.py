"""What callbacks held that nothing could be made of, counted by type."""

from __future__ import annotations

import re
from collections import Counter

import structlog

from handoff.instruments import IGNORED
from handoff.measures import SILENT, Measures

log = structlog.get_logger(__name__)

KIND_LIMIT = 100  # different types; the instance, or its administrator's script, makes them up
OTHER = "other"
TYPE = re.compile(r"[A-Za-z]{1,40}")  # anything else is no name of a type, but words


class IgnoredItems:
    """Counts items by ``uiType`` or ``actionType``, for metrics; never what they held."""

    def __init__(self, measures: Measures = SILENT) -> None:
        self._measures = measures
        self.counts: Counter[str] = Counter()

    def add(self, kind: object) -> None:
        name = str(kind)[:80]
        if name not in self.counts and len(self.counts) >= KIND_LIMIT:
            name = OTHER
        self.counts[name] += 1
        self._measures.count(IGNORED, name if TYPE.fullmatch(name) else OTHER)
        if self.counts[name] == 1:
            log.warning("callback.item_ignored", kind=name)
        else:
            log.info("callback.item_ignored", kind=name)


ignored_items = IgnoredItems()  # of this process
