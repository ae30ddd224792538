"""The history of a run: one JSON object per line, in the order in which it was written.

Every process of a run uses the same monotonic clock, so times of different files compare.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class History:
    """Appends events to a file; what was appended survives a SIGKILL of the process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def add(self, kind: str, **about: Any) -> None:
        event = {"t": round(time.monotonic(), 6), "kind": kind, **about}
        os.write(self._file, (json.dumps(event) + "\n").encode())

    def close(self) -> None:
        os.close(self._file)


def read_events(paths: Iterable[Path]) -> list[Event]:
    """The events of several files, by time."""
    events: list[Event] = []
    for path in paths:
        if path.exists():
            events += [json.loads(line) for line in path.read_text().splitlines() if line]
    return sorted(events, key=lambda event: event["t"])
