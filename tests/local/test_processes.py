"""Children of `make run`: awaited, watched, stopped."""

import os
import socket
import sys

import pytest

from local.processes import Child, StartFailed, is_free
from tests.support.processes import find_port


@pytest.fixture
def start(tmp_path):
    children = []

    def start(code: str) -> Child:
        children.append(Child("toy", [sys.executable, "-c", code], os.environ, tmp_path / "log" / "toy.log"))
        return children[-1]

    yield start
    for child in children:
        child.stop()


SERVER = """
from http.server import HTTPServer, SimpleHTTPRequestHandler
HTTPServer(("127.0.0.1", {}), SimpleHTTPRequestHandler).serve_forever()
"""


def test_a_child_is_awaited_until_it_answers(start):
    port = find_port()
    child = start(SERVER.format(port))
    child.wait_until_ready(f"http://127.0.0.1:{port}/", 20, lambda: False)
    assert not child.has_ended
    child.stop()
    assert child.has_ended


def test_a_child_that_ends_is_reported_with_the_end_of_its_log(start):
    child = start("import sys; print('the reason'); sys.exit(3)")
    with pytest.raises(StartFailed, match="the reason"):
        child.wait_until_ready(f"http://127.0.0.1:{find_port()}/", 20, lambda: False)


def test_a_child_that_never_answers_is_given_up(start):
    child = start("import time; time.sleep(60)")
    with pytest.raises(StartFailed, match="did not answer within"):
        child.wait_until_ready(f"http://127.0.0.1:{find_port()}/", 0.3, lambda: False)


def test_waiting_ends_when_somebody_stops_us(start):
    start("import time; time.sleep(60)").wait_until_ready(
        f"http://127.0.0.1:{find_port()}/", 20, lambda: True
    )


def test_ctrl_c_in_the_terminal_does_not_reach_a_child(start):
    child = start("import time; time.sleep(60)")
    assert os.getpgid(child.pid) != os.getpgid(0)


def test_a_taken_port_is_noticed():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_free(server.getsockname()[1])
    assert is_free(find_port())
