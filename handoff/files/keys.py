"""The key that signs links: a setting, or one that the ledger makes once for all processes."""

from __future__ import annotations

import secrets

from sqlalchemy import select

from handoff.conversation_rows import insert_or_ignore
from handoff.store import Connection
from handoff.tables import keys

NAME = "files"


class KeyRows:
    """Keys, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find_or_make(self) -> bytes:
        """The key of this ledger's links, 32 random bytes; the first process to ask makes it."""
        known = await self._find()
        if known is None:
            insert = insert_or_ignore(self._connection.dialect.name, keys)
            await self._connection.execute(insert, {"name": NAME, "value": secrets.token_hex(32)})
            known = await self._find()
            assert known
        return known

    async def _find(self) -> bytes | None:
        value = await self._connection.scalar(select(keys.c.value).where(keys.c.name == NAME))
        return bytes.fromhex(value) if value else None
