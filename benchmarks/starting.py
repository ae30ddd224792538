"""How long things take to begin: ``make run``, the operator's command line; and which of them import Rasa."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

import aiohttp

from benchmarks.configuration import make_settings
from benchmarks.contenders import SEED, make_ledger
from benchmarks.figures import Spread, alternate, divide
from benchmarks.processes import clean_environment, find_port, run_to_end
from benchmarks.report import Row, write_seconds
from benchmarks.seeding import seed
from benchmarks.stage import FOLDER, LOOPBACK, ROOT, Holding
from benchmarks.stand import Stand
from benchmarks.wire import Browser

DESK = "http://127.0.0.1:9"  # nobody is asked
PATIENCE = 180.0  # seconds for a start
STOP_PATIENCE = 30.0
LOOK = 0.05  # seconds between two looks for the page
MOST_STARTS = 3
COMMAND_ROUNDS = 5
IMPORT = "import rasa.core.agent, rasa.core.run"  # what a process that serves an assistant cannot do without
TRAIN = "from local.training import train_assistant; train_assistant()"  # as in an earlier run, if ever
MADE = (".venv/.runtime", "widget/dist/index.html")  # what `make run` looks at before it starts
COMMAND = ("-m", "handoff", "list")

# Every module of some packages, as a command may import one of them late.
WALK = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)
sys.exit("rasa" in sys.modules)
"""
WITHOUT_RASA = {
    "the operator's command line": ("handoff", "servicenow"),
    "the action server": ("rasa_sdk", "actions"),
    "the simulator": ("simulator",),
}


async def measure_run(stand: Stand) -> None:
    """From the command to a page that is served and a first message that is answered, by Rasa's import."""
    command, note = _choose_command()
    await run_to_end(["-c", TRAIN], FOLDER / "train.log")
    times: dict[str, list[float]] = {"import": [], "run": []}
    for number, what in alternate(list(times), min(stand.effort.rounds, MOST_STARTS)):
        stand.say(f"round {number + 1}: {what}")
        taken = await (_import() if what == "import" else _run(command))
        times[what].append(taken)
    ours, rasa = times["run"], times["import"]
    row = Row(
        "start.run",
        divide(ours, rasa),
        write_seconds(Spread.of(ours).median),
        write_seconds(Spread.of(rasa).median),
        f"until a first message is answered, against `{IMPORT}` alone; {note}",
    )
    stand.report.rows.append(row)
    stand.report.series["start"] = times


def _choose_command() -> tuple[list[str], str]:
    """``make run`` where everything is set up for it, else what it would run."""
    with suppress(FileNotFoundError):
        asked = subprocess.run(["make", "--question", *MADE], cwd=ROOT, capture_output=True, check=False)
        if not asked.returncode:
            return ["make", "--silent", "run", "PORT={port}", "DESK_PORT={desk}"], "`make run`"
    local = [sys.executable, "-m", "local", "--port", "{port}", "--desk-port", "{desk}"]
    return local, "what `make run` runs, as make would set something up first"


async def _import() -> float:
    begun = time.perf_counter()
    await run_to_end(["-c", IMPORT], FOLDER / "import.log")
    return time.perf_counter() - begun


async def _run(command: list[str]) -> float:
    port, desk = find_port(), find_port()
    words = [word.format(port=port, desk=desk) for word in command]
    environment = clean_environment() | {"HANDOFF_DATABASE_URL": f"sqlite:///{make_ledger(port)}"}
    log = FOLDER / "run.log"
    begun = time.perf_counter()
    with log.open("ab") as told:
        process = await asyncio.create_subprocess_exec(
            *words, cwd=ROOT, env=environment, stdout=told, stderr=told, start_new_session=True
        )
    try:
        async with asyncio.timeout(PATIENCE):
            await _wait_for_page(process, f"http://{LOOPBACK}:{port}")
        return time.perf_counter() - begun
    finally:
        await _stop(process)


async def _wait_for_page(process: asyncio.subprocess.Process, url: str) -> None:
    async with aiohttp.ClientSession() as http:
        while process.returncode is None:
            with suppress(OSError, aiohttp.ClientError, TimeoutError):
                async with http.get(f"{url}/chat/") as answer:
                    if answer.status == 200:
                        await _greet(url)
                        return
            await asyncio.sleep(LOOK)
    raise RuntimeError("make run has ended; see var/bench/run.log")


async def _greet(url: str) -> None:
    """Usable is what takes a message and answers it, not what can be looked at."""
    acknowledged, answered = asyncio.Event(), asyncio.Event()

    def hear(event: str, data: Any) -> None:
        if event == "ack":
            acknowledged.set()
        if event == "bot_uttered" and data["metadata"]["sender"] == "bot":
            answered.set()

    browser = await Browser.join(url, str(uuid4()), hear)
    browser.say("hello", str(uuid4()))
    await acknowledged.wait()
    await answered.wait()
    browser.leave()


async def _stop(process: asyncio.subprocess.Process) -> None:
    """The process and what it has started: all of its group, which is its own."""
    for number, patience in ((signal.SIGINT, STOP_PATIENCE), (signal.SIGKILL, 5.0)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), patience)
            if number == signal.SIGKILL or not _has_group(process.pid):
                return


def _has_group(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


async def measure_command(stand: Stand) -> None:
    """``python -m handoff list`` on a ledger with ten open handoffs."""
    ledger = f"sqlite:///{make_ledger(find_port())}"
    await seed(make_settings(DESK, ledger), [Holding(10, SEED)])
    environment = clean_environment() | {"HANDOFF_DATABASE_URL": ledger, "SERVICENOW_URL": DESK}
    times = [await _time_command(environment) for _ in range(COMMAND_ROUNDS + 1)][1:]
    spread = Spread.of(times)
    stand.report.rows.append(
        Row("start.cli", spread, write_seconds(spread.median), "", f"python {' '.join(COMMAND)}")
    )


async def _time_command(environment: dict[str, str]) -> float:
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *COMMAND),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"python {' '.join(COMMAND)} failed: {told.decode()[-300:]}")
    return time.perf_counter() - begun


async def measure_imports(stand: Stand) -> None:
    """Which of the processes that need no Rasa import it, at their start or later."""
    guilty = []
    for name, packages in WITHOUT_RASA.items():
        log = FOLDER / "imports.log"
        try:
            await run_to_end(["-c", WALK, *packages], log)
        except RuntimeError:
            guilty.append(name)
    count = len(guilty)
    note = (
        f"imports Rasa, or cannot be looked at: {', '.join(guilty)}" if guilty else "every module of theirs"
    )
    stand.report.rows.append(Row("start.without_rasa", Spread.of([count]), str(count), "", note))
