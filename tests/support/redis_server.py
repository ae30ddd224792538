"""A Redis of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chaos.services import RedisService, ServiceMissing
from tests.support.chromium import give_up


@asynccontextmanager
async def serve_redis(folder: Path) -> AsyncIterator[RedisService]:
    """Skips the test where Redis is not installed."""
    try:
        service = RedisService(folder / "redis.log")
    except ServiceMissing as error:
        give_up(str(error))
    await service.start()
    yield service
    await service.stop()
