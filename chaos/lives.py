"""The processes of a run, started and ended by this one, and nothing else's."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from chaos.labels import Sentence
from chaos.services import find_port
from chaos.stage import CLIENT, ROOT, SECRET, Stage

__all__ = ["Lives", "SimulatorProcess", "environment", "find_port"]

START_PATIENCE = 180.0  # seconds; the first import of Rasa is slow, and slower on a busy machine


def environment() -> dict[str, str]:
    """Ours without anybody's settings."""
    ours = ("SERVICENOW_", "HANDOFF_", "SIMULATOR_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {
        "HANDOFF_ENV_FILE": os.devnull,
        "RASA_TELEMETRY_ENABLED": "false",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
    }


class SimulatorProcess:
    """``python -m simulator`` on a free port."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, reading: asyncio.Task[None]) -> None:
        self._process = process
        self._reading = reading
        self.url = url

    @classmethod
    async def start(
        cls, callback_url: str, seed: int, log: Path, questions: Sequence[object] = ()
    ) -> SimulatorProcess:
        """``questions`` are what it asks before a live agent."""
        more = {
            "SIMULATOR_INTAKE": json.dumps(questions),
            "SIMULATOR_CALLBACK_SECRET": SECRET,
            "SIMULATOR_CALLBACK_URL": callback_url,
            "SIMULATOR_CLIENT_ID": CLIENT,
            "SIMULATOR_CLIENT_SECRET": SECRET,
            # What an instance takes with a 200 and then drops, nobody here can know of.
            "SIMULATOR_ONE_AT_A_TIME": "false",
        }
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "simulator", "--port", "0", "--seed", str(seed)),
                *("--callback-retries", "60", "--callback-retry-delay", "0.25"),
                cwd=ROOT,
                env=environment() | more,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), START_PATIENCE)).decode()
        address = re.search(r"http://[\d.:]+\d", line)
        if address is None:
            raise RuntimeError(f"The simulator did not start; see {log}")
        return cls(process, address[0], asyncio.create_task(_drain(process.stdout)))

    async def stop(self) -> None:
        with suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.wait()
        await self._reading


class Lives:
    """The nursery and the one life of the server that it has given birth to."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._pid: int | None = None

    @classmethod
    async def start(cls, stage: Stage) -> Lives:
        name = f"server-{stage.port}.log" if stage.is_cluster else "server.log"
        with (stage.folder / name).open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "chaos.nursery"),
                cwd=stage.sources,
                env=environment(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        lives = cls(process)
        lives._tell(stage.write())
        await asyncio.wait_for(lives._hear("open"), START_PATIENCE)
        return lives

    async def begin(self, sentence: Sentence) -> bool:
        """Begin a life; False where it died before it was ready."""
        self._tell(asdict(sentence))
        self._pid = await self._hear("born")
        return await asyncio.wait_for(self._hear_of("ready", "gone"), START_PATIENCE) == "ready"

    async def wait(self, seconds: float) -> bool:
        """Whether the life ends by itself within so many seconds."""
        try:
            await asyncio.wait_for(self._hear("gone"), seconds)
        except TimeoutError:
            return False
        return True

    def kill(self) -> None:
        """Kill the life, unless it has just died by itself."""
        self._signal(signal.SIGKILL)

    def freeze(self) -> None:
        """Let the life stand still, as a machine does that is paused or swaps."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on, as if no time had passed."""
        self._signal(signal.SIGCONT)

    async def stop(self) -> None:
        """End the life that there may be, then the nursery."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)

    def _tell(self, what: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write((json.dumps(what) + "\n").encode())

    async def _hear(self, word: str) -> int:
        while await self._hear_of(word) != word:
            pass
        return self._number

    async def _hear_of(self, *words: str) -> str:
        assert self._process.stdout is not None
        while True:
            line = await self._process.stdout.readline()
            if not line:
                raise RuntimeError("The nursery has ended; see server.log")
            with suppress(ValueError):
                said = json.loads(line)
                for word in words:
                    if isinstance(said, dict) and word in said:
                        self._number = int(said[word])
                        if word == "gone":
                            self._pid = None
                        return word


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass
