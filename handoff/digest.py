"""What a conversation is called where its id may not be seen: in logs, in traces and at the desk."""

from __future__ import annotations

import hashlib
import re

PREFIX = "rasa-"
DIGEST = re.compile(PREFIX + "[0-9a-f]{32}")


def digest(conversation: str) -> str:
    """Stable per conversation; the id itself opens the chat to whoever has it."""
    return PREFIX + hashlib.sha256(conversation.encode()).hexdigest()[:32]


def is_digest(name: str) -> bool:
    return DIGEST.fullmatch(name) is not None
