"""Browsers that only wait: which of them are still there is known."""

import pytest
from sanic import Sanic
from socketio import AsyncServer

from benchmarks.crowd import Crowd
from benchmarks.stage import make_seats
from local.server import run_app
from tests.support.processes import find_port
from tests.support.waiting import eventually


class Relay:
    """Lets everybody in, and can send some away."""

    def __init__(self):
        self.sids = []
        self.server = AsyncServer(async_mode="sanic")
        self.server.on("session_request", self._join)

    async def _join(self, sid, asked):
        self.sids.append(sid)
        await self.server.emit("session_confirm", asked["session_id"], to=sid)


@pytest.fixture
def relay():
    return Relay()


@pytest.fixture
async def address(relay):
    app = Sanic("crowd", configure_logging=False)
    relay.server.attach(app)
    async with run_app(app, find_port()) as address:
        yield address


@pytest.fixture
def crowd():
    crowd = Crowd(make_seats(5, 1))
    yield crowd
    crowd.leave_all()


async def test_browsers_whose_connection_was_lost_are_missed_and_come_back(relay, address, crowd):
    await crowd.join(address)
    assert (len(relay.sids), crowd.drop_lost()) == (5, 0)
    for sid in relay.sids[:2]:
        await relay.server.disconnect(sid)
    lost = []
    await eventually(lambda: lost.append(crowd.drop_lost()) or sum(lost) == 2)
    await crowd.join(address)
    assert (len(relay.sids), crowd.drop_lost()) == (7, 0)
