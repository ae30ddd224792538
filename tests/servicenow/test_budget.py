import asyncio

import pytest
from structlog.testing import capture_logs

from handoff.errors import DeskBusy
from servicenow.bot_integration import PATH, BotIntegrationDesk
from servicenow.budget import AT_ONCE, SHORT, Budget, Spending
from servicenow.incident import PATH as INCIDENTS
from tests.support.clock import ManualClock
from tests.support.waiting import eventually
from tests.support.web_server import Answer

RESET = 2_000_000_000.0


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def budget(clock):
    async def sleep(seconds):
        clock.advance(seconds)

    return Budget("api", now=clock.timestamp, sleep=sleep)


def limited(limit, reset=RESET):
    return {"X-RateLimit-Limit": str(limit), "X-RateLimit-Reset": str(int(reset)), "X-RateLimit-Rule": "r"}


def spend(budget, count, limit):
    for _ in range(count):
        budget.note(200, limited(limit))


# -- pauses -----------------------------------------------------------------------------


async def test_a_long_pause_is_everybodys(budget, clock):
    budget.note(429, {"Retry-After": "60"})
    clock.advance(10)
    with pytest.raises(DeskBusy) as busy:
        async with budget.spend("another chat"):
            pass
    assert busy.value.retry_after == pytest.approx(50)


async def test_after_the_pause_all_goes_on(budget, clock):
    budget.note(429, {"Retry-After": "60"})
    clock.advance(60)
    async with budget.spend("a"):
        assert budget.can_spare


async def test_a_short_pause_is_sat_out(budget, clock):
    budget.note(429, {"Retry-After": str(int(SHORT))})
    before = clock.timestamp()
    async with budget.spend("a"):
        assert clock.timestamp() - before == pytest.approx(SHORT)


async def test_a_429_that_names_no_time_pauses_for_a_moment(budget):
    budget.note(429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})
    assert not budget.can_spare
    async with budget.spend("a"):
        assert budget.can_spare


async def test_a_shorter_pause_does_not_shorten_a_longer_one(budget):
    budget.note(429, {"Retry-After": "60"})
    budget.note(429, {"Retry-After": "1"})
    with pytest.raises(DeskBusy):
        async with budget.spend("a"):
            pass


def test_a_pause_is_logged_once(budget):
    with capture_logs() as logs:
        for _ in range(3):
            budget.note(429, {"Retry-After": "60"})
    assert [log["event"] for log in logs] == ["rate_limit.reached"]


# -- what is left -----------------------------------------------------------------------


def test_without_a_named_limit_there_is_room(budget):
    budget.note(200, {})
    assert budget.level is None
    assert budget.can_spare


def test_what_is_left_is_counted(budget):
    spend(budget, 3, 100)
    assert (budget.level.limit, budget.level.left, budget.level.resets_at) == (100, 97, RESET)


def test_below_a_fifth_only_what_must_be_sent_is_sent(budget):
    spend(budget, 80, 100)
    assert budget.can_spare
    spend(budget, 1, 100)
    assert not budget.can_spare


def test_a_low_level_is_warned_of_once_an_hour(budget):
    with capture_logs() as logs:
        spend(budget, 95, 100)
        budget.note(200, limited(100, RESET + 3600))
        for _ in range(85):
            budget.note(200, limited(100, RESET + 3600))
    assert [log["event"] for log in logs] == ["rate_limit.low", "rate_limit.low"]
    assert logs[0] == {
        "event": "rate_limit.low",
        "log_level": "warning",
        "api": "api",
        "limit": 100,
        "left": 19,
    }


def test_a_new_hour_begins_afresh(budget, clock):
    reset = clock.timestamp() + 60
    for _ in range(95):
        budget.note(200, limited(100, reset))
    clock.advance(61)
    assert budget.level is None
    assert budget.can_spare


def test_a_refusal_says_that_others_have_used_the_rest(budget):
    budget.note(429, {**limited(100), "Retry-After": "0"})
    assert budget.level.left == 0
    assert not budget.can_spare


@pytest.mark.parametrize("broken", [{"X-RateLimit-Limit": "many"}, {"X-RateLimit-Reset": "1"}])
def test_headers_that_nobody_can_read_are_passed_over(budget, broken):
    budget.note(200, broken)
    assert budget.level is None


# -- over HTTP --------------------------------------------------------------------------


@pytest.fixture
def desk_of(make_instance):
    return lambda instance: BotIntegrationDesk(instance)


