"""What the doctor's checks of an instance share."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from handoff.handoff import Clock
from handoff.settings import Settings
from servicenow.http import Instance

HTTPS_PORT = 443
HTTP_PORT = 80


@dataclass
class Visit:
    """One examination: ``instance`` asks as we always do, ``session`` asks without credentials.

    ``date`` is the header ``Date`` of the instance's first answer, None until there was one.
    """

    settings: Settings
    instance: Instance
    session: aiohttp.ClientSession
    clock: Clock
    date: str | None = None

    @property
    def host(self) -> str:
        return urlsplit(self.settings.servicenow_url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.settings.servicenow_url)
        return parts.port or (HTTPS_PORT if self.is_encrypted else HTTP_PORT)

    @property
    def is_encrypted(self) -> bool:
        return urlsplit(self.settings.servicenow_url).scheme == "https"
