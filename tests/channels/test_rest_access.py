"""Who is let into the REST channel, and which refusals there are."""

import asyncio
import time

import jwt
import pytest

from tests.support.stage import play

TOKEN = "t0ken-of-a-system-that-is-long-enough"
KEY = "a key for tests that is long enough for every algorithm: 64 bytes and more"
OPEN = {"handoff_rest_trusted_network": True}
LONG = 86400  # seconds; some tokens are made when the tests are collected, long before they are used


@pytest.fixture
def opened(tmp_path):
    return lambda **settings: play(tmp_path, **settings)


@pytest.fixture
async def stage(opened):
    async with opened(**OPEN) as running:
        yield running


def signed(subject: str | None = "ann", key: str = KEY, algorithm: str = "HS256", **claims) -> str:
    claims = {"exp": int(time.time()) + LONG, **claims}
    return jwt.encode(claims | ({"sub": subject} if subject else {}), key, algorithm=algorithm)


async def test_without_any_setting_nobody_is_let_in_and_told_why(opened):
    async with opened() as stage:
        reply = await stage.rest().post({"sender": "c1", "message": "hello"})
        assert (reply.status, reply.body["error"]) == (403, "channel_closed")
        assert "HANDOFF_REST_TOKEN" in reply.body["detail"]
        assert stage.bot.heard == []


async def test_a_shared_token_speaks_for_every_sender(opened):
    async with opened(handoff_rest_token=TOKEN) as stage:
        for sender in ("c1", "c2"):
            assert (await stage.rest(sender, token=TOKEN).say("hello")).texts == ["echo: hello"]


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", signed()])
async def test_without_the_token_every_route_is_refused(opened, token):
    async with opened(handoff_rest_token=TOKEN) as stage:
        client = stage.rest("c1", token=token)
        for reply in (
            await client.post({"sender": "c1", "message": "hello"}),
            await client.get("/conversations/c1"),
            await client.get("/conversations/c1/events"),
        ):
            assert (reply.status, reply.body["error"]) == (401, "not_authenticated")
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")
            assert ("No token came" in reply.body["detail"]) is not bool(token)
        assert stage.bot.heard == []


async def test_a_signed_token_speaks_for_its_subject_only(opened):
    async with opened(handoff_rest_jwt_key=KEY) as stage:
        assert (await stage.rest("ann", token=signed()).say("hello")).texts == ["echo: hello"]
        ann = stage.rest("bob", token=signed())
        for reply in (
            await ann.post({"sender": "bob", "message": "hello"}),
            await ann.get("/conversations/bob"),
            await ann.get("/conversations/bob/events"),
        ):
            assert (reply.status, reply.body["error"]) == (403, "other_sender")


async def test_a_signed_token_does_not_enter_a_conversation_of_another_subject(opened):
    async with opened(handoff_rest_jwt_key=KEY) as stage:
        async with (await stage.bridge()).backend.ledger.entry() as entry:
            await entry.conversations.bind("ann", "somebody else")
        reply = await stage.rest(token=signed()).post({"sender": "ann", "message": "hello"})
        assert reply.status == 403


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (signed(key="another key that is long enough for every algorithm: 64 bytes and more"), "another key"),
        (signed(exp=int(time.time()) - 10), "expired"),
        (signed(nbf=int(time.time()) + LONG), "not valid yet"),
        (signed(aud="a helpdesk"), "no 'aud'"),
        (signed(subject=None), "no 'sub'"),
        (jwt.encode({"sub": ["ann"], "exp": int(time.time()) + LONG}, KEY), "'sub' must be a text"),
        (signed(algorithm="HS512"), "not signed with HS256"),
        (jwt.encode({"sub": "ann"}, None, algorithm="none"), "not signed with HS256"),
        ("ann", "not a signed one"),
    ],
    ids=["forged", "expired", "early", "audience", "no sub", "odd sub", "algorithm", "unsigned", "none"],
)
async def test_a_bad_token_is_refused_and_what_is_wrong_with_it_said(opened, bad, why):
    async with opened(handoff_rest_jwt_key=KEY) as stage:
        reply = await stage.rest(token=bad).post({"sender": "ann", "message": "hello"})
        assert (reply.status, reply.body["error"]) == (401, "not_authenticated")
        assert why in reply.body["detail"].partition(" Send the header")[0]
        assert reply.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


