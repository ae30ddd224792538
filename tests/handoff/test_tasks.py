import asyncio
import gc

import pytest
from structlog.testing import capture_logs

from handoff.tasks import OnePerKey, Tasks
from tests.support.waiting import eventually


@pytest.fixture
async def tasks():
    tasks = Tasks()
    yield tasks
    await tasks.cancel()


class Work:
    """Counts its runs per key; each waits for the gate."""

    def __init__(self):
        self.started = []
        self.finished = []
        self.running = set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.errors = []

    async def __call__(self, key):
        assert key not in self.running, "twice at a time"
        self.running.add(key)
        self.started.append(key)
        try:
            await self.gate.wait()
            await asyncio.sleep(0)
            if self.errors:
                raise self.errors.pop(0)
        finally:
            self.running.discard(key)
        self.finished.append(key)


@pytest.fixture
def work():
    return Work()


@pytest.fixture
def runs(work, tasks):
    return OnePerKey(work, "work", tasks)


# -- Tasks ------------------------------------------------------------------------------


async def test_a_crash_in_the_background_is_logged_under_its_name(tasks):
    async def crash():
        raise ValueError("boom")

    with capture_logs() as logs:
        tasks.spawn(crash(), "follow_up")
        await eventually(lambda: logs)
    assert logs[0]["event"] == "task.failed"
    assert logs[0]["task"] == "follow_up"
    assert str(logs[0]["exc_info"]) == "boom"


async def test_a_task_survives_the_garbage_collector(tasks):
    done = asyncio.Event()

    async def linger():
        for _ in range(10):
            gc.collect(0)
            await asyncio.sleep(0)
        done.set()

    tasks.spawn(linger(), "linger")
    gc.collect()
    await asyncio.wait_for(done.wait(), 2)


async def test_cancel_waits_until_everything_has_stopped(tasks):
    stopped = []

    async def linger(name):
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            stopped.append(name)

    for name in "ab":
        tasks.spawn(linger(name), name)
    await asyncio.sleep(0)
    with capture_logs() as logs:
        await tasks.cancel()
    assert sorted(stopped) == ["a", "b"]
    assert not logs


async def test_a_task_may_cancel_its_fellows(tasks):
    async def stop():
        await tasks.cancel()
        return "still here"

    assert await tasks.spawn(stop(), "stop") == "still here"


# -- OnePerKey --------------------------------------------------------------------------


async def test_a_kick_runs_the_work(runs, work):
    runs.kick("a")
    await eventually(lambda: work.finished == ["a"])


async def test_kicks_during_a_run_bring_one_more_run(runs, work):
    work.gate.clear()
    runs.kick("a")
    await eventually(lambda: work.started == ["a"])
    for _ in range(5):
        runs.kick("a")
    work.gate.set()
    await runs.settle("a")
    assert 2 <= len(work.finished) <= 3


async def test_a_run_begins_after_every_kick(tasks):
    seen, state = [], {"value": 0}

    async def look(_key):
        seen.append(state["value"])
        await asyncio.sleep(0)

    runs = OnePerKey(look, "look", tasks)
    for value in range(1, 30):
        state["value"] = value
        runs.kick("a")
        for _ in range(value % 4):
            await asyncio.sleep(0)
    await eventually(lambda: seen and seen[-1] == 29)


async def test_keys_run_side_by_side(runs, work):
    work.gate.clear()
    runs.kick("a")
    runs.kick("b")
    await eventually(lambda: sorted(work.started) == ["a", "b"])
    work.gate.set()


async def test_settle_waits_for_a_run_that_began_afterwards(runs, work):
    work.gate.clear()
    runs.kick("a")
    await eventually(lambda: work.started)
    settling = asyncio.create_task(runs.settle("a"))
    await asyncio.sleep(0)
    assert not settling.done()
    work.gate.set()
    await settling
    assert work.finished == ["a", "a"]


async def test_settle_returns_where_the_work_fails(runs, work):
    work.errors.append(ValueError("boom"))
    with capture_logs() as logs:
        await asyncio.wait_for(runs.settle("a"), 2)
    assert logs[0]["task"] == "work"


async def test_a_kick_during_a_run_that_fails_is_not_forgotten(runs, work):
    work.gate.clear()
    work.errors.append(ValueError("boom"))
    with capture_logs():
        runs.kick("a")
        await eventually(lambda: work.started)
        runs.kick("a")
        work.gate.set()
        await eventually(lambda: work.finished == ["a"])


