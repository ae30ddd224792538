"""Faults of the callbacks this simulator POSTs (reference section 20, "Callback fault plan")."""

import asyncio
from dataclasses import dataclass
from typing import NamedTuple

from simulator.chance import ActiveFaults, Chance, Limited, require_seconds
from simulator.changes import Changes
from simulator.chat import JSON
from simulator.errors import BadCommand


class Mode(NamedTuple):
    """A kind of fault; `seconds` is the default of the field of that name, None if it has none."""

    does: str
    seconds: float | None = None


MODES = {
    "delay": Mode("sent `seconds` later; what follows waits behind it", 1.0),
    "duplicate": Mode("sent `copies` times, the copies after the first `seconds` later", 0.0),
    "reorder": Mode("held back until the next one was sent, at most `seconds`", 2.0),
    "drop": Mode("not sent"),
    "split": Mode("its items are sent as one POST each"),
    "merge": Mode("sent in one POST with what follows it within `seconds`", 0.5),
    "early": Mode("sent before the request that caused it is answered, which waits at most `seconds`", 1.0),
    "unknown_items": Mode("carries two more items, of kinds nobody knows, before its own"),
    "content_type": Mode("sent with the header Content-Type: `content_type`"),
}


@dataclass
class CallbackFault(Limited):
    """One active fault of callbacks; `chat` limits it to a chat's or a user's id.

    Which fields go with which mode, and their defaults, is in `MODES`: `seconds` has its own for every
    mode, `copies` (2) belongs to "duplicate", `content_type` ("text/plain") to the mode of that name.
    """

    mode: str
    chat: str | None = None
    seconds: float | None = None
    copies: int | None = None
    content_type: str | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise BadCommand(f"no fault of callbacks {self.mode!r}; there are {', '.join(MODES)}")
        self.check_limits()
        self._check_seconds()
        self._check_copies()
        self._check_content_type()

    def concerns(self, names: set[str], items: int, *, answers: bool) -> bool:
        """Whether it can hit a callback of the chat with these `names`.

        One with fewer than two items cannot be split, one that answers no request cannot come early.
        """
        possible = {"split": items > 1, "early": answers}.get(self.mode, True)
        return possible and (self.chat is None or self.chat in names)

    def shown(self) -> JSON:
        """Return what this fault is, as the control calls show and take it."""
        basic = {"mode": self.mode, "times": self.times, "chat": self.chat}
        more = {"seconds": self.seconds, "copies": self.copies, "content_type": self.content_type}
        likely = {"probability": self.probability} if self.probability < 1 else {}
        return basic | {name: value for name, value in more.items() if value is not None} | likely

    def _check_seconds(self) -> None:
        default = MODES[self.mode].seconds
        if default is None:
            self._refuse("seconds", self.seconds)
        else:
            self.seconds = default if self.seconds is None else self.seconds
            require_seconds(self.seconds)

    def _check_copies(self) -> None:
        if self.mode != "duplicate":
            self._refuse("copies", self.copies)
        else:
            self.copies = 2 if self.copies is None else self.copies
            if self.copies < 2:
                raise BadCommand("copies must be at least 2")

    def _check_content_type(self) -> None:
        if self.mode != "content_type":
            self._refuse("content_type", self.content_type)
        else:
            self.content_type = "text/plain" if self.content_type is None else self.content_type

    def _refuse(self, name: str, value: object) -> None:
        if value is not None:
            raise BadCommand(f"{name} does not belong to the fault {self.mode}")


class CallbackFaults(ActiveFaults[CallbackFault]):
    """The active faults of callbacks, and the pauses they cause."""

    def __init__(self, chance: Chance, changes: Changes) -> None:
        super().__init__(chance)
        self._changes = changes
        self._pauses: list[asyncio.Event] = []

    @property
    def waiting(self) -> int:
        """Return how many callbacks, or answers waiting for one, are held back now."""
        return len(self._pauses)

    def take(self, names: set[str], items: int, *, answers: bool) -> CallbackFault | None:
        """Return the fault this callback meets, and count it."""
        return self.draw(lambda fault: fault.concerns(names, items, answers=answers))

    async def pause(self, fault: CallbackFault, until: asyncio.Event | None = None) -> None:
        """Wait as long as the fault says; less if `until` is set, or at recovery."""
        event = until or asyncio.Event()
        self._pauses.append(event)
        self._changes.tell()
        try:
            async with asyncio.timeout(fault.seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._pauses.remove(event)
            self._changes.tell()

    def recover(self) -> None:
        """End all faults; what is held back is sent at once."""
        self.active.clear()
        for event in self._pauses:
            event.set()
