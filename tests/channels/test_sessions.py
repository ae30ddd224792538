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


# -- who it is, for the live agent ------------------------------------------------------

EMAIL = "ann@example.com"


async def email_at_the_desk(stage, client):
    opening = await stage.open(client)
    return stage.simulator.chat(opening.handoff.live_chat_user).email


async def test_the_desk_learns_the_email_that_the_token_proves(locked):
    ann = await locked.join(token=token(email=EMAIL))
    assert await email_at_the_desk(locked, ann) == EMAIL


async def test_another_claim_may_hold_it(tmp_path):
    async with play(
        tmp_path, handoff_webchat_jwt_key=KEY, handoff_webchat_email_claim="preferred_username"
    ) as stage:
        ann = await stage.join(token=token(email="other@example.com", preferred_username=EMAIL))
        assert await email_at_the_desk(stage, ann) == EMAIL


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"email": None},
        {"email": "not an address"},
        {"email": ["ann@example.com"]},
        {"email": "a@" + "x" * 300},
        {"email": EMAIL, "email_verified": False},
    ],
)
async def test_without_a_proven_address_the_desk_learns_none(locked, claims):
    ann = await locked.join(token=token(**claims))
    assert await email_at_the_desk(locked, ann) is None


async def test_a_browser_cannot_say_whose_email_it_has(tmp_path):
    async with play(tmp_path) as stage:
        eve = await stage.join(token=token(email="boss@example.com"))  # nobody verifies tokens here
        claims = {"email": "boss@example.com", "emailId": "boss@example.com", "requester": {"email": "boss"}}
        await eve.say("hello", metadata=claims)
        await eve.expect("echo: hello")
        assert await email_at_the_desk(stage, eve) is None


async def test_metadata_does_not_replace_the_proven_email(locked):
    ann = await locked.join(token=token(email=EMAIL))
    await ann.say("hello", metadata={"email": "boss@example.com", "time_zone": "Europe/Zurich"})
    await ann.expect("echo: hello")
    assert await email_at_the_desk(locked, ann) == EMAIL


async def test_an_address_that_a_newer_token_does_not_name_is_forgotten(locked):
    ann = await locked.join(token=token(email=EMAIL))
    again = await locked.join(ann.session_id, token=token())
    assert await email_at_the_desk(locked, again) is None


async def test_a_refused_join_changes_nobodys_address(locked):
    ann = await locked.join(token=token("ann", email=EMAIL))
    await locked.join(ann.session_id, token=token("eve", email="eve@example.com"))
    assert await email_at_the_desk(locked, ann) == EMAIL


async def test_what_the_browser_says_of_itself_reaches_the_desk(tmp_path):
    async with play(tmp_path) as stage:
        client = await stage.join()
        about = {"time_zone": "Europe/Zurich", "language": "de-CH", "device": "phone"}
        await client.say("hello", metadata=about | {"page": "https://intranet.example.com/?session=secret"})
        await client.expect("echo: hello")
        opening = await stage.open(client)
        known = stage.simulator.chat(opening.handoff.live_chat_user).context
        assert known["deviceTimeZone"] == "Europe/Zurich"
        assert known["requester_session_language"] == "de"
        assert known["liveagent_deviceType"] == "phone"
        assert known["page_url"] == "https://intranet.example.com/"
