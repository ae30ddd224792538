"""Two processes with one integration user, over a real Redis and a server that names a rate limit."""

import asyncio

import pytest

from channels.shared_budget import SharedBudget
from chaos.services import RedisService, ServiceMissing
from handoff.errors import DeskBusy
from handoff.hints import Hints
from handoff.tasks import Tasks
from servicenow.auth import FixedHeaders
from servicenow.http import Instance
from tests.support.chromium import give_up
from tests.support.waiting import eventually
from tests.support.web_server import Answer, WebServer

PATH = "/api/now/table/incident"
LIMIT = {"X-RateLimit-Limit": "10", "X-RateLimit-Reset": "4000000000", "X-RateLimit-Rule": "r"}


class Process:
    """What stands for one process of the cluster."""

    def __init__(self, url: str, redis: str, tasks: Tasks) -> None:
        self.instance = Instance(url, FixedHeaders({}))
        self.hints = Hints(redis, "handoff", self._hear, lambda: None, tasks)
        self.budget = SharedBudget(self.instance, self.hints.tell, every=0.02)
        self.hints.start()
        tasks.spawn(self.budget.watch(), "budget")

    async def _hear(self, hint):
        self.budget.hear(hint)

    def left(self):
        level = self.instance.budget(PATH).level
        return level and level.left


@pytest.fixture
async def server():
    async with WebServer().serve() as server:
        server.default = Answer(headers={"Content-Type": "application/json", **LIMIT}, body='{"result": []}')
        yield server


@pytest.fixture
async def processes(server, tmp_path):
    try:
        redis = RedisService(tmp_path / "redis.log")
    except ServiceMissing as error:
        give_up(str(error))
    tasks = Tasks()
    await redis.start()
    try:
        made = [Process(server.url, redis.url, tasks) for _ in range(2)]
        await eventually(lambda: all(process.hints.is_listening for process in made))
        yield made
        await asyncio.gather(*(process.instance.close() for process in made))
    finally:
        await tasks.cancel()
        await redis.stop()


async def test_both_count_what_either_spends(processes):
    one, other = processes
    for _ in range(3):
        await one.instance.get(PATH)
    await eventually(lambda: other.left() == 7)
    await other.instance.get(PATH)
    await eventually(lambda: one.left() == other.left() == 6)


async def test_what_need_not_be_sent_waits_where_the_other_has_spent_it(processes):
    one, other = processes
    for _ in range(9):
        await one.instance.get(PATH)
    await eventually(lambda: not other.instance.budget(PATH).can_spare)


async def test_a_refusal_of_one_holds_back_the_other(processes, server):
    one, other = processes
    refusal = Answer(429, body="{}", headers={**server.default.headers, "Retry-After": "600"})
    server.answer(refusal)
    with pytest.raises(DeskBusy):
        await one.instance.get(PATH)
    await eventually(lambda: not other.instance.budget(PATH).can_spare)
    asked = len(server.requests)
    with pytest.raises(DeskBusy) as busy:
        await other.instance.get(PATH)
    assert 500 < busy.value.retry_after <= 600
    assert len(server.requests) == asked


def test_a_hint_that_is_none_of_ours_is_refused():
    budget = SharedBudget(Instance("http://127.0.0.1:1", FixedHeaders({})), lambda *_, **__: None)
    with pytest.raises(KeyError):
        budget.hear({"kind": "spending", "conversation": ""})
