"""What the desk should know of the requester besides what was said."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Context:
    """Who asks, from where, and for whom; None is unknown.

    ``email`` is proven: only a verified token says it. What follows is what the requester's
    browser said, and may be made up: ``time_zone`` (IANA), ``language`` (BCP 47), ``page`` (its
    address) and ``device``. ``queue``, ``skills`` and ``routing_language`` come from the assistant,
    to bring the chat to the right live agents.
    """

    email: str | None = None
    time_zone: str | None = None
    language: str | None = None
    page: str | None = None
    device: str | None = None
    queue: str | None = None
    skills: str | None = None
    routing_language: str | None = None


UNKNOWN = Context()
