import asyncio
import json
from dataclasses import replace

import pytest

from handoff.desk import Confirming, Joined, Queued, Refused, Said
from handoff.errors import DeskBusy, DeskRejected, DeskUnavailable
from handoff.handoff import EndReason, State
from handoff.message import Receipt
from handoff.opening import Outcome
from handoff.settings import Start
from servicenow.bot_integration import OPENING_STEPS, PATH
from simulator import State as ChatState
from tests.support.ledger_rows import find, messages
from tests.support.office import HISTORY, heard
from tests.support.waiting import eventually
from tests.support.web_server import Answer

GREETING = Said(text="Hi", from_agent=False)


@pytest.fixture
def desk(make_desk, server):
    """A desk whose requests are looked at, byte by byte."""
    return make_desk(server.url)


def bodies(server):
    return [json.loads(request.raw) for request in server.requests]


# -- requests ---------------------------------------------------------------------------


@pytest.mark.covers("4 no action")
async def test_every_request_says_who_and_whose(desk, server, make_handoff, clock):
    handoff = make_handoff()
    await desk.send(handoff, "m1", "Hello")
    ((body,), (request,)) = bodies(server), server.requests
    assert request.path == PATH
    assert body == {
        "requestId": "m1",
        "clientSessionId": handoff.id,
        "userId": "rasa-user",
        "timestamp": int(clock.timestamp() * 1000),
        "clientVariables": {"handoff": handoff.id},
        "message": {"text": "Hello", "typed": True, "clientMessageId": "m1"},
    }


async def test_a_choice_is_sent_as_not_typed(desk, server, make_handoff):
    await desk.send(make_handoff(), "m1", "hw-2", typed=False)
    assert bodies(server)[0]["message"] == {"text": "hw-2", "typed": False, "clientMessageId": "m1"}


@pytest.mark.parametrize("start", Start)
async def test_absent_keys_are_left_out(make_desk, server, make_handoff, start):
    """An attachment of null once hid the text (reference section 17)."""
    desk, handoff = make_desk(server.url, start=start), make_handoff()
    await desk.open(handoff, ())
    await desk.proceed(handoff, GREETING)
    await desk.send(handoff, "m1", "Hello")
    await desk.type(handoff, on=True)
    await desk.end(handoff)
    for body in bodies(server):
        assert None not in body.values()
        assert not {"attachment", "history", "appInboundId"} & body.keys()


@pytest.mark.covers("7.1 appInboundId")
async def test_the_inbound_id_is_in_every_request(make_desk, server, make_handoff):
    desk, handoff = make_desk(server.url, app_inbound_id="inbound"), make_handoff()
    await desk.open(handoff, HISTORY)
    await desk.type(handoff, on=True)
    await desk.end(handoff)
    assert {body["appInboundId"] for body in bodies(server)} == {"inbound"}


async def test_a_repeated_message_keeps_its_ids(desk, server, make_handoff):
    handoff = make_handoff()
    server.answer(Answer(drop=True))
    with pytest.raises(DeskUnavailable):
        await desk.send(handoff, "m1", "Hello")
    await desk.send(handoff, "m1", "Hello")
    first, second = bodies(server)
    assert first["requestId"] == second["requestId"] == "m1"
    assert first["message"] == second["message"]


async def test_other_requests_have_ids_of_their_own(desk, server, make_handoff):
    handoff = make_handoff()
    await desk.open(handoff, HISTORY)
    await desk.end(handoff)
    ids = [body["requestId"] for body in bodies(server)]
    assert len(set(ids)) == len(ids) == 4


@pytest.mark.covers("4 END_CONVERSATION")
async def test_leaving_sends_an_empty_text(desk, server, make_handoff):
    await desk.end(make_handoff())
    (body,) = bodies(server)
    assert (body["action"], body["message"]) == ("END_CONVERSATION", {"text": "", "typed": True})


def test_the_requesters_name_is_stable_and_hides_the_conversation(desk):
    name = desk.name_requester("secret-session-id")
    assert name == desk.name_requester("secret-session-id")
    assert name != desk.name_requester("another")
    assert "secret" not in name
    assert len(name) <= 40


# -- what was said before ---------------------------------------------------------------