async def test_a_failure_without_another_kick_is_not_repeated(runs, work):
    work.errors.extend([ValueError("boom"), ValueError("never")])
    with capture_logs():
        await runs.settle("a")
    assert work.started == ["a"]


async def test_a_failure_can_be_tried_again_by_itself(work, tasks):
    runs = OnePerKey(work, "work", tasks, again=0.01)
    work.errors = [ValueError("a bug"), ValueError("again")]
    with capture_logs():
        runs.kick("a")
        await eventually(lambda: work.finished == ["a"])
    assert work.started == ["a"] * 3


async def test_it_can_be_kicked_again_after_it_was_stopped_before_it_began(runs, work, tasks):
    runs.kick("a")
    await tasks.cancel()
    assert not work.started
    await asyncio.wait_for(runs.settle("a"), 2)
    assert work.finished == ["a"]


async def test_being_stopped_is_no_reason_to_run_again(runs, work, tasks):
    work.gate.clear()
    runs.kick("a")
    await eventually(lambda: work.started)
    runs.kick("a")
    await tasks.cancel()
    work.gate.set()
    for _ in range(10):
        await asyncio.sleep(0)
    assert work.started == ["a"]
    assert not work.finished


async def test_what_has_to_be_finished_is_finished_though_the_caller_is_cancelled():
    tasks, gate, done = Tasks(), asyncio.Event(), []

    async def work():
        await gate.wait()
        done.append(True)

    caller = asyncio.create_task(tasks.finish(work(), "work"))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    gate.set()
    await asyncio.gather(caller, return_exceptions=True)
    assert caller.cancelled()
    assert done == [True]


async def test_what_is_finished_gives_its_result_or_its_error():
    tasks = Tasks()

    async def fail():
        raise LookupError

    assert await tasks.finish(asyncio.sleep(0, "result"), "work") == "result"
    with pytest.raises(LookupError):
        await tasks.finish(fail(), "work")


async def test_an_answer_is_given_before_the_work_is_over():
    tasks, gate, done = Tasks(), asyncio.Event(), []

    async def work(result):
        result.set_result("early")
        await gate.wait()
        done.append(True)

    assert await tasks.answer(work, "work") == "early"
    assert not done
    gate.set()
    await eventually(lambda: done)


async def test_what_fails_before_the_answer_is_raised_and_what_fails_afterwards_is_logged():
    tasks = Tasks()

    async def fail(result):
        raise LookupError

    async def answer_and_fail(result):
        result.set_result(1)
        raise LookupError

    with pytest.raises(LookupError):
        await tasks.answer(fail, "work")
    with capture_logs() as logs:
        assert await tasks.answer(answer_and_fail, "work") == 1
        await eventually(lambda: logs)
    assert [(line["event"], line["task"]) for line in logs] == [("task.failed", "work")]


async def test_what_is_to_be_answered_is_finished_though_the_caller_is_cancelled():
    tasks, gate, done = Tasks(), asyncio.Event(), []

    async def work(result):
        await gate.wait()
        if not result.done():
            result.set_result(None)
        done.append(True)

    caller = asyncio.create_task(tasks.answer(work, "work"))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    gate.set()
    await asyncio.gather(caller, return_exceptions=True)
    assert caller.cancelled()
    assert done == [True]


async def test_a_run_of_the_callers_own_is_one_of_the_runs(runs, work):
    work.gate.clear()
    caller = asyncio.create_task(runs.run("a"))
    await eventually(lambda: work.started)
    runs.kick("a")
    await runs.run("a")  # leaves it to the run that is under way
    assert "a" in runs
    work.gate.set()
    await caller
    assert work.finished == ["a", "a"]
    assert "a" not in runs


async def test_what_fails_in_the_callers_run_is_tried_again_and_not_the_callers_business(work, tasks):
    runs = OnePerKey(work, "runs", tasks, again=0.01)
    work.errors.append(RuntimeError("once"))
    with capture_logs() as logs:
        await runs.run("a")
    assert [line["event"] for line in logs] == ["task.failed"]
    await eventually(lambda: work.finished == ["a"])


async def test_a_caller_who_is_stopped_leaves_no_run_behind(runs, work):
    work.gate.clear()
    caller = asyncio.create_task(runs.run("a"))
    await eventually(lambda: work.started)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    assert "a" not in runs
    work.gate.set()
    await runs.run("a")
    assert work.finished == ["a"]
