"""The open sockets of the web chat, and which conversation each of them shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from channels.sessions import Holder


@dataclass
class Browser:
    """One open socket. ``is_ours`` tells our widget, which numbers what it has shown, from stock ones."""

    holder: Holder | None = None
    conversation: str | None = None
    room: str = ""
    is_ours: bool = False


class Browsers:
    """Open sockets by their Socket.IO id."""

    def __init__(self) -> None:
        self._browsers: dict[str, Browser] = {}
        self._watching: Counter[str] = Counter()
        self._rooms: Counter[str] = Counter()
        self._own_words: dict[str, int] = {}
        self._shown: dict[str, int] = {}

    def add(self, sid: str, holder: Holder | None) -> None:
        self._browsers[sid] = Browser(holder=holder)

    def find(self, sid: str) -> Browser | None:
        return self._browsers.get(sid)

    def remove(self, sid: str) -> None:
        if browser := self._browsers.pop(sid, None):
            self.turn_away(browser)

    def turn_to(self, browser: Browser, conversation: str) -> None:
        """Let a socket show a conversation."""
        self.turn_away(browser)
        browser.conversation = conversation
        browser.room = room_of(conversation, is_ours=browser.is_ours)
        self._watching[conversation] += 1
        self._rooms[browser.room] += 1

    def turn_away(self, browser: Browser) -> None:
        """Let a socket show nothing."""
        if browser.conversation is None:
            return
        self._rooms[browser.room] -= 1
        if not self._rooms[browser.room]:
            del self._rooms[browser.room]
        self._watching[browser.conversation] -= 1
        if not self._watching[browser.conversation]:
            del self._watching[browser.conversation]
            self._shown.pop(browser.conversation, None)
        if not self.are_several(browser.conversation):
            self._own_words.pop(browser.conversation, None)
        browser.conversation = None

    def are_watching(self, conversation: str) -> bool:
        """Whether any socket shows the conversation."""
        return conversation in self._watching

    def are_in(self, room: str) -> bool:
        """Whether any socket is in a room of ``room_of``."""
        return room in self._rooms

    def count(self, conversation: str) -> int:
        """How many sockets show the conversation."""
        return self._watching[conversation]

    def watched(self) -> Collection[str]:
        """The conversations that sockets show."""
        return self._watching.keys()

    def note_shown(self, conversation: str, seq: int) -> None:
        """Every socket here has been shown it up to this number, or has got what it missed."""
        if conversation in self._watching:
            self._shown[conversation] = max(seq, self._shown.get(conversation, 0))

    def shown_upto(self, conversation: str) -> int | None:
        """That number; None where no socket shows the conversation."""
        return self._shown.get(conversation)

    def are_several(self, conversation: str) -> bool:
        """Whether more than one socket shows the conversation."""
        return self._watching[conversation] > 1

    def note_own_words(self, conversation: str, seq: int) -> None:
        """What the requester wrote up to this number stands on every screen."""
        self._own_words[conversation] = max(seq, self._own_words.get(conversation, 0))

    def own_words_since(self, conversation: str) -> int | None:
        """That number; None unless several sockets show the conversation."""
        return self._own_words.get(conversation)

    @property
    def sids(self) -> list[str]:
        return list(self._browsers)


def room_of(conversation: str, *, is_ours: bool) -> str:
    """The Socket.IO room of a conversation, apart for our widget and for stock ones."""
    return f"{'ours' if is_ours else 'stock'}:{conversation}"
