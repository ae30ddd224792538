"""Servers of this project in processes of their own, as they run in production."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0  # seconds for a process to start or to stop


@contextmanager
def run_simulator() -> Iterator[str]:
    """``python -m simulator`` on a free port; yields its address."""
    with run_module("simulator", "--port", "0") as process:
        yield read_address(process)


@contextmanager
def run_action_server(environment: Mapping[str, str]) -> Iterator[str]:
    """``python -m rasa_sdk --actions actions``; yields the address of its webhook."""
    port = find_port()
    with run_module("rasa_sdk", "--actions", "actions", "--port", str(port), environment=environment):
        wait_for_url(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}/webhook"


@contextmanager
def run_module(
    module: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def read_address(process: subprocess.Popen[str]) -> str:
    """The first address that the process prints; then goes on reading, so that it never has to wait."""
    assert process.stdout is not None
    for line in process.stdout:
        if address := re.search(r"http://[\d.:]+", line):
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return address[0]
    raise RuntimeError(f"{process.args} ended without an address")


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_url(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(url, timeout=PATIENCE).close()
            return
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
