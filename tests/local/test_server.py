"""A server that fails to start or to stop leaves nothing behind that the next one would stumble over."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sanic import Sanic
from sanic.response import empty

from local.server import LOOPBACK, run_app
from tests.support.stage import find_port

ROOT = Path(__file__).resolve().parents[2]


class Broken(Exception):
    pass


def make_app(name):
    app = Sanic(name, configure_logging=False)
    app.add_route(lambda request: empty(), "/")
    return app


@pytest.mark.parametrize("moment", ["before_server_start", "after_server_start", "before_server_stop"])
async def test_a_server_that_fails_leaves_its_port_and_its_name_free(moment):
    port = find_port()
    app = make_app("broken")

    @app.listener(moment)
    async def fail(_app):
        raise Broken

    with pytest.raises(Broken):
        async with run_app(app, port):
            pass
    await take_port(port)
    Sanic.unregister_app(make_app("broken"))


async def test_a_port_that_is_taken_is_no_reason_to_keep_the_name():
    with socket.create_server((LOOPBACK, 0)) as taken:
        app = make_app("late")
        with pytest.raises(OSError, match="in use"):
            async with run_app(app, taken.getsockname()[1]):
                pass
    Sanic.unregister_app(make_app("late"))


async def take_port(port):
    with socket.create_server((LOOPBACK, port)):
        pass


PREPARED = """
import sys
from local.server import prepare
prepare()
print(*(name for name in sys.modules if name in ("skops.io", "rasa")))
"""


def test_what_looks_through_all_modules_is_imported_before_those_of_rasa():
    """Imported after them, it takes seconds of each start."""
    done = subprocess.run(
        [sys.executable, "-c", PREPARED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["skops.io", "rasa"]
