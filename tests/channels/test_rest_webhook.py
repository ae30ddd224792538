"""What is POSTed to a client's own address: signed, in order, again until it is taken."""

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from channels.rest_webhook import RestWebhook, find_url_problem, sign
from handoff.errors import LetterRefused
from handoff.settings import read_webhook_key
from tests.support.clock import ManualClock
from tests.support.stage import play
from tests.support.waiting import eventually
from tests.support.web_server import Answer, WebServer

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OTHER = "whsec_" + base64.b64encode(KEY[::-1]).decode()
OPEN = {"handoff_rest_trusted_network": True, "handoff_rest_webhook_secret": SECRET}


@pytest.fixture
async def receiver():
    async with WebServer().serve() as server:
        yield server


@pytest.fixture
async def stage(tmp_path, receiver):
    async with playing(tmp_path, receiver) as running:
        yield running


def playing(folder, receiver, **settings):
    rest = {"webhook_url": f"{receiver.url}/rasa", "first_wait": 0.05}
    return play(folder, rest=rest, **{**OPEN, **settings})


def received(receiver) -> list[str]:
    return [json.loads(request.raw)["data"].get("text") for request in receiver.requests]


async def post(stage, text, sender):
    """Of a client that is pushed everything."""
    body = {"sender": sender, "message": text}
    reply = await stage.rest(sender).post(body, Prefer="respond-async")
    assert reply.status == 202


async def test_the_bot_and_the_live_agent_are_heard_at_the_address(stage, receiver):
    await post(stage, "hello", "c1")
    await eventually(lambda: received(receiver) == ["echo: hello"])
    chat = await stage.go_live(stage.rest("c1"))
    await stage.simulator.say(chat, "Good morning")
    await eventually(lambda: "Good morning" in received(receiver), within=10)
    last = json.loads(receiver.requests[-1].raw)
    assert last["type"] == "conversation.message"
    assert datetime.fromisoformat(last["timestamp"]).tzinfo
    assert last["data"]["recipient_id"] == "c1"
    assert last["data"]["metadata"]["sender"] == "agent"
    assert last["data"]["handoff"] == {"state": "live", "name": "Dana"}


async def test_the_signature_is_that_of_the_specification(stage, receiver):
    await post(stage, "hello", "c1")
    await eventually(lambda: receiver.requests)
    (request,) = receiver.requests
    headers = {name.lower(): value for name, value in request.headers.items()}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.raw
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-id"] == json.loads(request.raw)["data"]["metadata"]["message_id"]
    assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60


async def test_the_specifications_own_library_accepts_what_is_posted(stage, receiver):
    """`standardwebhooks`, of the people who wrote the specification, as a receiver would use it."""
    await post(stage, "hello ✓", "c1")
    await eventually(lambda: receiver.requests)
    (request,) = receiver.requests
    headers = {name.lower(): value for name, value in request.headers.items()}
    read = Webhook(SECRET).verify(request.raw, headers)
    assert read["data"]["text"] == "echo: hello ✓"
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(request.raw, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.raw.replace(b"echo", b"Echo"), headers)


async def test_while_a_secret_is_replaced_receivers_with_either_accept_it(tmp_path, receiver):
    async with playing(tmp_path, receiver, handoff_rest_webhook_secret=f"{SECRET} {OTHER}") as stage:
        await post(stage, "hello", "c1")
        await eventually(lambda: receiver.requests)
    headers = {name.lower(): value for name, value in receiver.requests[0].headers.items()}
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(receiver.requests[0].raw, headers)


def test_a_signature_is_the_one_that_the_specifications_library_makes():
    """With the id, time, secret and body of that library's own tests."""
    secret, message_id = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    moment, body = datetime.fromtimestamp(1614265330, UTC), '{"test": 2432232314}'
    signed = f"{message_id}.{int(moment.timestamp())}.{body}".encode()
    ours = sign(read_webhook_key(secret), signed)
    assert ours == Webhook(secret).sign(message_id, moment, body)
    assert ours == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_receiver_that_fails_for_a_while_gets_all_in_order(stage, receiver):
    receiver.default = Answer(status=503)
    for number in range(3):
        await post(stage, f"q{number}", "c1")
    await eventually(lambda: len(receiver.requests) >= 3, within=10)
    assert set(received(receiver)) == {"echo: q0"}
    ids = {request.headers["webhook-id"] for request in receiver.requests}
    assert len(ids) == 1
    receiver.default = Answer()
    await eventually(lambda: received(receiver)[-1] == "echo: q2", within=10)
    assert received(receiver)[-3:] == ["echo: q0", "echo: q1", "echo: q2"]


async def test_one_conversation_does_not_wait_for_another(stage, receiver):
    receiver.answer(*[Answer(hang=True)])
    await post(stage, "stuck", "c1")
    await eventually(lambda: receiver.requests)
    await post(stage, "free", "c2")
    await eventually(lambda: "echo: free" in received(receiver))


