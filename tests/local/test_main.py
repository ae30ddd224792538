"""`python -m local`: what it refuses before it starts anything, and how it is stopped."""

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.support.processes import find_port

ROOT = Path(__file__).resolve().parents[2]


def run(port: int, desk_port: int, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local", "--port", str(port), "--desk-port", str(desk_port)]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_taken_port_is_named_with_the_way_out():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run(port, find_port())
        assert refused.returncode == 1
        assert f"Port {port} is taken" in refused.stderr
        assert f"make run PORT={port + 1}" in refused.stderr
        assert f"make run DESK_PORT={port + 1}" in run(find_port(), port).stderr


def test_two_servers_do_not_fit_on_one_port():
    port = find_port()
    refused = run(port, port)
    assert refused.returncode == 1
    assert f"make run DESK_PORT={port + 1}" in refused.stderr


def test_a_wrong_setting_is_named_before_anything_starts():
    refused = run(find_port(), find_port(), SERVICENOW_URL="http://example.com", HANDOFF_MESSAGE_LIMIT="many")
    assert refused.returncode == 1
    assert "SERVICENOW_URL" in refused.stderr
    assert "HANDOFF_MESSAGE_LIMIT" in refused.stderr
    assert "Starting" not in refused.stdout


LISTEN = """
import signal
from local.__main__ import _listen_for_stop
stopped = _listen_for_stop()
print("ready", flush=True)
while not stopped.wait(0.01):
    pass
print("over", flush=True)
signal.pause()
"""


def test_signals_that_come_within_each_other_stop_it():
    """Ctrl-C reaches it from the terminal and by whoever started it; an Event's lock was then kept."""
    for _ in range(10):
        with subprocess.Popen(
            [sys.executable, "-c", LISTEN], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as process:
            try:
                assert process.stdout.readline() == "ready\n"
                for _ in range(300):
                    process.send_signal(signal.SIGINT)
                    process.send_signal(signal.SIGTERM)
                assert select.select([process.stdout], [], [], 30)[0]
                assert process.stdout.readline() == "over\n"
            finally:
                process.kill()
