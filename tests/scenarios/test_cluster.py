"""Two processes, one requester: what reaches one is shown by the other, and one takes over from the other.

Real processes with a simple bot, behind a real nginx, on a PostgreSQL and a Redis of the test's own.
"""

from __future__ import annotations

import asyncio
import signal

import aiohttp
import pytest
import pytest_asyncio

from tests.scenarios.conftest import heard
from tests.support.cluster import open_cluster
from tests.support.waiting import eventually

pytestmark = [pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]

SECONDS = 12.0  # within which another process has taken over; a lease lasts for four


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cluster")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(folder):
    async with open_cluster(folder) as cluster:
        yield cluster


@pytest_asyncio.fixture(loop_scope="module")
async def cluster(opened):
    """Both processes are alive, and the desk calls back to the first."""
    for server in opened.servers:
        if not server.is_alive:
            await server.begin()
    opened.simulator.settings.callback_url = opened.servers[0].callback_url
    yield opened
    for client in opened.clients:
        await client.leave()
    opened.clients.clear()


def texts(client, sender):
    return [m["text"] for m in client.messages if m["metadata"]["sender"] == sender]


async def test_a_callback_that_reaches_one_process_is_shown_to_a_requester_on_the_other(cluster):
    _, other = cluster.servers
    client = await cluster.join(other.url)
    chat = await cluster.go_live(client)
    await client.expect_state("live")
    for number in range(3):
        await cluster.simulator.say(chat, f"hello {number}")
    await client.expect("hello 2")
    assert texts(client, "agent") == ["hello 0", "hello 1", "hello 2"]
    await cluster.simulator.end(chat)
    await client.expect("exit: ")
    await client.expect_state("ended")
    assert [text.startswith("exit: ") for text in texts(client, "bot")].count(True) == 1


async def test_that_the_live_agent_types_and_has_taken_a_message_is_shown_on_the_other_process(cluster):
    _, other = cluster.servers
    client = await cluster.join(other.url)
    receipts = []
    client.socket.on("receipt", receipts.append)
    chat = await cluster.go_live(client)
    said = await client.say("can you hear me")
    await eventually(lambda: {"message_id": said["message_id"], "state": "delivered"} in receipts, within=15)
    await cluster.simulator.type(chat)
    await eventually(lambda: any(typing["on"] for typing in client.typing), within=15)


async def test_tabs_on_both_processes_show_everything_once_and_in_order(cluster):
    one, other = cluster.servers
    left = await cluster.join(one.url)
    right = await cluster.join(other.url, left.session_id)
    await left.say("from the left")
    await right.expect("echo: from the left")
    await right.say("from the right")
    await left.expect("echo: from the right")
    chat = await cluster.go_live(right)
    await left.say("one")
    await right.say("two")
    await cluster.simulator.say(chat, "three")
    for tab in (left, right):
        await tab.expect("three")
        await tab.expect("two")
        await tab.expect("one")
        seqs = [m["metadata"]["seq"] for m in tab.messages]
        assert seqs == sorted(set(seqs))
    assert [m["text"] for m in left.messages] == [m["text"] for m in right.messages]
    await eventually(lambda: heard(chat) == ["one", "two"], within=15)


async def test_a_conversation_moves_to_another_process_and_misses_nothing(cluster):
    one, other = cluster.servers
    before = await cluster.join(one.url)
    chat = await cluster.go_live(before)
    await cluster.simulator.say(chat, "before")
    await before.expect("before")
    await before.leave()
    await cluster.simulator.say(chat, "meanwhile")
    seen = max(m["metadata"]["seq"] for m in before.messages)
    after = await cluster.join(other.url, before.session_id, seen)
    await after.expect("meanwhile")
    await after.say("and on")
    await eventually(lambda: heard(chat) == ["and on"], within=15)
    assert texts(after, "agent") == ["meanwhile"]


async def test_a_turn_of_the_bot_whose_process_is_killed_is_finished_by_another(cluster):
    one, other = cluster.servers
    await one.begin("bot.answer:before")
    client = await cluster.join(one.url)
    assert (await client.say("are you there"))["accepted"]
    await one.wait_for_death()
    again = await cluster.join(other.url, client.session_id)
    await again.expect("echo: are you there", within=SECONDS)
    assert texts(again, "bot") == ["echo: are you there"]
    assert len({event["id"] for event in cluster.heard_by_bot("are you there")}) == 1


