"""The servers of a run: started, watched and ended by this process, and nothing else's."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.stage import LOOPBACK, ROOT

START_PATIENCE = 240.0  # seconds; Rasa's import, a model to train, a ledger to fill
CALM_PATIENCE = 30.0  # seconds for what a start sets off to end
CALM = 0.1  # of a processor, within one look
LOOK = 0.3  # seconds
LONGEST_LINE = 2**24  # bytes that a server may print before the end of a line
NANOSECOND = 1e-9


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def raise_file_limit() -> int:
    """Allow this process and its children as many open files as may be; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def clean_environment() -> dict[str, str]:
    """Ours without anybody's settings."""
    ours = ("SERVICENOW_", "HANDOFF_", "SIMULATOR_", "RASA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {
        "HANDOFF_ENV_FILE": os.devnull,
        "RASA_TELEMETRY_ENABLED": "false",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
    }


class Server:
    """A process that serves on a port and has said that it is ready."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self._reading: asyncio.Task[None] | None = None
        self.pid = process.pid
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}"

    @classmethod
    async def start(
        cls, arguments: Sequence[str], port: int, log: Path, environment: Mapping[str, str] | None = None
    ) -> Server:
        """Wait until it is ready.

        Raises:
            RuntimeError: it ended instead, or took too long; names its log.
        """
        process = await _launch(arguments, log, environment)
        server = cls(process, port)
        try:
            await asyncio.wait_for(_until_ready(process), START_PATIENCE)
        except BaseException as error:
            await server.stop()
            if not isinstance(error, Exception):
                raise
            raise RuntimeError(f"The server did not start, see {log.relative_to(ROOT)}") from error
        server._reading = asyncio.create_task(_read_on(process))
        return server

    async def stop(self) -> None:
        """At once: there is nothing to keep."""
        await _kill(self._process)

    async def calm_down(self) -> None:
        """Wait until it computes nothing any more, or for a while."""
        until = time.monotonic() + CALM_PATIENCE
        while time.monotonic() < until:
            before = self.measure_cpu()
            await asyncio.sleep(LOOK)
            if self.measure_cpu() - before < CALM * LOOK:
                return

    def measure_cpu(self) -> float:
        """Seconds that its threads have been on a processor, exact to nanoseconds; Linux only."""
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with suppress(OSError):
                total += int((task / "schedstat").read_text().split()[0])
        return total * NANOSECOND

    def measure_memory(self) -> int:
        """Bytes resident."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


async def run_to_end(arguments: Sequence[str], log: Path) -> None:
    """A Python process that is not a server.

    Raises:
        RuntimeError: it failed, or took too long; names its log.
    """
    process = await _launch(arguments, log, is_server=False)
    try:
        code = await asyncio.wait_for(process.wait(), START_PATIENCE)
    except BaseException:
        await _kill(process)
        raise
    if code:
        raise RuntimeError(f"{' '.join(arguments[:2])} failed, see {log.relative_to(ROOT)}")


async def _launch(
    arguments: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    *,
    is_server: bool = True,
) -> asyncio.subprocess.Process:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, *arguments),
            cwd=ROOT,
            env={**clean_environment(), **(environment or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if is_server else errors,
            stderr=errors,
            limit=LONGEST_LINE,
        )


async def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def _until_ready(process: asyncio.subprocess.Process) -> None:
    """Other lines are passed over: Rasa prints some."""
    assert process.stdout
    while (line := await process.stdout.readline()) != b"ready\n":
        if not line:
            raise RuntimeError("It has ended")


async def _read_on(process: asyncio.subprocess.Process) -> None:
    """So that it can go on printing."""
    assert process.stdout
    while await process.stdout.readline():
        pass


def write_spec(**spec: Any) -> str:
    """What a process of ours is started with."""
    return json.dumps(spec)
