"""A RabbitMQ of the test's own: on free ports, in a folder of its own, ended with it."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aio_pika

from chaos.services import find_port
from tests.support.chromium import give_up

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # Debian's own is a wrapper that changes the user
OWNER = "rabbitmq"
PATIENCE = 60.0  # seconds to start; Erlang takes its time


@asynccontextmanager
async def run_rabbitmq() -> AsyncIterator[int]:
    """Its port, for the user guest; the test is skipped where it is not installed."""
    owner = OWNER if os.geteuid() == 0 else None
    folder = _make_folder(owner)
    port = find_port()
    try:
        with (folder / "out").open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                PROGRAM, env=_environment(folder, port), cwd=folder, stdout=out, stderr=out,
                user=owner, group=owner, extra_groups=[] if owner else None,
            )  # fmt: skip
        try:
            await _wait(port)
            yield port
        finally:
            process.terminate()
            await process.wait()
    finally:
        shutil.rmtree(folder)


def _make_folder(owner: str | None) -> Path:
    if not PROGRAM.exists():
        give_up("RabbitMQ is not installed")
    folder = Path(tempfile.mkdtemp(prefix="rabbitmq-"))
    if owner:
        shutil.chown(folder, owner, owner)
    return folder


def _environment(folder: Path, port: int) -> dict[str, str]:
    return {
        **os.environ,
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"handoff{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(find_port()),
        "RABBITMQ_MNESIA_BASE": str(folder),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
    }


async def _wait(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            await (await aio_pika.connect(port=port)).close()
            return
        except (OSError, aio_pika.exceptions.AMQPError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)