async def test_what_a_killed_process_was_posting_to_the_desk_is_posted_by_another(cluster):
    one, other = cluster.servers
    cluster.simulator.settings.callback_url = other.callback_url
    client = await cluster.join(other.url)
    chat = await cluster.go_live(client)
    await one.begin("desk.send:before")
    beside = await cluster.join(one.url, client.session_id)
    assert (await beside.say("do not lose me"))["accepted"]
    await one.wait_for_death()
    await eventually(lambda: heard(chat) == ["do not lose me"], within=SECONDS)


async def test_the_end_of_a_chat_is_told_once_though_the_process_that_tells_it_is_killed(cluster):
    one, other = cluster.servers
    client = await cluster.join(other.url)
    chat = await cluster.go_live(client)
    await other.kill()
    await one.begin("bot.start_flow:before")
    await cluster.simulator.end(chat)
    await one.wait_for_death()
    await other.begin()
    again = await cluster.join(other.url, client.session_id)
    await again.expect("exit: ", within=SECONDS)
    await again.say("and back")
    await again.expect("echo: and back", within=SECONDS)
    assert sum(text.startswith("exit: ") for text in texts(again, "bot")) == 1


async def test_a_handoff_that_is_overdue_is_ended_by_one_process(cluster):
    _, other = cluster.servers
    client = await cluster.join(other.url)
    await client.say("agent never comes")
    await client.expect("exit: ", within=40)  # HANDOFF_QUEUED_TIMEOUT of the stage is 12 seconds
    assert sum(text.startswith("exit: ") for text in texts(client, "bot")) == 1
    user = cluster.simulator.chats[-1].user_id
    ends = [
        r for r in cluster.simulator.requests if user in str(r.body) and "END_CONVERSATION" in str(r.body)
    ]
    assert len(ends) == 1


async def test_without_redis_everything_is_shown_a_little_later(cluster):
    _, other = cluster.servers
    client = await cluster.join(other.url)
    chat = await cluster.go_live(client)
    await cluster.services.redis.stop(signal.SIGKILL)
    try:
        await cluster.simulator.say(chat, "while redis is away")
        await client.expect("while redis is away")
    finally:
        await cluster.services.redis.start()
    await cluster.simulator.say(chat, "and after")
    await client.expect("and after")
    await cluster.simulator.end(chat)
    await client.expect_state("ended")
    assert texts(client, "agent") == ["while redis is away", "and after"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["in_order", "crash"])
async def test_a_restart_of_postgresql_loses_nothing(cluster, how):
    _, other = cluster.servers
    client = await cluster.join(other.url)
    chat = await cluster.go_live(client)
    restarting = asyncio.create_task(cluster.services.postgres.restart(how, 1.0))
    await asyncio.sleep(0.3)
    saying = asyncio.create_task(cluster.simulator.say(chat, "while it restarts"))
    said = await client.say("me too")
    await asyncio.gather(restarting, saying)
    assert said["accepted"]
    await client.expect("while it restarts", within=20)
    await eventually(lambda: heard(chat) == ["me too"], within=20)
    await cluster.simulator.end(chat)
    await client.expect("exit: ", within=20)
    assert texts(client, "agent") == ["while it restarts"]


async def test_nginx_passes_a_callback_on_where_a_process_is_dead(cluster):
    one, other = cluster.servers
    cluster.simulator.settings.callback_url = f"{cluster.url}/webhooks/servicenow/callback"
    client = await cluster.join(other.url)
    chat = await cluster.go_live(client)
    await one.kill()
    for number in range(4):
        await cluster.simulator.say(chat, f"still {number}")
    await client.expect("still 3")
    assert texts(client, "agent") == [f"still {number}" for number in range(4)]
    exchanges = [e for e in cluster.simulator.callbacks if "still" in str(e.body)]
    assert {e.status for e in exchanges} == {200}


async def test_nginx_carries_web_sockets_and_hides_the_rest(cluster):
    client = await cluster.join(cluster.url)
    await client.say("through the front door")
    await client.expect("echo: through the front door")
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{cluster.url}/status") as answer:
            assert answer.status == 404
        async with http.get(f"{cluster.url}/chat/") as answer:
            assert "handoff_route" in answer.headers.get("Set-Cookie", "")
