import json

import pytest

from handoff.context import UNKNOWN, Context
from handoff.settings import Start
from servicenow.bot_integration import BotIntegrationDesk
from servicenow.context_variables import write_person, write_variables

KNOWN = Context(
    email="ann@example.com",
    time_zone="Europe/Zurich",
    language="de-CH",
    page="https://intranet.example.com/help",
    device="phone",
    queue="IT",
    skills="network",
    routing_language="de",
)


def test_what_is_known_has_the_instances_names():
    assert write_variables(KNOWN, {}) == {
        "deviceTimeZone": "Europe/Zurich",
        "requester_session_language": "de",
        "liveagent_deviceType": "phone",
        "page_url": "https://intranet.example.com/help",
        "LiveAgent_queue": "IT",
        "LiveAgent_mandatory_skills": "network",
        "language": "de",
    }
    assert write_person(KNOWN) == {"emailId": "ann@example.com", "timezone": "Europe/Zurich"}


def test_what_is_unknown_is_left_out():
    assert write_variables(UNKNOWN, {}) == write_person(UNKNOWN) == {}


def test_a_chat_wins_over_the_settings():
    configured = {"LiveAgent_queue": "General", "app_name": "rasa"}
    assert write_variables(Context(queue="VIP"), configured) == {"LiveAgent_queue": "VIP", "app_name": "rasa"}


@pytest.fixture
def open_(make_instance, server, make_handoff):
    """Open a chat; the requests that were sent, by action."""

    async def open_with(start, context=KNOWN, **variables):
        desk = BotIntegrationDesk(make_instance(server.url), start=start, variables=variables)
        await desk.open(make_handoff(context=context), ())
        return [json.loads(request.raw) for request in server.requests]

    return open_with


@pytest.mark.parametrize("start", Start)
async def test_every_way_to_ask_carries_it(open_, start):
    for body in await open_(start, app_name="rasa"):
        assert body["emailId"] == "ann@example.com"
        assert body["timezone"] == "Europe/Zurich"
        assert body["contextVariables"]["LiveAgent_queue"] == "IT"
        assert body["contextVariables"]["app_name"] == "rasa"


async def test_a_setting_cannot_take_away_what_brings_the_chat_to_a_person(open_):
    (body,) = await open_(Start.LIVE_AGENT_ONLY, live_agent_only="false", interaction_client_session_id="x")
    assert body["contextVariables"]["live_agent_only"] == "true"
    assert body["contextVariables"]["interaction_client_session_id"] == body["clientSessionId"]


async def test_nothing_known_is_nothing_sent(open_):
    (body,) = await open_(Start.START_THEN_AGENT, UNKNOWN)
    assert not {"emailId", "timezone", "contextVariables"} & body.keys()