async def test_what_an_answer_has_held_is_not_posted_as_well(stage, receiver):
    client = stage.rest("c1")
    assert (await client.say("hello")).texts == ["echo: hello"]
    chat = await stage.go_live(client)
    await stage.simulator.say(chat, "pushed")
    await eventually(lambda: "pushed" in received(receiver), within=10)
    assert (await client.say("thanks")).texts == []
    assert "echo: hello" not in received(receiver)


async def test_what_waited_behind_a_message_that_is_polled_is_posted(stage, receiver):
    receiver.answer(Answer(status=503, headers={"Retry-After": "3000"}))
    await post(stage, "one", "c1")
    await eventually(lambda: received(receiver) == ["echo: one"])
    await post(stage, "two", "c1")
    client = stage.rest("c1")
    (one, _) = await eventually(lambda: said_twice(client))
    await client.poll(after=one["metadata"]["seq"])
    await eventually(lambda: received(receiver) == ["echo: one", "echo: two"])


async def said_twice(client):
    said = await client.said()
    return said if len(said) == 2 else None


async def test_what_could_not_be_posted_is_in_the_next_answer(stage, receiver):
    receiver.default = Answer(status=500)
    await post(stage, "hello", "c1")
    await eventually(lambda: receiver.requests)
    assert (await stage.rest("c1").say("more")).texts == ["echo: hello", "echo: more"]
    async with (await stage.bridge()).backend.ledger.entry() as entry:
        assert await entry.letters.due() == []


async def test_letters_that_are_under_way_survive_a_restart(tmp_path, receiver):
    receiver.default = Answer(status=500)
    async with playing(tmp_path, receiver) as before:
        await post(before, "hello", "c1")
        await eventually(lambda: receiver.requests)
    receiver.default = Answer()
    receiver.requests.clear()
    async with playing(tmp_path, receiver):
        await eventually(lambda: received(receiver) == ["echo: hello"], within=10)


async def test_who_is_gone_for_good_is_asked_once(stage, receiver):
    receiver.default = Answer(status=410)
    await post(stage, "hello", "c1")

    async def is_dead():
        async with (await stage.bridge()).backend.ledger.entry() as entry:
            return await entry.letters.dead()

    (letter,) = await eventually(is_dead)
    assert letter.problem == "Answered 410"
    assert len(receiver.requests) == 1


async def test_the_web_chats_messages_are_not_posted(stage, receiver):
    browser = await stage.join()
    await browser.say("hello")
    await browser.expect("echo: hello")
    await browser.leave()
    await post(stage, "other", "c1")
    await eventually(lambda: received(receiver) == ["echo: other"])


# -- the POST itself ----------------------------------------------------------------------


@pytest.fixture
async def webhook(receiver):
    made = RestWebhook(receiver.url, f"{SECRET} {OTHER}", ManualClock(), patience=0.5)
    yield made
    await made.close()


async def test_while_a_secret_is_replaced_both_sign(webhook, receiver):
    await webhook.post("m1", {})
    signatures = receiver.requests[0].headers["webhook-signature"].split()
    assert len(set(signatures)) == 2
    assert all(signature.startswith("v1,") for signature in signatures)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(status=500), "Answered 500"),
        (Answer(status=302, headers={"Location": "/elsewhere"}), "Answered 302"),
        (Answer(drop=True), "No answer"),
        (Answer(hang=True), "No answer: TimeoutError"),
    ],
)
async def test_anything_but_a_2xx_is_a_failure(webhook, receiver, answer, reason):
    receiver.answer(answer)
    with pytest.raises(LetterRefused, match=reason) as refused:
        await webhook.post("m1", {"text": "private"})
    assert "private" not in str(refused.value)
    assert not refused.value.is_final
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("Sun, 01 Mar 2026 09:00:10 GMT", pytest.approx(10, abs=1)), ("soon", None), ("", None)],
)
async def test_a_wish_to_wait_is_read(webhook, receiver, value, seconds):
    receiver.answer(Answer(status=429, headers={"Retry-After": value}))
    with pytest.raises(LetterRefused) as refused:
        await webhook.post("m1", {})
    assert refused.value.retry_after == seconds


async def test_two_posts_at_once_share_a_session(webhook, receiver):
    await asyncio.gather(webhook.post("m1", {}), webhook.post("m2", {}))
    assert {request.headers["webhook-id"] for request in receiver.requests} == {"m1", "m2"}


async def test_its_representation_shows_neither_secret_nor_path(receiver):
    assert repr(RestWebhook("https://example.com/private", SECRET, ManualClock())) == (
        "RestWebhook('example.com')"
    )


@pytest.mark.parametrize("url", ["https://example.com/hook?x=1", "http://127.0.0.1:8000/", "http://[::1]/"])
def test_addresses_that_may_be_used(url):
    assert find_url_problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "http://example.com",
        "https://user:secret@example.com",
        "https://a b",
        7,
        "https://[",
        "https://example.com/#x",
        "ftp://example.com",
    ],
)
def test_addresses_that_are_refused(url):
    problem = find_url_problem(url)
    assert problem
    assert "secret" not in problem
