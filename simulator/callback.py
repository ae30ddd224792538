"""One callback on its way, and what its fault makes of it."""

import asyncio
from dataclasses import dataclass, field

from simulator.callback_faults import CallbackFault
from simulator.chat import JSON, Chat
from simulator.items import unknown_items
from simulator.profiles import PLAIN, Profile
from simulator.shapes import as_posts, split


@dataclass(eq=False)
class Callback:
    """One POST to make.

    `released` is set once the request it answers has had its own answer. `is_copy` marks the late copies of
    a duplicate, `swapped` what was reordered already. `followed` is set when another one waits behind it,
    `settled` when it was sent and answered, or dropped; `begun` says that its sending has begun. `url` is
    that of a further provider application.
    """

    chat: Chat | None
    body: JSON
    released: asyncio.Event | None = None
    fault: CallbackFault | None = None
    is_copy: bool = False
    swapped: bool = False
    profile: Profile = PLAIN
    url: str | None = None
    begun: bool = False
    followed: asyncio.Event = field(default_factory=asyncio.Event)
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def mode(self) -> str:
        """Return the fault that hit it, an empty string for none."""
        return self.fault.mode if self.fault else ""

    @property
    def posts(self) -> list[JSON]:
        """Return the bodies of the POSTs this callback is made of."""
        return [post for part in self._parts for post in as_posts(part, self.profile)]

    @property
    def _parts(self) -> list[JSON]:
        if self.mode == "unknown_items":
            return [{**self.body, "body": [*unknown_items(), *self.body["body"]]}]
        if self.mode == "split":
            return split(self.body)
        if self.fault and self.fault.copies:
            return [self.body] * self._copies_now(self.fault.copies)
        return [self.body]

    @property
    def late_copy(self) -> "Callback | None":
        """Return what is to be sent later, if this is a duplicate with late copies."""
        if self.mode != "duplicate" or self.is_copy or not (self.fault and self.fault.seconds):
            return None
        return Callback(
            self.chat, self.body, fault=self.fault, is_copy=True, profile=self.profile, url=self.url
        )

    async def until_released(self) -> None:
        """Wait for the answer to the request that caused it, unless it is to come early."""
        if self.released and self.mode != "early":
            await self.released.wait()

    def can_take_in(self, other: "Callback") -> bool:
        """Whether both may be sent as one POST."""
        return other.chat is self.chat and other.mode in ("", "merge")

    def take_in(self, other: "Callback") -> None:
        """Add the items of the next callback; where the envelopes differ, the newer one counts."""
        self.body = {**self.body, **other.body, "body": self.body["body"] + other.body["body"]}
        other.settled.set()

    def _copies_now(self, copies: int) -> int:
        if self.is_copy:
            return copies - 1
        return 1 if self.late_copy else copies
