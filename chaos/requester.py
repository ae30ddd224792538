"""A requester: talks to the bot, asks for a live agent, talks, leaves in one of three ways, again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from chaos.history import History
from chaos.tab import Tab

PLEASE_END = "please end"
ENDS = ("/end_chat", "/restart", PLEASE_END)
ROUNDS = 4  # of asking for the bot at the end


class Requester:
    """One conversation, in one tab or two."""

    def __init__(self, url: str, number: int, chance: random.Random, history: History) -> None:
        self.number = number
        self.conversation = str(UUID(int=chance.getrandbits(128), version=4))
        tabs = 2 if number % 3 == 0 else 1
        self.tabs = [Tab(url, self.conversation, f"{number}.{n}", history) for n in range(tabs)]
        self._chance = chance
        self._history = history
        self._count = 0

    async def play(self, until: float) -> None:
        """Cycles until a monotonic time."""
        while time.monotonic() < until:
            await self._talk_to_bot()
            await self._talk_to_agent(until)

    async def come_back(self, within: float) -> bool:
        """Leave whatever is open; whether the bot answers again."""
        deadline = time.monotonic() + within
        for _ in range(ROUNDS):
            self._say("/end_chat", is_command=True)
            text = self._talk("final")
            patience = min(within / ROUNDS, deadline - time.monotonic())
            if await self._until(lambda sought=f"echo: {text}": self._was_shown(sought), patience):  # type: ignore[misc]
                return True
        return False

    async def settle(self, within: float) -> bool:
        """Wait until everything was acknowledged, and each tab has what the others have."""
        return await self._until(self._is_settled, within)

    def _is_settled(self) -> bool:
        seen = [{m["id"] for m in tab.shown.values() if m["sender"] != "requester"} for tab in self.tabs]
        return not any(tab.has_unsent for tab in self.tabs) and all(ids == seen[0] for ids in seen)

    async def _talk_to_bot(self) -> None:
        last = ""
        for _ in range(self._chance.randint(1, 3)):
            last = self._talk("bot")
            await self._pause(0.1)
        await self._until(lambda: self._was_shown(f"echo: {last}"), 12)

    async def _talk_to_agent(self, until: float) -> None:
        asked = self._talk("agent")
        for _ in range(self._chance.randint(0, 2)):
            await self._pause(0.4)
            self._talk("early")
        await self._until(lambda: self._was_answered(asked) or self._is_live, 12)
        await self._until(lambda: self._is_live or time.monotonic() > until, 8)
        for _ in range(self._chance.randint(1, 5)):
            self._talk("live")
            await self._pause(0.3)
        exits = self._count_exits()
        end = self._chance.choice(ENDS)
        if end == PLEASE_END:
            self._talk(PLEASE_END)
        else:
            self._say(end, is_command=True)
        for _ in range(self._chance.randint(0, 2)):
            await self._pause(0.05)
            self._talk("gap")
        if not await self._until(lambda: self._count_exits() > exits, 8):
            self._say("/end_chat", is_command=True)
            await self._until(lambda: self._count_exits() > exits, 8)

    @property
    def _is_live(self) -> bool:
        return any(tab.is_live for tab in self.tabs)

    def _talk(self, about: str) -> str:
        self._count += 1
        text = f"{about} c{self.number} m{self._count}"
        self._say(text)
        return text

    def _say(self, text: str, *, is_command: bool = False) -> None:
        self._chance.choice(self.tabs).say(text, is_command=is_command)

    def _was_shown(self, text: str) -> bool:
        return any(tab.find(lambda message: message["text"] == text) for tab in self.tabs)

    def _was_answered(self, asked: str) -> bool:
        def is_answer(message: dict[str, Any]) -> bool:
            text = str(message["text"])
            return text.startswith("opening: ") and text.endswith(f" {asked}")

        return any(tab.find(is_answer) for tab in self.tabs)

    def _count_exits(self) -> int:
        shown = (str(message["text"]) for message in self.tabs[0].shown.values())
        return sum(text.startswith(("exit: ", "restarted: ")) for text in shown)

    async def _pause(self, longest: float) -> None:
        await asyncio.sleep(self._chance.uniform(0, longest))

    async def _until(self, is_so: Callable[[], bool], within: float) -> bool:
        deadline = time.monotonic() + within
        while not is_so():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.02)
        return True
