"""What the requester is called in ServiceNow where we may choose."""

from __future__ import annotations

import hashlib


def name_requester(conversation: str) -> str:
    """A digest: stable per conversation, and the session id stays a secret between browser and us."""
    return "rasa-" + hashlib.sha256(conversation.encode()).hexdigest()[:32]
