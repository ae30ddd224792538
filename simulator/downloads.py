"""The instance fetches what `message.attachment` points to (reference section 9).

Whatever it refuses, nobody but the system log is told.
"""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from simulator.chat import JSON, Chat, File, Sender
from simulator.errors import ApiError
from simulator.media import PATH, Media
from simulator.settings import SimulatorSettings
from simulator.system_log import SystemLog

CONTENT_TYPES = (
    "application/pdf",
    "application/msword",
    "image/png",
    "image/jpeg",
    "text/plain",
    "video/mpeg",
    "video/mp4",
)
TIMEOUT = aiohttp.ClientTimeout(total=60, connect=5)  # seconds
CHUNK = 64 * 1024  # bytes


class Refused(Exception):
    """An attachment is not taken; the text says why."""


class Downloads:
    """Fetches attachments one after another per request; `touch(chat)` announces what arrived."""

    def __init__(
        self, settings: SimulatorSettings, media: Media, log: SystemLog, touch: Callable[[Chat], None]
    ) -> None:
        self._settings = settings
        self._media = media
        self._log = log
        self._touch = touch
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def pending(self) -> int:
        """Return how many requests still have attachments to be fetched."""
        return len(self._tasks)

    def open(self) -> None:
        """Open the HTTP session, inside the running event loop."""
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)

    async def close(self) -> None:
        """Drop what is not fetched yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if session := self._session:
            self._session = None
            await session.close()

    def receive(self, chat: Chat, attachments: list[JSON]) -> None:
        """Fetch what a requester attached, and put it into the transcript once it is here."""
        if attachments and self._session:
            task = asyncio.get_running_loop().create_task(self._receive(chat, attachments))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _receive(self, chat: Chat, attachments: list[JSON]) -> None:
        for attachment in attachments:
            try:
                file = await self._fetch(attachment)
            except Refused as error:
                self._log.write(f"Attachment refused: {error}", chat.user_id)
            else:
                chat.add(Sender.REQUESTER, "").file = file
            self._touch(chat)

    async def _fetch(self, attachment: JSON) -> File:
        url, kind, name = (attachment.get(key) for key in ("url", "contentType", "fileName"))
        if not (isinstance(url, str) and isinstance(kind, str) and isinstance(name, str) and url and name):
            raise Refused("url, contentType and fileName are required")
        if kind.lower() not in CONTENT_TYPES:
            raise Refused(f"content type {kind} is not allowed")
        if PATH in url and (known := self._media.find(urlsplit(url).path)):
            return known.file
        self._require_trust(url)
        try:
            data = await self._download(URL(url, encoded=True), _headers(attachment))
            return self._media.add(name, kind, data).file
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, ApiError) as error:
            raise Refused(f"{type(error).__name__} while fetching {name}") from error

    def _require_trust(self, url: str) -> None:
        """Raise unless the host, or a domain above it, is among the trusted media domains."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        domains = [domain.lower() for domain in self._settings.trusted_media_domains]
        if parts.scheme not in ("http", "https"):
            raise Refused("only http and https are fetched")
        if not any(host == domain or host.endswith(f".{domain}") for domain in domains):
            raise Refused(f"{host} is not a trusted media domain")

    async def _download(self, url: URL, headers: dict[str, str]) -> bytes:
        """Return the file; with `download_range`, in pieces of so many bytes, as far as the server can."""
        step, data = self._settings.download_range, bytearray()
        while True:
            asked = headers | ({"Range": f"bytes={len(data)}-{len(data) + step - 1}"} if step else {})
            status, piece = await self._get(url, asked, len(data))
            data += piece
            if status != 206 or len(piece) < step:
                return bytes(data)

    async def _get(self, url: URL, headers: dict[str, str], before: int) -> tuple[int, bytes]:
        if self._session is None:
            raise Refused("the simulator is stopping")
        async with self._session.get(
            url, headers=headers, timeout=TIMEOUT, allow_redirects=False
        ) as response:
            if response.status == 416:
                return 416, b""
            if response.status not in (200, 206):
                raise Refused(f"the download was answered {response.status}")
            data = bytearray()
            async for chunk in response.content.iter_chunked(CHUNK):
                data += chunk
                if before + len(data) > self._settings.attachment_limit:
                    raise Refused("the file is too large")
            return response.status, bytes(data)


def _headers(attachment: JSON) -> dict[str, str]:
    headers = attachment.get("headers")
    return {str(name): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
