"""Times as the ledger keeps them: whole microseconds since 1970, exact, and alike in every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def write_instant(value: datetime | None) -> int | None:
    return None if value is None else (value - EPOCH) // MICROSECOND


def read_instant(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + timedelta(0, 0, value)
