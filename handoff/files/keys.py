"""The key that signs links: a setting, or one that the ledger makes once for all processes."""

from __future__ import annotations

import secrets

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from handoff.tables import keys

NAME = "files"


class KeyRows:
    """Keys, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find_or_make(self) -> bytes:
        """The key of this ledger's links, 32 random bytes; the first process to ask makes it."""
        if known := await self._find():
            return known
        try:
            async with self._connection.begin_nested():
                made = {"name": NAME, "value": secrets.token_hex(32)}
                await self._connection.execute(insert(keys).values(made))
        except IntegrityError:  # another process was quicker
            pass
        found = await self._find()
        assert found
        return found

    async def _find(self) -> bytes | None:
        value = await self._connection.scalar(select(keys.c.value).where(keys.c.name == NAME))
        return bytes.fromhex(value) if value else None
