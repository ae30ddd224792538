"""Links to files, signed and for a while: who has one may read one file, for one purpose."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum

from handoff.files.file import File
from handoff.handoff import Clock

PATH = "/files/"


class Purpose(StrEnum):
    """``DESK``: the desk fetches it. ``VIEW``: the requester looks at it."""

    DESK = "desk"
    VIEW = "view"


@dataclass(frozen=True, repr=False)
class Links:
    """Writes links, and says whether one holds; ``base`` is our public address, lifetimes are in seconds."""

    key: bytes
    base: str
    clock: Clock
    desk_lifetime: float = 300
    view_lifetime: float = 12 * 3600

    def write(self, file: File, purpose: Purpose) -> str:
        """A link's path and query."""
        expires = self._expire(purpose)
        signature = self._sign(file, purpose, expires)
        return f"{PATH}{file.id}?for={purpose}&expires={expires}&signature={signature}"

    def write_whole(self, file: File, purpose: Purpose) -> str:
        """A link for who is elsewhere."""
        return self.base + self.write(file, purpose)

    def holds(self, file: File, purpose: str, expires: str, signature: str) -> bool:
        """Whether a link was written by us for this file, and its time is not over."""
        expected = self._sign(file, purpose, expires)
        is_ours = hmac.compare_digest(expected.encode(), signature.encode(errors="replace"))
        return is_ours and int(expires) > self.clock().timestamp()

    def _expire(self, purpose: Purpose) -> int:
        """The requester's links change rarely, so that a browser need not load a picture again."""
        now = self.clock().timestamp()
        if purpose is Purpose.DESK:
            return int(now + self.desk_lifetime)
        return (int(now // self.view_lifetime) + 2) * int(self.view_lifetime)

    def _sign(self, file: File, purpose: str, expires: int | str) -> str:
        """The conversation is part of it, so a link is good for its own session's file only."""
        words = "\n".join((purpose, file.id, file.conversation, str(expires)))
        digest = hmac.digest(self.key, words.encode(errors="replace"), hashlib.sha256)
        return urlsafe_b64encode(digest).decode().rstrip("=")

    def __repr__(self) -> str:
        return f"Links({self.base!r})"
