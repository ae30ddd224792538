"""Tokens: who may connect, and whose session is whose."""

import time
from uuid import uuid4

import jwt
import pytest
import socketio

from tests.support.stage import play

KEY = "a key for tests that is long enough for every algorithm: 64 bytes and more"


def token(subject: str | None = "ann", key: str = KEY, algorithm: str = "HS256", **claims) -> str:
    claims = {"exp": int(time.time()) + 60, **claims}
    return jwt.encode(claims | ({"sub": subject} if subject else {}), key, algorithm=algorithm)


@pytest.fixture
async def locked(tmp_path):
    async with play(tmp_path, handoff_webchat_jwt_key=KEY) as running:
        yield running


async def test_a_valid_token_opens_the_chat(locked):
    client = await locked.join(token=token())
    await client.say("hello")
    await client.expect("echo: hello")


async def test_a_bearer_prefix_does_no_harm(locked):
    assert (await locked.join(token="Bearer " + token())).session_id


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "",
        "nonsense",
        token(key="another key that is long enough for every algorithm: 64 bytes and more"),
        token(exp=int(time.time()) - 10),
        token(subject=None),
        token(algorithm="HS512"),
        jwt.encode({"sub": "ann"}, None, algorithm="none"),
    ],
    ids=["none", "empty", "nonsense", "forged", "expired", "no subject", "other algorithm", "unsigned"],
)
async def test_a_connection_without_a_valid_token_is_refused(locked, bad):
    with pytest.raises(socketio.exceptions.ConnectionError):
        await locked.join(token=bad)
    assert locked.bot.heard == []


async def test_a_session_belongs_to_the_subject_that_opened_it(locked):
    mine = str(uuid4())
    await locked.join(mine, token=token("ann"))
    thief = await locked.join(mine, token=token("eve"))
    assert thief.session_id is None
    assert thief.refusals
    assert (await thief.say("hello", session_id=mine))["accepted"] is False
    assert (await locked.join(mine, token=token("ann"))).session_id == mine


async def test_a_session_made_by_the_server_is_bound_too(locked):
    ann = await locked.join(token=token("ann"))
    assert (await locked.join(ann.session_id, token=token("eve"))).session_id is None


async def test_speaking_in_a_session_needs_the_same_right_as_joining_it(locked):
    ann = await locked.join(token=token("ann"))
    eve = await locked.join(token=token("eve"))
    assert (await eve.say("I am Ann", session_id=ann.session_id))["accepted"] is False
    assert locked.bot.heard == []
