"""A client that knows nothing of handoffs talks to the bot, to a live agent, and to the bot again."""

import asyncio
import base64
import json

import pytest

from channels.rest import HandoffRest
from channels.servicenow import ServiceNowCallback
from channels.webchat import WebChat
from tests.scenarios.conftest import heard
from tests.support.rest_client import RestClient
from tests.support.waiting import eventually
from tests.support.web_server import Answer, WebServer

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(240)]

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OPEN = {"HANDOFF_REST_TRUSTED_NETWORK": "true"}


async def ask_for_person(client):
    """Go through the entry flow as any REST client does: text, a button's payload, text."""
    (question,) = (await client.say("I want to talk to a person")).body
    (yes,) = [b["payload"] for b in question["buttons"] if b["title"].startswith("Yes")]
    assert any("In one sentence" in text for text in (await client.say(yes)).texts)
    reply = await client.say("My laptop does not start")
    assert any("A live agent will join you" in text for text in reply.texts)


async def test_the_whole_story_with_a_restart_in_the_middle(open_helpdesk):
    async with open_helpdesk(**OPEN) as helpdesk:
        client = RestClient(helpdesk.url)
        await client.say("hello")
        await ask_for_person(client)
        chat = await eventually(lambda: helpdesk.simulator.chats and helpdesk.simulator.chats[-1])
        await helpdesk.simulator.accept(chat, agent="Dana")
        await client.expect("Dana has joined")
        reply = await client.say("It is a notebook")
        assert (reply.state, reply.texts[-1]) == ("live", "Dana has joined the chat.")
        await eventually(lambda: heard(chat)[-1:] == ["It is a notebook"], within=15)
        await helpdesk.simulator.say(chat, "Hold the power button")
        await client.expect("Hold the power button")
    # The process ends here; the chat at the desk goes on, and its end is found at the restart.
    async with open_helpdesk(**OPEN) as helpdesk:
        back = RestClient(helpdesk.url, client.session_id)
        reply = await back.say("/end_chat")
        assert reply.texts[0] == "Hold the power button"
        client.heard += back.heard
        await back.expect("Welcome back", within=30)
        await back.say("hello again")
        client.heard += back.heard[len(reply.body) :]
        texts = client.texts
        assert sum("Welcome back" in text for text in texts) == 1
        told = [message["metadata"]["message_id"] for message in client.heard]
        assert len(told) == len(set(told))
        assert told == [message["metadata"]["message_id"] for message in await back.said()]


async def test_a_client_that_is_pushed_to_in_all_three_ways(open_helpdesk):
    async with WebServer().serve() as receiver:
        receiver.answer(Answer(status=503), Answer(status=503))  # then it is well again
        variables = {**OPEN, "HANDOFF_REST_WEBHOOK_SECRET": SECRET}
        async with open_helpdesk(make_channels=lambda: channels(receiver.url), **variables) as helpdesk:
            client = RestClient(helpdesk.url)
            async with client.stream() as events:
                await ask_for_person(client)
                chat = await eventually(lambda: helpdesk.simulator.chats and helpdesk.simulator.chats[-1])
                await helpdesk.simulator.accept(chat, agent="Dana")
                await events.expect("Dana has joined")
                polling = asyncio.create_task(client.poll(after=events.last, wait=30))
                await helpdesk.simulator.say(chat, "Good morning")
                await events.expect("Good morning")
                assert (await polling).texts_of_messages == ["Good morning"]
                await eventually(lambda: posted(receiver)[2:] == ["Good morning"], within=30)


def channels(url):
    """As from `credentials.yml` with this address."""
    return [
        WebChat.from_credentials(None),
        HandoffRest.from_credentials({"webhook_url": f"{url}/rasa"}),
        ServiceNowCallback.from_credentials(None),
    ]


def posted(receiver) -> list[str]:
    return [json.loads(request.raw)["data"].get("text") for request in receiver.requests]
