"""What an audit can come to, and what it can find; metrics count by these words."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """What came of an audit; ``UNREADABLE``: nothing, as the desk's transcript could not be read."""

    CLEAN = "clean"
    FLAWED = "flawed"
    UNREADABLE = "unreadable"


class Flaw(StrEnum):
    """What is wrong with a message: it did not arrive, arrived twice, in other words, or nobody wrote it."""

    MISSING = "missing"
    DOUBLED = "doubled"
    CHANGED = "changed"
    UNKNOWN = "unknown"


class Direction(StrEnum):
    """Which way a message went."""

    TO_DESK = "to_desk"
    TO_REQUESTER = "to_requester"
