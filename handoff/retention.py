"""Retention: what was said is kept as long as the settings allow, and then deleted."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from handoff.files.cabinet import Cabinet
from handoff.handoff import Clock
from handoff.ledger import Ledger

log = structlog.get_logger(__name__)

PAUSE = 3600.0  # seconds between two looks


async def forget_old(ledger: Ledger, days: float, clock: Clock, cabinet: Cabinet | None = None) -> int:
    """Delete messages, settled handoffs and files older than ``days``; returns how many rows went.

    With a conversation's last message goes what was known of its requester.

    Conversations that the desk owns keep everything, however long they last.
    """
    before = clock() - timedelta(days=days)
    files = await cabinet.forget_before(before) if cabinet else 0
    async with ledger.entry() as entry:
        await entry.conversations.forget_before(before)
        await entry.answers.forget_before(before)
        await entry.letters.forget_before(before)
        await entry.audits.forget_before(before)
        rows = await entry.messages.forget_before(before) + await entry.handoffs.forget_before(before)
    return files + rows


async def keep_forgetting(ledger: Ledger, days: float, clock: Clock, cabinet: Cabinet | None = None) -> None:
    """Delete what is too old now, and once an hour; for one background task."""
    while True:
        try:
            if count := await forget_old(ledger, days, clock, cabinet):
                log.info("retention.deleted", rows=count)
        except Exception:
            log.exception("retention.failed")
        await asyncio.sleep(PAUSE)
