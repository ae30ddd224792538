"""The servers of a run: started, watched and ended by this process, and nothing else's."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.stage import LOOPBACK, ROOT

START_PATIENCE = 120.0  # seconds; Rasa's import, and a ledger to fill
NANOSECOND = 1e-9


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """Ours without anybody's settings."""
    ours = ("SERVICENOW_", "HANDOFF_", "SIMULATOR_")
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
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, *arguments),
                cwd=ROOT,
                env={**clean_environment(), **(environment or {})},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        server = cls(process, port)
        try:
            await asyncio.wait_for(_until_ready(process), START_PATIENCE)
        except BaseException as error:
            await server.stop()
            raise RuntimeError(f"The server did not start, see {log.relative_to(ROOT)}") from error
        return server

    async def stop(self) -> None:
        """At once: there is nothing to keep."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

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


async def _until_ready(process: asyncio.subprocess.Process) -> None:
    assert process.stdout
    while (line := await process.stdout.readline()) != b"ready\n":
        if not line:
            raise RuntimeError("It has ended")


def write_spec(**spec: Any) -> str:
    """What ``benchmarks.ours`` is started with."""
    return json.dumps(spec)