async def test_what_a_forged_token_claims_is_not_spoken_of(opened):
    """Whoever has not the key learns nothing else than that."""
    forged = signed(key="another key that is long enough for every algorithm: 64 bytes and more", exp=1)
    async with opened(handoff_rest_jwt_key=KEY) as stage:
        reply = await stage.rest(token=forged).post({"sender": "ann", "message": "hello"})
        assert "expired (" not in reply.body["detail"]


async def test_both_ways_may_be_open_at_once(opened):
    async with opened(handoff_rest_token=TOKEN, handoff_rest_jwt_key=KEY) as stage:
        await stage.rest("ann", token=signed()).say("hello")
        await stage.rest("ann", token=TOKEN).say("hello")


# -- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"\xff", "JSON"),
        (b"[" * 100_000, "JSON"),
        ([], "object"),
        ({"message": "hello"}, "'sender'"),
        ({"sender": "", "message": "hello"}, "'sender'"),
        ({"sender": 7, "message": "hello"}, "'sender'"),
        ({"sender": "a\nb", "message": "hello"}, "'sender'"),
        ({"sender": "\ud800", "message": "hello"}, "'sender'"),
        ({"sender": "c" * 256, "message": "hello"}, "'sender'"),
        ({"sender": "c1"}, "'message'"),
        ({"sender": "c1", "message": " "}, "'message'"),
        ({"sender": "c1", "message": ["hello"]}, "'message'"),
        ({"sender": "c1", "message": "hello", "message_id": 7}, "'message_id'"),
        ({"sender": "c1", "message": "hello", "message_id": ""}, "'message_id'"),
        ({"sender": "c1", "message": "hello", "metadata": "x"}, "'metadata'"),
        ({"sender": "c1", "message": "hello", "last_seen": -1}, "'last_seen'"),
        ({"sender": "c1", "message": "hello", "last_seen": True}, "'last_seen'"),
        ({"sender": "c1", "message": "hello", "last_seen": 1.5}, "'last_seen'"),
    ],
)
async def test_a_wrong_body_is_refused_by_the_name_of_what_is_wrong(stage, body, named):
    reply = await stage.rest().post(body)
    assert (reply.status, reply.body["error"]) == (400, "bad_request")
    assert named in reply.body["detail"]
    assert stage.bot.heard == []


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "after=1.5", "wait=soon", "wait=-1", "wait=nan", "wait=inf"]
)
async def test_a_wrong_query_is_refused(stage, query):
    reply = await stage.rest().get(f"/conversations/c1/events?{query}")
    assert reply.status == 400
    assert query.partition("=")[0] in reply.body["detail"]


async def test_a_place_that_cannot_be_is_as_good_as_the_last(stage):
    client = stage.rest()
    await client.say("hello")
    reply = await client.poll(after=10**30)
    assert reply.body["next"] == 2
    assert (await client.say("more")).texts == ["echo: more"]


async def test_a_long_message_and_a_large_body_are_refused(opened):
    async with opened(**OPEN, handoff_message_limit=10) as stage:
        client = stage.rest()
        reply = await client.post({"sender": "c1", "message": "x" * 11})
        assert (reply.status, reply.body["error"]) == (413, "message_too_long")
        reply = await client.post({"sender": "c1", "message": "x", "metadata": {"x": "x" * 100_000}})
        assert (reply.status, reply.body["error"]) == (413, "body_too_large")
        assert (await client.say("🖨" * 10)).texts == ["echo: " + "🖨" * 10]


async def test_a_conversation_that_never_was_is_not_found(stage):
    reply = await stage.rest().get("/conversations/nobody")
    assert (reply.status, reply.body["error"]) == (404, "unknown_conversation")


async def test_too_many_that_wait_for_one_sender_are_refused(stage):
    client = stage.rest("c1")
    polls = [asyncio.create_task(client.poll(wait=30)) for _ in range(17)]
    done, waiting = await asyncio.wait(polls, return_when=asyncio.FIRST_COMPLETED)
    (refused,) = [task.result() for task in done]
    assert (refused.status, refused.body["error"]) == (429, "too_many_waiting")
    assert refused.headers["Retry-After"] == "1"
    await stage.rest("c2").say("hello")
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
