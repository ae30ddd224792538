"""``python -m benchmarks.profiling``: where each microsecond of a message goes, ours and the durable floor's.

While 50 sessions write as fast as they can, py-spy looks at the server's stacks: with SQLite, and with
PostgreSQL where there is one. It is no part of the project: ``pip install py-spy``, so that ``py-spy``
is on the path, or name it by ``PY_SPY``. Prints a table in Markdown, in microseconds of the server's
processor per message.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from benchmarks.contenders import SEED, Contender, Name, Setup, run_contender
from benchmarks.load import Way
from benchmarks.postgresql import Absent, make_database
from benchmarks.stage import FOLDER, Holding

SESSIONS = 50
SECONDS = 8.0  # that each way is looked at
RATE = 400  # looks per second
WARM_UP = 1.0  # seconds
REST = "everything else"

# A look counts for the innermost frame of its stack that belongs to a part, by "function (file:line)".
PATTERNS = {
    "fsync: its thread, and handing over to it": r"\(handoff/journal\.py",
    "beginning and committing": r"(_commit|_begin|begin) \(handoff/(sqlite_store|loop_connection)\.py",
    "PostgreSQL: asyncpg, sessions, shared transactions": (
        r"\((asyncpg/|handoff/(postgres\w*|together|journey|later|locks|leases)\.py)"
    ),
    "SQL statements, bound and read": r"\(handoff/(statements|loop_connection|frozen|\w+_rows)\.py",
    "transaction and entry around them": r"\(handoff/(ledger|sqlite_store|deferral|measures)\.py",
    "the floor's own ledger, in its thread": r"write \(benchmarks/floor\.py",
    "HTTP in and out (Sanic)": r"\(sanic/",
    "HTTP to the desk (aiohttp, our client)": r"\((aiohttp/|yarl/|multidict/|servicenow/(http|bot_\w+)\.py)",
    "Socket.IO and WebSocket": r"\((socketio/|engineio/|websockets/|channels/socket_server\.py)",
    "reading the callback": r"\((servicenow/callback|channels/bodies)\.py",
    "rules: what happens to a message": r"\(((handoff|channels|servicenow)/|benchmarks/floor\.py)",
    "metrics, traces, log lines": r"\((structlog|opentelemetry)/",
    "event loop, tasks, contexts, writing to sockets": r"\((asyncio/|selectors\.py|contextvars\.py)",
}
PARTS = {part: re.compile(pattern) for part, pattern in PATTERNS.items()}


class ProfilerAbsent(Exception):
    """py-spy is not installed; says how to."""


def find_profiler() -> str:
    """Where py-spy is.

    Raises:
        ProfilerAbsent: nowhere.
    """
    named = os.environ.get("PY_SPY", "py-spy")
    if found := shutil.which(named):
        return found
    raise ProfilerAbsent(f"There is no {named}: run `pip install py-spy`, or name it by PY_SPY.")


def name_part(stack: str) -> str:
    """The part of a stack in py-spy's raw format, ``outermost;…;innermost``."""
    for frame in reversed(stack.split(";")):
        for part, pattern in PARTS.items():
            if pattern.search(frame):
                return part
    return REST


def count_parts(lines: Iterable[str]) -> Counter[str]:
    """Looks per part, of a profile's lines ``stack count``.

    A line without a count is left out: a name that was read while it changed may break its line.
    """
    found: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.strip().rpartition(" ")
        if stack and count.isdigit():
            found[name_part(stack)] += int(count)
    return found


def share(parts: Mapping[str, int], cost: float) -> dict[str, float]:
    """What each part takes of a message's cost; both in seconds."""
    looks = sum(parts.values())
    return {part: cost * count / looks for part, count in parts.items()}


async def profile(contender: Contender, way: Way, profiler: str) -> dict[str, float]:
    """Seconds of the processor per message, by part."""
    raw = FOLDER / f"profile-{contender.server.pid}-{way.name.lower()}.raw"
    pace = ["--rate", str(RATE), "--duration", str(int(SECONDS)), "--nonblocking"]
    written = ["--format", "raw", "--output", str(raw)]
    await contender.load.saturate(way, WARM_UP)
    process = await asyncio.create_subprocess_exec(
        profiler,
        "record",
        *pace,
        *written,
        "--pid",
        str(contender.server.pid),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    measured = await contender.load.saturate(way, SECONDS)
    if await process.wait():
        raise RuntimeError("py-spy failed; it needs to be allowed to look at a process of the same user")
    return share(count_parts(raw.read_text().splitlines()), measured.cost)


def write_table(columns: Mapping[str, Mapping[str, float]]) -> str:
    """The parts as rows, in whole microseconds; the most expensive first."""
    parts = {part for column in columns.values() for part in column}
    dearest = sorted(parts, key=lambda part: -sum(column.get(part, 0.0) for column in columns.values()))
    lines = [f"| part | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for part in dearest:
        lines.append(f"| {part} | {' | '.join(_write(column.get(part)) for column in columns.values())} |")
    lines.append(f"| all | {' | '.join(_write(sum(column.values())) for column in columns.values())} |")
    return "\n".join(lines)


def _write(seconds: float | None) -> str:
    return "–" if seconds is None or seconds < 0.5e-6 else f"{seconds * 1e6:.0f}"


async def main(profiler: str) -> None:
    columns: dict[str, dict[str, float]] = {}
    for way in Way:
        for name in (Name.SQLITE, Name.POSTGRESQL, Name.DURABLE):
            try:
                async with _run(name) as contender:
                    columns[f"{way}, {name}"] = await profile(contender, way, profiler)
            except Absent as absent:
                print(absent, file=sys.stderr)
    print(write_table(columns))


@asynccontextmanager
async def _run(name: Name) -> AsyncIterator[Contender]:
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(make_database()) if name is Name.POSTGRESQL else None
        setup = Setup((Holding(SESSIONS, SEED),), ledger)
        yield await stack.enter_async_context(run_contender(name, SESSIONS, setup))


if __name__ == "__main__":
    Path(FOLDER).mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(main(find_profiler()))
    except ProfilerAbsent as absent:
        sys.exit(str(absent))
