"""Files, kept in memory: uploaded by clients, downloaded from them, sent by live agents (section 9)."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from simulator.chat import File, new_id
from simulator.clock import Clock
from simulator.errors import ApiError
from simulator.settings import SimulatorSettings

PATH = "/api/now/v1/cs/media/"
TOTAL = 64 * 1024 * 1024  # bytes; beyond that the oldest files are forgotten
# The harmless file every virus scanner must find.
_TEST_VIRUS = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"


@dataclass(frozen=True)
class Medium:
    """A stored file; `attachment_id` is the sys_id of its sys_attachment record."""

    file: File
    data: bytes
    attachment_id: str


class Media:
    """The files by the last part of their path, which nobody can guess. `scanned` is called after a scan."""

    def __init__(self, settings: SimulatorSettings, clock: Clock, scanned: Callable[[File], None]) -> None:
        self._settings = settings
        self._clock = clock
        self._scanned = scanned
        self._media: dict[str, Medium] = {}

    def add(self, name: str, content_type: str, data: bytes) -> Medium:
        """Store a file, which is pending until it is scanned; raises `ApiError` 413 if it is too large."""
        if len(data) > self._settings.attachment_limit:
            raise ApiError(413, "Payload Too Large", f"{name} has more than the allowed bytes")
        token = secrets.token_hex(32)
        medium = Medium(File(name, content_type, len(data), PATH + token), data, new_id())
        self._media[token] = medium
        self._forget_oldest()
        at = self._clock.now() + timedelta(seconds=self._settings.media_scan)
        self._clock.set_alarm(at, lambda: self._scan(medium))
        return medium

    def find(self, path: str) -> Medium | None:
        """Return the file with this path or URL."""
        return self._media.get(path.partition(PATH)[2])

    def clear(self) -> None:
        self._media.clear()

    def _scan(self, medium: Medium) -> None:
        medium.file.state = "not available" if _TEST_VIRUS in medium.data else "available"
        self._scanned(medium.file)

    def _forget_oldest(self) -> None:
        while len(self._media) > 1 and sum(len(one.data) for one in self._media.values()) > TOTAL:
            del self._media[next(iter(self._media))]
