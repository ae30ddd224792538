"""What can only be told from the instance's sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from handoff.handoff import EndReason


@dataclass(frozen=True)
class TextPatterns:
    """English default texts; an instance may translate or reword every one (section 8), and then so do we."""

    entered: re.Pattern[str] = re.compile(r"^(?P<name>.{1,80}?) has entered the chat\.?$")
    closed: re.Pattern[str] = re.compile(
        r"has closed the support session|The support session was closed|has left the support session"
        r"|The conversation has ended",
        re.IGNORECASE,
    )
    timed_out: re.Pattern[str] = re.compile(
        r"chat (has )?timed out|due to inactivity|seems you have left", re.IGNORECASE
    )
    nobody: re.Pattern[str] = re.compile(r"There are no agents|no agents? (is|are) available", re.IGNORECASE)

    def read_end(self, text: str) -> EndReason | None:
        """Why a chat ended, by a text that tells of it."""
        if self.timed_out.search(text):
            return EndReason.REQUESTER_IDLE
        return EndReason.AGENT_ENDED if self.closed.search(text) else None


PATTERNS = TextPatterns()

P = TypeVar("P")


def reword(patterns: P, expressions: Mapping[str, str]) -> P:
    """The same patterns with others in their place, by name; names that they do not have are passed over."""
    known: Any = patterns
    names = {field.name for field in fields(known)} & expressions.keys()
    changed: P = replace(known, **{name: re.compile(expressions[name], re.IGNORECASE) for name in names})
    return changed
