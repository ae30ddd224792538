"""Where the ledger is, for how long it keeps what was said, and how several processes wake each other."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from handoff.database_file import PLAIN
from handoff.settings.group import Group, problem

SQLITE = "sqlite+aiosqlite"
POSTGRES = "postgresql+asyncpg"
DRIVERS = {"sqlite": SQLITE, "postgresql": POSTGRES, "postgres": POSTGRES}


class LedgerSettings(Group):
    """The database of handoffs and messages."""

    # Not shown, as it may hold a password.
    handoff_database_url: str = Field(default="sqlite+aiosqlite:///var/handoff.db", repr=False)
    handoff_retention_days: float = Field(default=30, gt=0, le=3650)
    # May hold a password too.
    handoff_redis_url: SecretStr | None = None
    # Not {1,100} in the pattern: pydantic would take 30 ms to compile it.
    handoff_redis_channel: str = Field(default="handoff", max_length=100, pattern=r"^[\w.:-]+$")

    @field_validator("handoff_database_url")
    @classmethod
    def _name_async_driver(cls, url: str) -> str:
        """Accept the common ``sqlite:///`` and ``postgresql://`` forms too."""
        scheme, separator, rest = url.partition("://")
        url = f"{DRIVERS.get(scheme, scheme)}{separator}{rest}"
        if PLAIN.fullmatch(url):
            return url
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):  # a port that is no number is a ValueError
            raise problem("must be a database URL such as sqlite:///var/handoff.db") from None
        host = parsed.host or parsed.query.get("host")  # a socket in the file system is named like this
        if parsed.drivername == POSTGRES and host and parsed.database:
            return url
        if parsed.drivername != SQLITE:
            raise problem(
                "must name an SQLite file, as sqlite:///var/handoff.db, or a PostgreSQL database, "
                "as postgresql://user:password@host/database"
            )
        if parsed.database in (None, "", ":memory:"):
            raise problem("must name a file: actions and channels would each have a memory of their own")
        return url

    @field_validator("handoff_redis_url")
    @classmethod
    def _check_redis(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is None:
            return None
        try:
            parts = urlsplit(secret.get_secret_value())
            is_usable = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_usable = False
        if not is_usable:
            raise problem("must be a Redis address such as redis://127.0.0.1:6379/0 or rediss://...")
        return secret


def hide_password(url: str) -> str:
    """A database URL that may be shown."""
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)
