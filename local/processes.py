"""Child processes of ``make run``: started with a log, watched until they answer, stopped together."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

STOP_PATIENCE = 10.0  # seconds for a process to end by itself
LAST_LINES = 15
LOOK = 0.05  # seconds between two attempts to reach a process


class StartFailed(RuntimeError):
    """A process ended, or did not answer in time; says which and shows the end of its log."""


class Child:
    """One process with its log file. It has a session of its own, so that Ctrl-C reaches only its parent."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def wait_until_ready(self, url: str, within: float, is_stopped: Callable[[], bool]) -> None:
        """Wait until ``url`` answers 2xx, for ``within`` seconds at most, or until somebody stops us.

        Raises:
            StartFailed: the process ended, or time is up.
        """
        deadline = time.monotonic() + within
        while not is_stopped():
            if self.has_ended:
                raise StartFailed(
                    f"The {self.name} did not start. The end of {self.log}:\n{self._read_end()}"
                )
            if answers(url):
                return
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"The {self.name} did not answer within {within:.0f} seconds; see {self.log}."
                )
            time.sleep(LOOK)

    def stop(self) -> None:
        """Ask the process to end, and end it if it does not."""
        if self.has_ended:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read_end(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-LAST_LINES:])


def answers(url: str) -> bool:
    """Whether a loopback address answers 2xx now."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own loopback address
            return bool(200 <= response.status < 300)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def is_free(port: int) -> bool:
    """Whether nobody listens on a loopback port."""
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
