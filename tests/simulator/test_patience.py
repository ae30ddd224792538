import pytest

from simulator import EndReason, SimulatorSettings, State
from simulator.clock import Clock

START = {"live_agent_only": "true"}


@pytest.fixture
def settings(receiver):
    return SimulatorSettings(callback_url=receiver.url, speed=0)


def kinds(body):
    return [item.get("actionType") or item["uiType"] for item in body["body"]]


@pytest.fixture
def advance(simulator, receiver):
    """Return a function that lets time pass and returns what was called back meanwhile."""

    async def pass_time(seconds):
        before = len(receiver.bodies)
        await simulator.advance(seconds)
        await simulator.wait_until_sent()
        return receiver.bodies[before:]

    return pass_time


async def test_an_idle_requester_is_reminded_and_timed_out(chat, advance):
    assert await advance(239) == []
    (reminder,) = await advance(1)  # 180 s, late by the job that runs every 120 s
    assert kinds(reminder) == ["System"]
    assert reminder["body"][0]["message"] == "The conversation is timing out, are you still there?"
    assert reminder["agentChat"] is True
    assert await advance(119) == []
    goodbye, switch = await advance(1)
    assert goodbye["body"][0]["message"] == "It seems you have left the conversation."
    assert (kinds(switch), switch["completed"]) == (["SwitchToVirtualAgent"], True)
    assert (chat.state, chat.end_reason) == (State.ENDED, EndReason.REQUESTER_IDLE)
    assert await advance(10_000) == []


async def test_without_the_job_it_is_exact(chat, settings, advance, client):
    settings.idle_job_period = 0
    await client.send(text="I am here")
    assert await advance(179) == []
    assert len(await advance(1)) == 1
    assert len(await advance(180)) == 2


async def test_a_message_starts_the_wait_anew(chat, client, advance):
    await advance(240)
    await client.send(text="Yes, I am")
    assert await advance(239) == []
    (reminder,) = await advance(1)
    assert kinds(reminder) == ["System"]


async def test_typing_and_what_the_agent_says_are_no_sign_of_the_requester(
    chat, client, simulator, receiver, advance
):
    await advance(200)
    await client.send("TYPING")
    await simulator.say(chat, "Are you there?")
    assert [kinds(body) for body in await advance(40)][-1] == ["System"]


async def test_the_wait_may_begin_with_the_agents_first_answer(route, settings, simulator, advance):
    settings.idle_after_agent_answer = True
    settings.idle_job_period = 0
    chat = await route(agent="Dana")
    assert await advance(1000) == []
    await simulator.say(chat, "hello")
    assert len(await advance(180)) == 2  # what was said, and the reminder


@pytest.mark.parametrize(("profile", "kind"), [("app_4x", "System"), ("reminder_as_text", "OutputText")])
async def test_the_kind_of_the_reminder(chat, settings, advance, profile, kind):
    settings.profile = profile
    assert kinds((await advance(240))[0]) == [kind]


async def test_no_timeouts_where_they_are_switched_off(chat, settings, client, advance):
    settings.idle_reminder = settings.idle_timeout = 0
    await client.send(text="hello")
    assert await advance(100_000) == []
    assert chat.state is State.LIVE


async def test_waiting_is_told_anew_as_its_words_change(route, simulator, receiver, advance):
    await simulator.change_wait_time(240)
    await route()
    told = [body["body"][0]["waitTime"] for body in await advance(300)]
    assert told == ["3 Minutes", "2 Minutes", "60 Seconds"]


@pytest.mark.parametrize("ends", [True, False])
async def test_the_longest_wait_of_a_queue(route, simulator, settings, advance, ends):
    settings.queue_timeout_ends = ends
    simulator.change_queue("IT Service Desk", max_wait=600)
    chat = await route()
    assert await advance(599) == []
    (body,) = await advance(1)
    assert kinds(body) == ["OutputText", "EndSpinner", "SwitchToVirtualAgent"]
    assert body["body"][0]["value"].startswith("All our live agents are still busy")
    assert body.get("completed", False) is ends
    assert "agentChat" not in body
    assert chat.state is (State.ENDED if ends else State.BOT)
    assert chat.end_reason is (EndReason.QUEUE_TIMEOUT if ends else None)


async def test_a_longest_wait_changed_later_counts_for_who_waits_already(route, simulator, advance):
    await route()
    simulator.change_queue("IT Service Desk", max_wait=60)
    assert len(await advance(60)) == 1


async def test_an_idle_chat_with_the_bot_ends_in_silence(client, simulator, receiver, advance):
    await client.send("START_CONVERSATION")
    await simulator.wait_until_sent()
    await advance(3599)
    await client.send(text="hi")
    await simulator.wait_until_sent()
    assert simulator.chat("u1").state is State.BOT
    assert await advance(2 * 3600) == []
    assert simulator.chat("u1").end_reason is EndReason.BOT_IDLE


async def test_a_forgotten_chat_says_nothing_more(chat, simulator, advance):
    simulator.reset()
    assert await advance(1000) == []


async def test_the_clock_can_be_passed_in(receiver):
    from simulator import Simulator

    clock = Clock(0)
    assert Simulator(SimulatorSettings(callback_url=receiver.url), clock=clock).clock is clock


async def test_tokens_live_on_the_instances_clock(client, simulator, advance):
    form = {"grant_type": "client_credentials"}
    _, token = await client.request("POST", "/oauth_token.do", data=form)
    await advance(1798)
    assert simulator.tokens.is_valid(token["access_token"])
    await advance(2)
    assert not simulator.tokens.is_valid(token["access_token"])
