"""Two processes of the trained assistant on one tracker store: each handoff is in it once.

Real processes with Rasa in them, by its public API, on a PostgreSQL and a Redis of the test's own.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import closing

import psycopg2
import pytest
import pytest_asyncio

from chaos.history import read_events
from tests.support.cluster import TRACKERS, open_cluster
from tests.support.waiting import eventually

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(400), pytest.mark.asyncio(loop_scope="module")]

WITHIN = 60.0  # seconds for what takes a few on a machine that does nothing else


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory, model_path):
    folder = tmp_path_factory.mktemp("recorded")
    async with open_cluster(folder, model_path, HANDOFF_TRACKER_RECORD="transcript") as cluster:
        cluster.simulator.settings.callback_url = cluster.servers[0].callback_url
        yield cluster


@pytest_asyncio.fixture(loop_scope="module")
async def cluster(opened):
    yield opened
    for client in opened.clients:
        await client.leave()
    opened.clients.clear()


def ask(url, query):
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


async def read_records(cluster, *clients):
    """What Rasa has saved of handoffs, each with the conversation that it is kept with."""
    url = cluster.services.postgres.url.replace("/handoff", f"/{TRACKERS}")
    query = "SELECT sender_id, data FROM events WHERE type_name = 'agent' ORDER BY id"
    rows = await asyncio.to_thread(ask, url, query)
    ours = {client.session_id for client in clients}
    return [(sender, json.loads(data)["data"]) for sender, data in rows if sender in ours]


async def are_noted(cluster, *clients):
    """Whether the ledger knows of the record of each of these."""
    query = "SELECT conversation FROM handoffs WHERE recorded_at IS NOT NULL"
    noted = {
        conversation for (conversation,) in await asyncio.to_thread(ask, cluster.services.postgres.url, query)
    }
    return {client.session_id for client in clients} <= noted


async def go_live(cluster, client, agent, summary="My laptop does not start"):
    before = len(cluster.simulator.chats)
    await client.say("I want to talk to a person")
    await client.expect("Shall I ask a person", within=WITHIN)
    await client.say("/SetSlots(confirm_handoff=true)")
    await client.expect("In one sentence", within=WITHIN)
    await client.say(summary)
    await client.expect("A live agent will join you", within=WITHIN)
    await eventually(lambda: len(cluster.simulator.chats) > before)
    chat = cluster.simulator.chats[-1]
    await cluster.simulator.accept(chat, agent=agent)
    await client.expect(f"{agent} has joined", within=WITHIN)
    return chat


def write_lines(record):
    return [(line["sender"], line["text"]) for line in record["transcript"]]


async def test_each_handoff_is_recorded_once_by_one_of_two_processes(cluster):
    for server in cluster.servers:
        await server.begin()
    ann, bob = [await cluster.join(server.url) for server in cluster.servers]
    chat = await go_live(cluster, ann, "Dana")
    await go_live(cluster, bob, "Lee")
    await ann.say("It is a notebook")
    await cluster.simulator.say(chat, "Which one?")
    await ann.expect("Which one?", within=WITHIN)
    await asyncio.gather(cluster.simulator.end(chat), bob.say("/end_chat"))
    for client in (ann, bob):
        await client.expect("Welcome back", within=WITHIN)
    await eventually(lambda: are_noted(cluster, ann, bob), within=WITHIN)
    records = await read_records(cluster, ann, bob)
    assert sorted(sender for sender, _ in records) == sorted([ann.session_id, bob.session_id])
    anns, bobs = (dict(records)[client.session_id] for client in (ann, bob))
    assert (anns["live_agents"], anns["end_reason"], anns["channel"]) == (["Dana"], "agent_ended", "webchat")
    assert (bobs["live_agents"], bobs["end_reason"]) == (["Lee"], "requester_ended")
    for record in (anns, bobs):
        assert record["requested_at"] <= record["joined_at"] <= record["ended_at"]
    assert write_lines(anns) == [("requester", "It is a notebook"), ("live_agent", "Which one?")]
    assert anns["messages"] == {"requester": 1, "live_agent": 1, "not_delivered": 0}
    assert write_lines(bobs) == []


async def test_who_is_killed_between_the_end_and_the_record_leaves_it_to_the_other(cluster):
    """One dies before it writes, the other after it wrote, whoever is first; a third life looks again."""
    one, other = cluster.servers
    await one.begin("bot.add_record:before")
    await other.begin("bot.add_record:after")
    client = await cluster.join(one.url)
    chat = await go_live(cluster, client, "Dana")
    await cluster.simulator.end(chat)
    for server in cluster.servers:
        await server.wait_for_death()
    events = read_events([cluster.folder / "server.jsonl"])
    deaths = [event["label"] for event in events if event["kind"] == "died"]
    assert sorted(deaths) == ["bot.add_record:after", "bot.add_record:before"]
    assert not await are_noted(cluster, client)
    await other.begin()
    await eventually(lambda: are_noted(cluster, client), within=WITHIN)
    ((_, record),) = await read_records(cluster, client)
    assert (record["live_agents"], record["end_reason"]) == (["Dana"], "agent_ended")
