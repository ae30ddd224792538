"""Where something was measured: figures mean nothing without it."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.stage import FOLDER, ROOT

SYNCS = 50


def describe() -> dict[str, Any]:
    """Machine, versions, what else it does, and what one sync of its disk takes."""
    from importlib.metadata import version

    packages = ("rasa-pro", "sanic", "python-socketio", "SQLAlchemy", "aiosqlite", "aiohttp")
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _ask("git", "rev-parse", "--short", "HEAD"),
        "processor": _name_processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
        "load": measure_load(),
        "sync": _measure_sync(),
    }


def measure_load() -> list[float]:
    """The load average of the last 1, 5 and 15 minutes."""
    return [round(each, 2) for each in os.getloadavg()]


def _name_processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _measure_sync() -> float:
    """Seconds to append 4 KiB to a file where the ledgers are, and sync it; the median of a few."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    times = []
    path = FOLDER / "sync"
    with path.open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            begun = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begun)
    path.unlink()
    return sorted(times)[SYNCS // 2]


def _ask(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
