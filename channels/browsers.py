"""The open sockets of the web chat, and which conversation each of them shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass
class Browser:
    """One open socket. ``is_ours`` tells our widget, which numbers what it has shown, from stock ones."""

    subject: str | None = None
    conversation: str | None = None
    is_ours: bool = False


class Browsers:
    """Open sockets by their Socket.IO id."""

    def __init__(self) -> None:
        self._browsers: dict[str, Browser] = {}
        self._watching: Counter[str] = Counter()

    def add(self, sid: str, subject: str | None) -> None:
        self._browsers[sid] = Browser(subject=subject)

    def find(self, sid: str) -> Browser | None:
        return self._browsers.get(sid)

    def remove(self, sid: str) -> None:
        if browser := self._browsers.pop(sid, None):
            self.turn_away(browser)

    def turn_to(self, browser: Browser, conversation: str) -> None:
        """Let a socket show a conversation."""
        self.turn_away(browser)
        browser.conversation = conversation
        self._watching[conversation] += 1

    def turn_away(self, browser: Browser) -> None:
        """Let a socket show nothing."""
        if browser.conversation is None:
            return
        self._watching[browser.conversation] -= 1
        if not self._watching[browser.conversation]:
            del self._watching[browser.conversation]
        browser.conversation = None

    def are_watching(self, conversation: str) -> bool:
        """Whether any socket shows the conversation."""
        return conversation in self._watching

    def is_alone(self, conversation: str) -> bool:
        """Whether a single socket shows the conversation."""
        return self._watching[conversation] == 1

    @property
    def sids(self) -> list[str]:
        return list(self._browsers)


def room_of(conversation: str, *, is_ours: bool) -> str:
    """The Socket.IO room of a conversation, apart for our widget and for stock ones."""
    return f"{'ours' if is_ours else 'stock'}:{conversation}"
