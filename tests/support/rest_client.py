"""Clients of the REST channel: one that POSTs as Rasa's documentation says, one that reads a stream."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import aiohttp

from tests.support.waiting import eventually


@dataclass
class Reply:
    """One answer: status, headers, and the JSON in it (None where it is none)."""

    status: int
    headers: Any
    body: Any
    text: str = ""

    @property
    def lines(self) -> list[str]:
        """Of a streamed answer."""
        return self.text.splitlines()

    @property
    def texts(self) -> list[str]:
        return [message.get("text", "") for message in self.body]

    @property
    def texts_of_messages(self) -> list[str]:
        """Of a poll."""
        return [message.get("text", "") for message in self.body["messages"]]

    @property
    def state(self) -> str:
        return self.headers["X-Handoff-State"]


class RestClient:
    """Knows `sender` and `message`; keeps what it was told, as a client would that shows it."""

    channel = "rest"

    def __init__(self, url: str, sender: str | None = None, *, token: str | None = None) -> None:
        self.url = url
        self.base = f"{url}/webhooks/rest"
        self.session_id = sender or f"customer-{uuid4().hex[:8]}"
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.heard: list[dict] = []

    async def post(self, body: Any, *, query: str = "", **headers: str) -> Reply:
        data = body if isinstance(body, bytes) else json.dumps(body)
        return await self.request("POST", f"/webhook{query}", data=data, headers=headers)

    async def get(self, path: str, **headers: str) -> Reply:
        return await self.request("GET", path, headers=headers)

    async def request(self, method: str, path: str, *, headers: dict | None = None, **more) -> Reply:
        async with (
            aiohttp.ClientSession(headers=self.headers) as session,
            session.request(method, self.base + path, headers=headers, **more) as response,
        ):
            text = await response.text()
        with suppress(ValueError):
            return Reply(response.status, response.headers, json.loads(text), text)
        return Reply(response.status, response.headers, None, text)

    async def send_file(
        self, data: bytes, name: str = "shot.png", content_type: str = "", sender: str | None = None
    ) -> Reply:
        """The bytes only; a message has to name them."""
        headers = {
            "X-File-Name": quote(name),
            "Content-Type": content_type or "application/octet-stream",
        }
        whose = quote(sender or self.session_id, safe="")
        return await self.request(
            "POST", f"/conversations/{whose}/files", data=io.BytesIO(data), headers=headers
        )

    async def say(self, text: str, **more) -> Reply:
        reply = await self.post({"sender": self.session_id, "message": text, **more})
        assert reply.status == 200, reply.body
        self.heard += reply.body
        return reply

    async def poll(self, after: int | None = None, wait: float = 0) -> Reply:
        place = "" if after is None else f"&after={after}"
        return await self.get(f"{self.conversation}/events?wait={wait}{place}")

    async def expect(self, text: str, within: float = 30.0) -> dict:
        """Where a test only has to know that something was said: look at all of it, without a trace."""

        async def find() -> dict | None:
            said = await self.said()
            return next((m for m in said if text in (m.get("text") or "")), None)

        return await eventually(find, within=within)

    async def said(self) -> list[dict]:
        return (await self.poll(after=0)).body["messages"]

    @property
    def conversation(self) -> str:
        return f"/conversations/{quote(self.session_id, safe='')}"

    @property
    def texts(self) -> list[str]:
        return [message.get("text", "") for message in self.heard]

    @asynccontextmanager
    async def stream(self, last: int | None = None) -> AsyncIterator[EventStream]:
        headers = {"Accept": "text/event-stream", **({} if last is None else {"Last-Event-ID": str(last)})}
        async with (
            aiohttp.ClientSession(headers=self.headers) as session,
            session.get(f"{self.base}{self.conversation}/events", headers=headers) as response,
        ):
            assert response.status == 200, await response.text()
            stream = EventStream(response.headers)
            reading = asyncio.create_task(stream.read(response))
            try:
                yield stream
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)


@dataclass
class EventStream:
    """What a stream has brought: events as (name, data, id), and comments."""

    headers: Any
    events: list[tuple[str, dict, str | None]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    is_over: bool = False

    async def read(self, response: aiohttp.ClientResponse) -> None:
        fields: dict[str, str] = {}
        async for raw in response.content:
            line = raw.decode().rstrip("\n")
            if line.startswith(":"):
                self.comments.append(line)
            elif line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                self.events.append((fields["event"], json.loads(fields["data"]), fields.get("id")))
                fields = {}
        self.is_over = True

    @property
    def texts(self) -> list[str]:
        return [data.get("text", "") for name, data, _ in self.events if name == "message"]

    @property
    def last(self) -> int:
        """The number to go on after."""
        return max(int(number) for _, _, number in self.events if number)

    def named(self, name: str) -> list[dict]:
        return [data for kind, data, _ in self.events if kind == name]

    async def expect(self, text: str, within: float = 30.0) -> None:
        await eventually(lambda: any(text in said for said in self.texts), within=within)
