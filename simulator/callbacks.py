"""Sends callbacks: in order per user, unsigned, to the one configured URL (reference sections 6, 7, 11)."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from yarl import URL

from simulator.changes import Changes
from simulator.chat import JSON, Chat
from simulator.credentials import encode_basic, reveal
from simulator.envelope import minified
from simulator.journal import Journal
from simulator.settings import SimulatorSettings


@dataclass(frozen=True)
class Callback:
    """One POST to make. `released` is set once the request it answers has had its own answer."""

    chat: Chat | None
    body: JSON
    released: asyncio.Event | None = None


class Callbacks:
    """One queue and one worker per user; a worker ends when its queue is empty.

    `abandon(chat, status)` is called when the client answers 5xx: the instance then closes the
    interaction (KB2701890). Answers in the 400s count as delivered, as before PRB1913443. Nothing is
    retried; a refused connection or a timeout is logged and that is all (unverified what else happens).
    """

    def __init__(
        self,
        settings: SimulatorSettings,
        journal: Journal,
        changes: Changes,
        abandon: Callable[[Chat, int], None],
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._changes = changes
        self._abandon = abandon
        self._queues: dict[str, list[Callback]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    @property
    def pending(self) -> int:
        """Return how many callbacks are not sent and answered yet."""
        return sum(len(queue) for queue in self._queues.values())

    def start(self) -> None:
        """Open the HTTP session; call it inside the running event loop, and `stop` before starting again."""
        if self._session:
            raise RuntimeError("this simulator is serving already")
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers=("User-Agent",), trust_env=False
        )

    async def stop(self) -> None:
        """Drop what is not sent yet and close the session."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._queues.clear()
        if self._session:
            await self._session.close()
            self._session = None

    def send(self, user_id: str, callback: Callback) -> None:
        """Queue a callback behind the user's earlier ones; while nothing is served it is dropped."""
        if self._session is None:
            return
        queue = self._queues.setdefault(user_id, [])
        queue.append(callback)
        if len(queue) == 1:
            worker = asyncio.get_running_loop().create_task(self._work(user_id, self._session))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    def forget(self, chat: Chat) -> None:
        """Drop the callbacks of an abandoned chat that are still waiting."""
        queue = self._queues.get(chat.user_id, [])
        queue[1:] = [callback for callback in queue[1:] if callback.chat is not chat]

    async def _work(self, user_id: str, session: aiohttp.ClientSession) -> None:
        queue = self._queues[user_id]
        while queue:
            if queue[0].released:
                await queue[0].released.wait()
            await self._deliver(session, queue[0])
            del queue[0]
            self._changes.tell()
        del self._queues[user_id]

    async def _deliver(self, session: aiohttp.ClientSession, callback: Callback) -> None:
        url = URL(self._settings.callback_url, encoded=True)
        headers = self._headers()
        extra = self._settings.callback_headers
        exchange = self._journal.callback(url, headers, callback.body, extra)
        started = time.monotonic()
        status, note = await self._post(session, url, headers, exchange_body=callback.body)
        self._journal.answered(exchange, status, time.monotonic() - started, note)
        if status is not None and status >= 500 and callback.chat:
            self._abandon(callback.chat, status)

    async def _post(
        self, session: aiohttp.ClientSession, url: URL, headers: dict[str, str], exchange_body: JSON
    ) -> tuple[int | None, str]:
        timeout = aiohttp.ClientTimeout(
            total=None,
            connect=self._settings.callback_connect_timeout,
            sock_read=self._settings.callback_read_timeout,
        )
        try:
            async with session.post(
                url, data=minified(exchange_body), headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                return response.status, ""
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            return None, f"{type(error).__name__}: {error}"

    def _headers(self) -> dict[str, str]:
        settings = self._settings
        headers = {
            "User-Agent": "ServiceNow/1.0",
            "Content-Type": settings.callback_content_type,
            "Accept": "application/json",
            **settings.callback_headers,
        }
        if settings.callback_secret:
            headers["x-handoff-secret"] = reveal(settings.callback_secret)
        if settings.callback_username is not None:
            password = reveal(settings.callback_password)
            headers["Authorization"] = encode_basic(settings.callback_username, password)
        return headers
