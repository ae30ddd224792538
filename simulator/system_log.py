"""The instance's system log: the only place that says why a request was answered 200 and ignored."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from simulator.changes import Changes

KEPT = 2000
logger = logging.getLogger("simulator.system_log")


@dataclass(frozen=True)
class LogEntry:
    """One line. `user_id` is empty where the request did not say whose it is."""

    time: datetime
    message: str
    user_id: str = ""
    source: str = "sn_va_as_service"


class SystemLog:
    """The newest 2000 lines, oldest first. Neither tokens nor message texts are written to it."""

    def __init__(self, changes: Changes, now: Callable[[], datetime]) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=KEPT)
        self._changes = changes
        self._now = now

    @property
    def entries(self) -> list[LogEntry]:
        return list(self._entries)

    def write(self, message: str, user_id: str = "") -> None:
        self._entries.append(LogEntry(self._now(), message, user_id))
        logger.info("%s %s", user_id, message)
        self._changes.tell()

    def clear(self) -> None:
        self._entries.clear()