async def test_history_is_an_array_with_milliseconds_as_strings(make_desk, server, make_handoff, clock):
    desk = make_desk(server.url, start=Start.LIVE_AGENT_ONLY)
    await desk.open(make_handoff(summary="Printer on fire"), HISTORY)
    (body,) = bodies(server)
    assert body["history"] == [
        {
            "displayName": "Assistant",
            "isBotMessage": True,
            "timestamp": str(int(clock.timestamp() * 1000)),
            "type": "text",
            "value": "Summary: Printer on fire",
        },
        {
            "displayName": "Requester",
            "isBotMessage": False,
            "timestamp": "1700000000500",
            "type": "text",
            "value": "My printer burns",
        },
        {
            "displayName": "Assistant",
            "isBotMessage": True,
            "timestamp": "1700000001000",
            "type": "text",
            "value": "Oh dear",
        },
    ]


@pytest.mark.parametrize("history", [(), HISTORY])
async def test_history_is_sent_only_where_there_is_one(desk, server, make_handoff, history):
    await desk.open(make_handoff(), history)
    actions = [body["action"] for body in bodies(server)]
    assert ("SEND_HISTORY" in actions) == bool(history)


# -- starts -----------------------------------------------------------------------------


@pytest.mark.covers(
    "4 CREATE_CONVERSATION", "4 START_CREATED_CONVERSATION", "4 SEND_HISTORY", "7.4 CreateConversation"
)
async def test_create_then_start_skips_the_bot_and_reads_the_ids(desk, server, make_handoff):
    item = {"uiType": "ActionMsg", "actionType": "CreateConversation", "interactionId": "i1"}
    spinner = {"uiType": "ActionMsg", "actionType": "StartSpinner", "waitTime": "8 Seconds"}
    queue = {"uiType": "ActionMsg", "actionType": "SubscribeToSupportQueue", "supportQueue": "{@type=x}"}
    server.answer(
        Answer(body=json.dumps({"body": [item]})),
        Answer(),
        Answer(body=json.dumps({"body": [spinner, queue], "agentChat": True})),
    )
    handoff = make_handoff()
    opened = await desk.open(handoff, HISTORY)
    assert opened.chat_id == "i1"
    assert opened.events == (Queued(wait_time="8 Seconds", entered=True),)
    create, history, start = bodies(server)
    assert [body["action"] for body in (create, history, start)] == [
        "CREATE_CONVERSATION",
        "SEND_HISTORY",
        "START_CREATED_CONVERSATION",
    ]
    for body in (create, start):
        assert body["syncResponse"] is True
        assert body["contextVariables"] == {
            "live_agent_only": "true",
            "interaction_client_session_id": handoff.id,
        }
    assert "syncResponse" not in history


async def test_an_app_that_answers_later_is_waited_for(desk, make_handoff):
    opened = await desk.open(make_handoff(), ())
    assert (opened.chat_id, opened.events) == (None, ())


@pytest.mark.covers("4 START_CONVERSATION")
async def test_live_agent_only_is_one_request(make_desk, server, make_handoff):
    await make_desk(server.url, start=Start.LIVE_AGENT_ONLY).open(make_handoff(), ())
    (body,) = bodies(server)
    assert body["action"] == "START_CONVERSATION"
    assert body["contextVariables"]["live_agent_only"] == "true"


@pytest.mark.covers("4 AGENT")
async def test_start_then_agent_starts_with_the_bot(make_desk, server, make_handoff):
    desk, handoff = make_desk(server.url, start=Start.START_THEN_AGENT), make_handoff()
    await desk.open(handoff, ())
    assert await desk.proceed(handoff, GREETING)
    assert await desk.proceed(handoff, Confirming(choice="Live Agent Support."))
    start, agent, confirm = bodies(server)
    assert (start["action"], "contextVariables" in start) == ("START_CONVERSATION", False)
    assert (agent["action"], agent["message"]["text"]) == ("AGENT", "")
    assert "action" not in confirm
    assert confirm["message"] == {"text": "Live Agent Support.", "typed": False}


@pytest.mark.parametrize("event", [Queued(), Joined(), Refused()])
async def test_other_events_need_no_answer(make_desk, server, make_handoff, event):
    assert not await make_desk(server.url, start=Start.START_THEN_AGENT).proceed(make_handoff(), event)
    assert not server.requests


