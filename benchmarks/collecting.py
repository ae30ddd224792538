"""``python -m benchmarks.collecting``: how long a full run of Python's collector stops the assistant.

The trained assistant with our channels, as ``benchmarks.assistant`` serves it, after some turns: with what
is loaded at its start out of the collector's way (``gc.freeze``, ``channels/bridge.py``), and without.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Callable
from statistics import median

from benchmarks.assistant import quieten_rasa
from benchmarks.configuration import environment, make_settings
from benchmarks.contenders import make_ledger
from benchmarks.costs import talk
from benchmarks.processes import clean_environment
from channels.webchat import WebChat
from local.server import load_app, run_app
from local.training import train_assistant
from servicenow.backend import Backend, make_backend

DESK = "http://127.0.0.1:9"  # nobody is asked for
TURNS = 50
RUNS = 7


async def main() -> None:
    """Prints both."""
    ledger = f"sqlite:///{make_ledger(os.getpid())}"
    os.environ.update(clean_environment() | environment(DESK, ledger))

    async def connect() -> Backend:
        return await make_backend(make_settings(DESK, ledger, {}))

    app = await load_app(train_assistant(), make_channels=lambda: [WebChat(connect=connect)])
    async with run_app(app, 0) as url:
        await talk(url, TURNS)
        print(f"with gc.freeze: {describe(gc.collect)}", flush=True)
        gc.unfreeze()
        print(f"without gc.freeze: {describe(gc.collect)}", flush=True)


def describe(work: Callable[[], object]) -> str:
    """How many objects are looked at, and for how long, by the clock and by the processor; medians."""
    objects = len(gc.get_objects())
    clock, processor = [], []
    for _ in range(RUNS):
        began, used = time.perf_counter(), time.thread_time()
        work()
        clock.append(time.perf_counter() - began)
        processor.append(time.thread_time() - used)
    return (
        f"{objects:,} objects, {median(clock) * 1000:.1f} ms by the clock, "
        f"{median(processor) * 1000:.1f} ms of the processor"
    )


if __name__ == "__main__":
    quieten_rasa()
    asyncio.run(main())
