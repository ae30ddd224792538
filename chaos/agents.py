"""The live agents: they accept, answer each text with words of their own, sometimes end or stay away."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import aiohttp

from chaos.history import History
from chaos.requester import PLEASE_END

SAID = re.compile(r"says \d+ to \w+")
IDLE = 4.0  # seconds until a live agent says something unasked
LIMIT = 2**26  # bytes of one line of the stream of events


class Agents:
    """Everybody at the desk, over the simulator's control calls."""

    def __init__(
        self, url: str, conversations: Mapping[str, str], chance: random.Random, history: History
    ) -> None:
        self._url = url
        self._conversations = conversations  # by the desk's name of the requester
        self._chance = chance
        self._history = history
        self._lines: dict[str, int] = {}  # lines of each chat that were looked at
        self._at: dict[str, float] = {}
        self._chats: dict[str, dict[str, Any]] = {}
        self._count = 0
        self._callbacks: set[tuple[str, str]] = set()
        self.stays_away = True

    async def work(self) -> None:
        """Follow the simulator's events, until cancelled."""
        async with aiohttp.ClientSession(read_bufsize=LIMIT, timeout=aiohttp.ClientTimeout()) as http:
            idling = asyncio.create_task(self._idle(http))
            try:
                async with http.get(f"{self._url}/simulator/events") as stream:
                    async for line in stream.content:
                        if line.startswith(b"data: "):
                            for chat in json.loads(line[6:])["chats"]:
                                await self._look(http, chat)
            finally:
                idling.cancel()

    async def note_callbacks(self) -> None:
        """Put into the history which words were called back, and how that was answered."""
        async with aiohttp.ClientSession() as http, http.get(f"{self._url}/simulator/callbacks") as answer:
            exchanges = (await answer.json())["callbacks"]
        for exchange in exchanges:
            body = json.dumps(exchange["body"])
            if exchange["status"] is None or (exchange["time"], body) in self._callbacks:
                continue
            self._callbacks.add((exchange["time"], body))
            for text in dict.fromkeys(SAID.findall(body)):
                self._history.add("callback", text=text, status=exchange["status"], time=exchange["time"])

    async def _look(self, http: aiohttp.ClientSession, chat: dict[str, Any]) -> None:
        self._chats[chat["id"]] = chat
        if chat["state"] == "QUEUED" and chat["id"] not in self._at:
            self._at[chat["id"]] = time.monotonic()
            if not (self.stays_away and self._chance.random() < 0.05):
                await self._call(http, chat, "accept", agent=f"Agent {len(self._at)}")
        new = chat["transcript"][self._lines.get(chat["id"], 0) :]
        self._lines[chat["id"]] = len(chat["transcript"])
        written = [line for line in new if line["sender"] == "requester"]
        heard = [line["text"] for line in written]
        # Without a live agent it is the desk's own bot that hears, as after the live agent has left.
        kind = "desk_saw" if chat["queued_at"] or chat["was_surveyed"] else "strayed"
        name = self._conversations.get(chat["user_id"])
        for line in written:
            first = chat["was_surveyed"] and not (chat["accepted_at"] and line["time"] >= chat["accepted_at"])
            self._history.add(kind, conversation=name, chat=chat["id"], text=line["text"], first=first)
        if chat["state"] == "LIVE":
            await self._answer(http, chat, heard)

    async def _answer(self, http: aiohttp.ClientSession, chat: dict[str, Any], heard: list[str]) -> None:
        for _ in heard:
            await self._say(http, chat)
        if any(text.startswith(PLEASE_END) for text in heard) or (heard and self._chance.random() < 0.04):
            await self._call(http, chat, "end")

    async def _idle(self, http: aiohttp.ClientSession) -> None:
        """A chat in which nothing happens is spoken to: its handoff may have been forgotten by us."""
        while True:
            await asyncio.sleep(1)
            for chat in list(self._chats.values()):
                idle = time.monotonic() - self._at.get(chat["id"], 0) > IDLE
                if chat["state"] == "LIVE" and idle:
                    await self._say(http, chat)
                elif chat["state"] == "QUEUED" and idle and not self.stays_away:
                    await self._call(http, chat, "accept", agent="Late Agent")

    async def _say(self, http: aiohttp.ClientSession, chat: dict[str, Any]) -> None:
        self._count += 1
        self._at[chat["id"]] = time.monotonic()
        conversation = self._conversations.get(chat["user_id"])
        text = f"says {self._count} to {str(conversation)[:8]}"
        answer = await self._call(http, chat, "say", text=text)
        if answer:
            self._history.add("agent_said", conversation=conversation, id=answer["message_id"], text=text)

    async def _call(
        self, http: aiohttp.ClientSession, chat: dict[str, Any], what: str, **about: Any
    ) -> dict[str, Any] | None:
        """None where the chat is not in the right state any more."""
        with suppress(aiohttp.ClientError, TimeoutError):
            url = f"{self._url}/simulator/chats/{chat['id']}/{what}"
            async with http.post(url, json=about) as answer:
                return dict(await answer.json()) if answer.status == 200 else None
        return None
