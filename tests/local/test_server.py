"""A server that fails to start or to stop leaves nothing behind that the next one would stumble over."""

import socket

import pytest
from sanic import Sanic
from sanic.response import empty

from local.server import LOOPBACK, run_app
from tests.support.stage import find_port


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
