"""What the requester is called in ServiceNow where we may choose."""

from __future__ import annotations

from handoff.digest import digest


def name_requester(conversation: str) -> str:
    """The digest that our logs show too: the session id stays a secret between browser and us."""
    return digest(conversation)