@pytest.mark.parametrize("start", [Start.CREATE_START, Start.LIVE_AGENT_ONLY])
async def test_the_other_starts_do_not_talk_with_the_bot(make_desk, server, make_handoff, start):
    assert not await make_desk(server.url, start=start).proceed(make_handoff(), GREETING)
    assert not server.requests


async def test_a_bot_that_keeps_greeting_is_not_asked_without_end(make_desk, server, make_handoff):
    desk = make_desk(server.url, start=Start.START_THEN_AGENT)
    handoff = replace(make_handoff(), opening_step=OPENING_STEPS)
    assert not await desk.proceed(handoff, GREETING)
    assert not server.requests


# -- answers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        '{"status":"failure","error":{"message":"Failed to add request to queue","detail":"x"}}',
        '{"status":"failure"}',
        '{"status":"error"}',
        "<!DOCTYPE html><html>Hibernating</html>",
        "\n <html>",
    ],
)
async def test_an_answer_of_200_that_is_no_success_may_pass(desk, server, make_handoff, body):
    server.default = Answer(body=body)
    with pytest.raises(DeskUnavailable):
        await desk.send(make_handoff(), "m1", "Hello")


@pytest.mark.parametrize(
    "body", ['{"status":"success"}', "{}", "Message Processed Successfully", "", "[]", "null"]
)
async def test_an_answer_that_nobody_can_read_counts_as_accepted(desk, server, make_handoff, body):
    server.default = Answer(body=body)
    await desk.send(make_handoff(), "m1", "Hello")


async def test_a_failed_step_ends_the_opening(desk, server, make_handoff):
    server.answer(Answer(), Answer(503, "{}"))
    with pytest.raises(DeskUnavailable):
        await desk.open(make_handoff(), HISTORY)
    assert len(server.requests) == 2


# -- typing -----------------------------------------------------------------------------


async def test_typing_is_throttled_per_handoff(desk, server, make_handoff, clock):
    one, two = make_handoff(), make_handoff()
    for handoff in (one, one, two, one):
        await desk.type(handoff, on=True)
    assert [body["clientSessionId"] for body in bodies(server)] == [one.id, two.id]
    clock.advance(2.9)
    await desk.type(one, on=True)
    clock.advance(0.1)
    await desk.type(one, on=True)
    assert [body["action"] for body in bodies(server)] == ["TYPING"] * 3


@pytest.mark.parametrize("between", ["pause", "send", "end"])
async def test_after_a_pause_or_a_message_typing_shows_at_once(desk, server, make_handoff, between):
    handoff = make_handoff()
    await desk.type(handoff, on=True)
    if between == "pause":
        await desk.type(handoff, on=False)
    elif between == "send":
        await desk.send(handoff, "m1", "Hello")
    else:
        await desk.end(handoff)
    await desk.type(handoff, on=True)
    assert [body.get("action") for body in bodies(server)][-1] == "TYPING"
    assert len(server.requests) == 3


@pytest.mark.covers("4 TYPING and VIEWING")
async def test_ceasing_to_type_is_viewing(desk, server, make_handoff):
    await desk.type(make_handoff(), on=False)
    assert bodies(server)[0]["action"] == "VIEWING"


# -- the whole way, against the simulator -----------------------------------------------


@pytest.mark.parametrize("start", Start)
async def test_a_chat_from_the_first_word_to_the_last(make_office, simulator, start):
    office = await make_office(start)
    opening = await office.open(summary="Printer on fire")
    assert opening.outcome is Outcome.QUEUED
    assert opening.wait_time == "30 Seconds"
    (chat,) = simulator.chats
    assert chat.user_id == office.desk.name_requester("c1")
    assert [(line.text, line.is_bot) for line in chat.history] == [
        ("Summary: Printer on fire", True),
        ("My printer burns", False),
        ("Oh dear", True),
    ]

    handoff = await find(office.ledger, opening.handoff)
    assert handoff.live_chat_id == chat.interaction_id
    early = await office.type_in(handoff, "Anybody there?")
    await simulator.accept(chat, agent="Dana")
    live = await office.until(handoff, State.LIVE)
    assert live.live_agent_name == "Dana"
    late = await office.type_in(live, "It burns!")
    await simulator.wait_for(lambda: heard(chat)[-1:] == ["It burns!"])
    await simulator.say(chat, "Help is on its way.")
    await simulator.end(chat)
    ended = await office.until(handoff, State.ENDED)
    assert ended.end_reason is EndReason.AGENT_ENDED

    assert heard(chat)[-2:] == ["Anybody there?", "It burns!"]
    await eventually(lambda: "Help is on its way." in office.front.lines)
    assert office.front.lines.count("Help is on its way.") == 1
    shown = [line for line in office.front.lines if line.startswith(("utter_live_agent_joined", "Help"))]
    assert shown == ["utter_live_agent_joined", "Help is on its way."]
    receipts = {m.id: m.receipt for m in await messages(office.ledger)}
    assert receipts[early.id] is receipts[late.id] is Receipt.SENT


