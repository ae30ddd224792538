"""The ledger, as a command sees it: opened, used once, and closed."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from handoff.ledger import Ledger

T = TypeVar("T")


def with_ledger(work: Callable[[Ledger], Awaitable[T]]) -> T:
    """Run ``work`` on the ledger of the settings; nothing else of the settings has to be right.

    Raises:
        SettingsError: ``HANDOFF_DATABASE_URL`` is wrong.
        LedgerMissing: there is no ledger.
        LedgerOutdated: it is of another version.
    """
    import asyncio  # not for what does without

    return asyncio.run(_open(work))


async def _open(work: Callable[[Ledger], Awaitable[T]]) -> T:
    from handoff.ledger import Ledger  # SQLAlchemy: not for --help
    from handoff.settings.group import read_some
    from handoff.settings.ledger import LedgerSettings

    gc.enable()  # switched off for the imports, see handoff/__main__.py
    ledger = await Ledger.open(read_some(LedgerSettings).handoff_database_url)
    try:
        return await work(ledger)
    finally:
        await ledger.close()
