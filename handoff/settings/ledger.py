"""Where the ledger is, and for how long it keeps what was said."""

from __future__ import annotations

from pydantic import Field, field_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from handoff.settings.group import Group, problem

SQLITE = "sqlite+aiosqlite"


class LedgerSettings(Group):
    """The database of handoffs and messages."""

    # Not shown, as it may hold a password.
    handoff_database_url: str = Field(default="sqlite+aiosqlite:///var/handoff.db", repr=False)
    handoff_retention_days: float = Field(default=30, gt=0, le=3650)

    @field_validator("handoff_database_url")
    @classmethod
    def _name_async_driver(cls, url: str) -> str:
        """Accept the common ``sqlite:///`` form too; other databases come with several processes."""
        scheme, separator, rest = url.partition("://")
        url = f"{SQLITE if scheme == 'sqlite' else scheme}{separator}{rest}"
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):  # a port that is no number is a ValueError
            raise problem("must be a database URL such as sqlite:///var/handoff.db") from None
        if parsed.drivername != SQLITE:
            raise problem(
                "must name an SQLite file, as sqlite:///var/handoff.db; no other database works yet"
            )
        if parsed.database in (None, "", ":memory:"):
            raise problem("must name a file: actions and channels would each have a memory of their own")
        return url
