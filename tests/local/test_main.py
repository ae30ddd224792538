"""`python -m local`: what it refuses before it starts anything."""

import os
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
