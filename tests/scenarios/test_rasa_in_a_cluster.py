"""The trained assistant, one process after the other, by Rasa's public API, with endpoints.cluster.yml."""

from __future__ import annotations

import shutil
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import make_url

from local.environment import ROOT
from tests.support import postgres
from tests.support.redis_server import serve_redis

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(240)]


@pytest.fixture
def tracker_database():
    with postgres.make_database(migrated=False) as url:
        yield make_url(url)


@pytest.fixture
def ledger_database():
    with postgres.make_database() as url:
        yield url


@pytest.fixture
async def redis(tmp_path):
    async with serve_redis(tmp_path) as service:
        yield service


@pytest.fixture
def endpoints(tmp_path):
    """A file of the test's own: Rasa keeps what it has read of one, with the variables of that moment."""
    return str(shutil.copy(ROOT / "endpoints.cluster.yml", tmp_path))


def cluster_variables(tracker_database, ledger_database, redis):
    return {
        "HANDOFF_DATABASE_URL": ledger_database,
        "HANDOFF_REDIS_URL": redis.url,
        "RASA_DB_HOST": tracker_database.host,
        "RASA_DB_PORT": str(tracker_database.port),
        "RASA_DB_NAME": tracker_database.database,
        "RASA_DB_USER": "postgres",
        "RASA_DB_PASSWORD": "",
        "RASA_REDIS_HOST": "127.0.0.1",
        "RASA_REDIS_PORT": str(redis.port),
        "RASA_REDIS_DB": "0",
        "RASA_REDIS_PASSWORD": "",
    }


async def test_what_one_process_was_told_the_other_knows(
    open_helpdesk, endpoints, tracker_database, ledger_database, redis
):
    variables = cluster_variables(tracker_database, ledger_database, redis)
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(open_helpdesk(endpoints=endpoints, **variables))
        client = await one.join()
        await client.say("I want to talk to a person")
        await client.expect("Shall I ask a person")
        session = client.session_id
    async with open_helpdesk(endpoints=endpoints, **variables) as other:
        again = await other.join(session)
        await again.say("/SetSlots(confirm_handoff=true)")
        await again.expect("In one sentence")
        await again.say("My laptop does not start")
        await again.expect("A live agent will join you")
        chat = other.simulator.chats[-1]
        await other.simulator.accept(chat, agent="Dana")
        await again.expect("Dana has joined")
        await other.expect_slot(again, "handoff_active", True)
        await other.simulator.end(chat)
        await again.expect("Welcome back")


async def test_while_redis_is_away_the_bot_waits_and_then_answers(
    open_helpdesk, endpoints, tracker_database, ledger_database, redis
):
    """Rasa's locks are there; the message is taken in, and its turn is repeated until it can run."""
    variables = cluster_variables(tracker_database, ledger_database, redis)
    async with open_helpdesk(endpoints=endpoints, **variables) as helpdesk:
        client = await helpdesk.join()
        await client.say("Hello")
        await client.expect("Hello")
        await redis.stop()
        accepted = await client.say("I want to talk to a person")
        assert accepted["accepted"]
        await redis.start()
        await client.expect("Shall I ask a person", within=60)
