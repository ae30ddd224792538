"""Copying SQLite's log into the database, so that it begins anew: in a thread, and while others write.

SQLite takes up a log from its beginning where a transaction begins at a moment at which all of it is
copied and the database is synced. While messages come now and then, there is such a moment soon; where
they come without a pause they have to wait for one, which is made as rare and as short as it can be.
"""

from __future__ import annotations

import sqlite3

from handoff.sqlite import BUSY_TIMEOUT

ATTEMPTS = 4  # to catch a moment in which nobody has written since the last one
LARGEST = 8192  # pages of 4 KiB; a larger log is worth that others wait until it is copied


class LogCopier:
    """A connection of its own, for one thread at a time."""

    def __init__(self, path: str, largest: int = LARGEST) -> None:
        self._connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, check_same_thread=False)
        self._largest = largest

    def follow(self) -> bool:
        """Copy what there is while others write; returns whether they should wait for the rest.

        What comes while the last of it is copied keeps SQLite from syncing the database, so it is tried
        again: each attempt has less to copy than the one before it, and is over sooner.
        """
        copied = -1
        for _ in range(ATTEMPTS):
            size = self._copy()
            if size == copied:
                return False
            copied = size
        return copied > self._largest

    def finish(self) -> None:
        """Copy all of it, for a moment in which nobody of this process writes."""
        self._copy()

    def copy_all(self) -> bool:
        """Wait for others, copy all of it, and cut it off; returns whether somebody was in the way."""
        (is_busy, *_) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return bool(is_busy)

    def close(self) -> None:
        self._connection.close()

    def _copy(self) -> int:
        """Without waiting for anybody; returns how many pages the log has."""
        (_, size, _) = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return int(size)