@pytest.mark.parametrize("start", Start)
async def test_nobody_available_is_heard_at_once_or_by_callback(make_office, simulator, start):
    simulator.available = False
    office = await make_office(start)
    opening = await office.open()
    assert opening.outcome is Outcome.NOBODY_AVAILABLE
    async with office.ledger.entry() as entry:
        assert await entry.handoffs.owing_exit("c1") is None


@pytest.mark.parametrize("start", Start)
async def test_after_nobody_was_available_it_can_be_tried_again(make_office, simulator, start):
    simulator.available = False
    office = await make_office(start)
    await office.open()
    simulator.available = True
    assert (await office.open()).outcome is Outcome.QUEUED


async def test_a_question_whether_an_agent_is_wanted_is_answered(make_office, simulator):
    """Virtual Agent may ask to confirm with a Picker (reference section 8)."""
    office = await make_office(Start.START_THEN_AGENT)
    simulator.fail("silent", times=1, action="AGENT")
    opening = asyncio.create_task(office.open())
    await simulator.wait_for(lambda: [r for r in simulator.requests if r.action == "AGENT" and r.status])
    user = office.desk.name_requester("c1")
    # Typed as a requester would, the word "agent" makes Virtual Agent ask.
    await office.desk.send(await office.current(), "m1", "agent")
    result = await opening
    assert result.outcome is Outcome.QUEUED
    confirmed = simulator.requests[-1].body["message"]
    assert confirmed == {"text": "Live Agent Support.", "typed": False}
    assert simulator.chat(user).state is ChatState.QUEUED


@pytest.mark.parametrize("start", Start)
@pytest.mark.parametrize("state", [State.QUEUED, State.LIVE])
async def test_a_requester_who_leaves_leaves_no_dead_chat_behind(make_office, simulator, start, state):
    office = await make_office(start)
    handoff = (await office.open()).handoff
    (chat,) = simulator.chats
    if state is State.LIVE:
        await simulator.accept(chat)
        await office.until(handoff, State.LIVE)
    await office.relay.leave(handoff, EndReason.REQUESTER_ENDED)
    ended = await office.until(handoff, State.ENDED)
    assert (ended.end_reason, ended.leave_failed) == (EndReason.REQUESTER_ENDED, False)
    assert chat.state is ChatState.ENDED


async def test_news_about_the_wait_reaches_the_requester(make_office, simulator):
    office = await make_office()
    handoff = (await office.open()).handoff
    await simulator.change_wait_time(300)
    await eventually(lambda: "utter_live_chat_waiting" in office.front.lines)
    assert (await find(office.ledger, handoff)).wait_time == "5 Minutes"


async def test_typing_goes_both_ways(make_office, simulator):
    office = await make_office()
    handoff = (await office.open()).handoff
    (chat,) = simulator.chats
    await simulator.accept(chat, agent="Dana")
    live = await office.until(handoff, State.LIVE)
    await office.relay.type(live, on=True)
    assert chat.requester_typing
    await office.relay.type(live, on=False)
    assert not chat.requester_typing
    await simulator.type(chat, on=True)
    await eventually(lambda: office.front.typing == [("c1", True, "Dana")])