async def test_the_limit_of_one_api_does_not_stop_another(make_instance, server):
    instance = make_instance(server.url)
    server.answer(Answer(429, "{}", {"Retry-After": "600"}))
    with pytest.raises(DeskBusy):
        await instance.get(INCIDENTS)
    await instance.post(PATH, {})
    with pytest.raises(DeskBusy):
        await instance.get(INCIDENTS)
    assert len(server.requests) == 2


async def test_one_chats_429_holds_the_posts_of_all_without_asking_again(
    make_instance, desk_of, server, make_handoff
):
    desk = desk_of(make_instance(server.url))
    server.answer(Answer(429, "{}", {"Retry-After": "600"}))
    for _ in range(2):
        with pytest.raises(DeskBusy) as busy:
            await desk.send(make_handoff(), "m1", "Hello")
    assert busy.value.retry_after == pytest.approx(600, abs=30)
    assert len(server.requests) == 1


@pytest.mark.parametrize("used", [0, 1])
async def test_typing_is_dropped_first(make_instance, desk_of, server, make_handoff, used):
    instance = make_instance(server.url)
    desk, handoff = desk_of(instance), make_handoff()
    for _ in range(99 * used):
        instance.budget(PATH).note(200, limited(100))
    for on in (True, False):
        await desk.type(handoff, on=on)
    await desk.send(handoff, "m1", "Hello")
    assert len(server.requests) == (1 if used else 3)


async def test_a_crowd_in_one_chat_lets_the_other_through(make_instance, server):
    instance = make_instance(server.url)
    server.default = Answer(hang=True)
    crowd = [asyncio.create_task(instance.post(PATH, {"n": n}, chat="a")) for n in range(AT_ONCE + 20)]
    await eventually(lambda: len(server.requests) == AT_ONCE)
    assert not instance.budget(PATH).can_spare
    server.default = Answer()
    other = asyncio.create_task(instance.post(PATH, {"n": "b"}, chat="b"))
    await asyncio.sleep(0)
    crowd[0].cancel()
    crowd[1].cancel()
    await other
    assert any(b'"b"' in request.raw for request in server.requests[: AT_ONCE + 2])
    for task in crowd:
        task.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)


# -- several processes ------------------------------------------------------------------


@pytest.fixture
def other(clock):
    return Budget("api", now=clock.timestamp)


def tell(one, another):
    spending = one.tell()
    assert spending is not None
    another.hear(spending)


def test_what_one_process_spends_is_taken_off_in_the_other(budget, other):
    spend(budget, 30, limit=100)
    spend(other, 1, limit=100)
    tell(budget, other)
    assert other.level.left == 100 - 1 - 30
    tell(other, budget)
    assert budget.level == other.level


def test_what_was_told_is_not_told_again(budget, other):
    spend(budget, 30, limit=100)
    tell(budget, other)
    assert budget.tell() is None
    spend(budget, 1, limit=100)
    assert budget.tell().requests == 1


def test_what_was_heard_is_not_passed_on(budget, other):
    spend(budget, 30, limit=100)
    tell(budget, other)
    assert other.tell() is None


def test_both_processes_together_reach_what_is_kept_for_what_must_be_sent(budget, other):
    for one, another in ((budget, other), (other, budget)):
        spend(one, 41, limit=100)
        assert one.can_spare or one is other
        tell(one, another)
    assert not budget.can_spare
    assert not other.can_spare


def test_a_process_warns_of_what_the_others_have_spent(budget, other):
    spend(budget, 90, limit=100)
    with capture_logs() as logs:
        tell(budget, other)
    assert [line["event"] for line in logs] == ["rate_limit.low"]


async def test_a_pause_of_one_process_is_every_processs(budget, other, clock):
    budget.note(429, {"Retry-After": "60"})
    clock.advance(10)
    tell(budget, other)
    with pytest.raises(DeskBusy) as busy:
        async with other.spend("a chat"):
            pass
    assert busy.value.retry_after == pytest.approx(50)
    assert other.tell() is None


def test_a_refusal_leaves_nothing_in_any_process(budget, other):
    spend(other, 1, limit=100)
    budget.note(429, {**limited(100), "Retry-After": "0"})
    tell(budget, other)
    assert other.level.left == 0


def test_an_hour_that_is_over_is_not_counted(budget, other):
    spend(other, 1, limit=100)
    other.hear(Spending("api", 30, 100, RESET - 3600))
    assert other.level.left == 99


def test_what_was_spent_in_the_last_hour_is_not_told_of_this_one(budget, clock):
    spend(budget, 30, limit=100)
    budget.note(200, limited(100, RESET + 3600))
    assert budget.tell().requests == 1
