"""The whole story in Slack: Rasa's own channel and the trained assistant, against Slack's Web API."""

import pytest

from channels.platform_slack import SlackChannel
from channels.servicenow import ServiceNowCallback
from channels.stock import HandoffChannel
from tests.scenarios.conftest import heard
from tests.support.slack import FakeSlack, SlackUser
from tests.support.waiting import eventually

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(240)]


async def test_from_the_bot_to_a_live_agent_and_back(open_helpdesk):
    async with FakeSlack().serve() as slack:

        def make_channels():
            return [HandoffChannel(SlackChannel.from_credentials(slack.credentials)), ServiceNowCallback()]

        async with open_helpdesk(make_channels=make_channels) as helpdesk:
            user = SlackUser(slack, helpdesk.url)
            await user.say("I want to talk to a person")
            await user.press(await user.expect("Shall I ask a person"), "Yes")
            await user.expect("In one sentence")
            await user.say("My laptop does not start")
            waiting = await user.expect("A live agent will join you")
            assert "/end_chat" not in waiting["text"]
            chat = await eventually(lambda: helpdesk.simulator.chats and helpdesk.simulator.chats[-1])
            await helpdesk.simulator.accept(chat, agent="Dana")
            await user.expect("Dana has joined")
            # Nobody in Slack has written since: the live agent speaks first, twice.
            await helpdesk.simulator.say(chat, "Good morning")
            await helpdesk.simulator.say(chat, "Which model is it?")
            await user.expect("*Dana:* Which model is it?")
            await user.say("A ThinkPad")
            await eventually(lambda: heard(chat)[-1:] == ["A ThinkPad"])
            await user.press(waiting, "Leave the chat")
            await user.expect("Welcome back")
            rating = await user.expect("from 1 (poor) to 5")
            await user.say("5")
            await eventually(lambda: len(slack.posts) > slack.posts.index(rating) + 1)
            told = slack.texts
            assert told.index("*Dana:* Good morning") < told.index("*Dana:* Which model is it?")
            assert len(told) == len(set(told))
            assert {post["channel"] for post in slack.posts} == {"D0ALEX"}
            tracker = await helpdesk.app.ctx.agent.tracker_store.retrieve(user.session_id)
            assert tracker.get_slot("handoff_active") is False
            assert tracker.get_latest_input_channel() == "slack"