async def test_a_live_agent_whose_name_is_hidden_is_heard_too(make_office, simulator, simulator_settings):
    simulator_settings.show_agent_name = False
    office = await make_office()
    handoff = (await office.open()).handoff
    (chat,) = simulator.chats
    await simulator.accept(chat)
    await office.until(handoff, State.LIVE)
    await simulator.say(chat, "Hello")
    await eventually(lambda: "Hello" in office.front.lines)


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("outage", DeskUnavailable),
        ("reset", DeskUnavailable),
        ("lost", DeskUnavailable),
        ("failure", DeskUnavailable),
        ("html", DeskUnavailable),
        ("500", DeskUnavailable),
        ("429", DeskBusy),
        ("400", DeskRejected),
        ("401", DeskRejected),
        ("403", DeskRejected),
        ("405", DeskRejected),
    ],
)
async def test_every_way_to_fail_has_its_error(make_desk, instance_url, simulator, make_handoff, mode, error):
    simulator.fail(mode, times=1)
    with pytest.raises(error) as raised:
        await make_desk(instance_url).send(make_handoff(), "m1", "Hello")
    assert type(raised.value) is error
    await make_desk(instance_url).send(make_handoff(), "m1", "Hello")


@pytest.mark.parametrize("mode", ["outage", "reset", "failure", "html", "429"])
async def test_a_message_survives_an_instance_that_is_away_for_a_moment(make_office, simulator, mode):
    office = await make_office()
    handoff = (await office.open()).handoff
    (chat,) = simulator.chats
    await simulator.accept(chat)
    live = await office.until(handoff, State.LIVE)
    simulator.fail(mode, times=1, action="message")
    await office.type_in(live, "one")
    await office.type_in(live, "two")
    await simulator.wait_for(lambda: heard(chat) == ["one", "two"])


async def test_an_instance_that_refuses_gives_the_conversation_back(make_office, simulator):
    office = await make_office()
    handoff = (await office.open()).handoff
    (chat,) = simulator.chats
    await simulator.accept(chat)
    live = await office.until(handoff, State.LIVE)
    simulator.fail("403", action="message")
    await office.type_in(live, "help")
    ended = await office.until(handoff, State.ENDED)
    assert ended.end_reason is EndReason.DESK_ERROR
    assert chat.state is ChatState.ENDED
    await eventually(lambda: "utter_message_not_delivered" in office.front.lines)


@pytest.mark.parametrize("start", Start)
async def test_an_instance_that_is_away_is_an_outcome(make_office, simulator, start):
    office = await make_office(start)
    simulator.fail("outage")
    assert (await office.open()).outcome is Outcome.DESK_UNREACHABLE


async def test_an_instance_that_says_yes_and_does_nothing_is_given_up_in_time(make_office, simulator):
    """Token and signature errors show only in the instance's logs (reference section 3)."""
    office = await make_office(Start.LIVE_AGENT_ONLY, requested=0.3)
    simulator.fail("silent")
    opening = await office.open(patience=0.05)
    assert opening.outcome is Outcome.REQUESTED
    ended = await office.until(opening.handoff, State.ENDED)
    assert ended.end_reason is EndReason.DESK_UNREACHABLE
    await eventually(lambda: office.front.states[-1:] == [State.ENDED])


# -- a synchronous channel ------------------------------------------------------------------


@pytest.mark.parametrize("start", [Start.CREATE_START, Start.LIVE_AGENT_ONLY])
async def test_on_a_synchronous_channel_the_answer_says_what_is_called_back_elsewhere(
    make_office, simulator, start
):
    simulator.settings.profile = "sync_channel"
    office = await make_office(start)
    opening = await office.open()
    assert (opening.outcome, opening.wait_time) == (Outcome.QUEUED, "30 Seconds")
    chat = await simulator.accept(simulator.chats[-1], agent="Dana")
    live = await office.until(await find(office.ledger, opening.handoff), State.LIVE)
    await office.type_in(live, "It burns!")
    await simulator.wait_for(lambda: heard(chat) == ["It burns!"])


@pytest.mark.parametrize("start", [Start.CREATE_START, Start.LIVE_AGENT_ONLY])
async def test_on_a_synchronous_channel_nobody_is_heard_of_at_once(make_office, simulator, start):
    simulator.settings.profile = "sync_channel"
    simulator.available = False
    office = await make_office(start)
    assert (await office.open()).outcome is Outcome.NOBODY_AVAILABLE
