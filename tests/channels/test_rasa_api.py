"""What we ask of Rasa, asked of a really trained assistant."""

import copy
import json
import re
from pathlib import Path
from uuid import uuid4

import pytest

from channels.rasa_api import RasaBot
from tests.support.assistant import quieten_rasa, train_assistant

pytestmark = pytest.mark.rasa

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def quiet_logs():
    with quieten_rasa():
        yield


@pytest.fixture(scope="module")
def agent():
    from tests.support.conversation import load_assistant

    with quieten_rasa():
        return load_assistant(train_assistant())


@pytest.fixture
def bot(agent):
    class Runtime:
        """As Rasa's RuntimeAgent: the agent that is loaded now."""

        def __init__(self):
            self.agent = agent

        async def handle_message(self, message):
            await self.agent.handle_message(message)

    return RasaBot(Runtime())


@pytest.fixture
def output():
    from rasa.core.channels.channel import CollectingOutputChannel

    return CollectingOutputChannel()


async def events(agent, conversation):
    return [event.as_dict() for event in (await agent.tracker_store.retrieve(conversation)).events]


async def test_an_identity_in_the_metadata_is_not_believed(bot, agent, output):
    conversation = str(uuid4())
    await bot.answer(
        conversation, "hello", output=output, message_id="m", metadata={"user_id": "admin", "page": "/vpn"}
    )
    said = next(e for e in await events(agent, conversation) if e["event"] == "user")
    assert said["metadata"]["page"] == "/vpn"
    assert "admin" not in str(said["metadata"])


async def test_the_same_message_id_is_answered_again_but_not_run_again(bot, agent, output):
    conversation = str(uuid4())
    for _ in range(2):
        await bot.answer(conversation, "hello", output=output, message_id="same")
    assert len([e for e in await events(agent, conversation) if e["event"] == "user"]) == 1
    assert len(output.messages) == 2


async def test_the_exit_flow_runs_from_outside_a_turn_and_once_per_id(bot, agent, output):
    conversation = str(uuid4())

    async def read(_present):
        return {"handoff_end_reason": "agent_ended", "handoff_active": True}

    await bot.set_slots(conversation, read)
    for _ in range(2):
        await bot.start_flow(conversation, "live_agent_ended", output=output, message_id="exit-1")
    started = [e["flow_id"] for e in await events(agent, conversation) if e["event"] == "flow_started"]
    assert started.count("live_agent_ended") == 1
    slots = (await agent.tracker_store.retrieve(conversation)).current_slot_values()
    assert slots["handoff_active"] is False


async def test_slots_are_left_alone_when_there_is_nothing_to_set(bot, agent):
    conversation = str(uuid4())

    async def read(_present):
        return None

    await bot.set_slots(conversation, read)
    assert await agent.tracker_store.retrieve(conversation) is None


async def test_slots_that_are_right_already_are_not_written_again(bot, agent):
    conversation = str(uuid4())

    async def read(_present):
        return {"handoff_active": True, "live_chat_id": "chat-1"}

    for _ in range(2):
        await bot.set_slots(conversation, read)
    set_ = [e["name"] for e in await events(agent, conversation) if e["event"] == "slot"]
    assert sorted(name for name in set_ if name in ("handoff_active", "live_chat_id")) == [
        "handoff_active",
        "live_chat_id",
    ]


async def test_the_slots_as_they_are_can_be_looked_at_first(bot):
    conversation, seen = str(uuid4()), []

    async def read(present):
        seen.append(present.get("live_chat_id"))
        return {"live_chat_id": "chat-1"}

    for _ in range(2):
        await bot.set_slots(conversation, read)
    assert seen == [None, "chat-1"]


# -- records --------------------------------------------------------------------------

RECORD = {"type": "handoff", "handoff_id": "h1", "transcript": [{"text": "my live agent's words"}]}


async def read_record():
    return RECORD


def records(found):
    return [event for event in found if event["event"] == "agent"]


async def test_a_record_is_kept_once_per_id_and_whoever_comes_later_is_not_asked(bot, agent):
    conversation = str(uuid4())
    await bot.add_record(conversation, "h1", read_record)

    async def refuse():
        raise AssertionError("it is there already")

    await bot.add_record(conversation, "h1", refuse)
    (event,) = records(await events(agent, conversation))
    assert event["data"] == RECORD
    assert event["metadata"]["handoff_record"] == "h1"
    await bot.add_record(conversation, "h2", read_record)
    assert len(records(await events(agent, conversation))) == 2


async def begin_session(agent, conversation):
    """As Rasa does after an hour of silence."""
    from rasa.shared.core.events import ActionExecuted, SessionStarted

    tracker = await agent.tracker_store.retrieve(conversation)
    for event in (ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")):
        tracker.update(event, agent.domain)
    await agent.tracker_store.save(tracker)


async def test_a_record_of_an_earlier_session_is_not_written_again(bot, agent, output):
    conversation = str(uuid4())
    await bot.answer(conversation, "hello", output=output, message_id="m1")
    await bot.add_record(conversation, "h1", read_record)
    await begin_session(agent, conversation)
    assert records(await events(agent, conversation)) == []  # only the new session is read
    await bot.add_record(conversation, "h1", read_record)
    whole = await agent.tracker_store.retrieve_full_tracker(conversation)
    assert len(records([event.as_dict() for event in whole.events])) == 1


async def test_nothing_is_kept_where_there_is_nothing_to_keep(bot, agent):
    conversation = str(uuid4())

    async def read():
        return None

    await bot.add_record(conversation, "h1", read)
    assert await agent.tracker_store.retrieve(conversation) is None


async def ask_for_summary(bot, output, conversation):
    """Up to the middle of a flow: a question is open, and its answer is a slot."""
    await bot.answer(conversation, "I want to talk to a person", output=output, message_id="m1")
    await bot.answer(conversation, "/SetSlots(confirm_handoff=true)", output=output, message_id="m2")


async def test_a_record_disturbs_no_flow_that_is_under_way(bot, agent, output):
    conversation = str(uuid4())
    await ask_for_summary(bot, output, conversation)
    before = await agent.tracker_store.retrieve(conversation)
    await bot.add_record(conversation, "h1", read_record)
    after = await agent.tracker_store.retrieve(conversation)
    assert after.stack.as_dict() == before.stack.as_dict()
    assert after.current_slot_values() == before.current_slot_values()
    assert after.latest_message.text == before.latest_message.text
    assert after.latest_action_name == before.latest_action_name
    assert after.followup_action == before.followup_action


async def test_the_turns_after_a_record_are_those_without_one(bot, agent, output):
    from rasa.core.channels.channel import CollectingOutputChannel

    said = []
    for with_record in (False, True):
        conversation, heard = str(uuid4()), CollectingOutputChannel()
        await bot.answer(conversation, "hello", output=heard, message_id="m1")
        if with_record:
            await bot.add_record(conversation, "h1", read_record)
        for number, text in enumerate(("what can you do", "I want to talk to a person", "cancel", "thanks")):
            await bot.answer(conversation, text, output=heard, message_id=f"n{number}")
        said.append([message.get("text") for message in heard.messages])
    assert said[0] == said[1]
    assert len(said[0]) > 4


async def test_a_conversation_can_begin_after_a_record_alone(bot, agent, output):
    conversation = str(uuid4())
    await bot.add_record(conversation, "h1", read_record)  # as after a store in memory was lost
    await bot.answer(conversation, "hello", output=output, message_id="m1")
    assert output.messages
    assert len(records(await events(agent, conversation))) == 1


async def test_no_prompt_of_a_language_model_holds_a_record(bot, agent, output):
    from rasa.shared.utils.llm import tracker_as_readable_transcript

    conversation = str(uuid4())
    await bot.answer(conversation, "hello", output=output, message_id="m1")
    await bot.add_record(conversation, "h1", read_record)
    tracker = await agent.tracker_store.retrieve(conversation)
    told = tracker_as_readable_transcript(tracker)
    assert "hello" in told
    assert "my live agent's words" not in told


async def test_the_history_for_the_next_live_agent_goes_without_it(bot, agent, output):
    from actions.history import read_history

    conversation = str(uuid4())
    await bot.answer(conversation, "hello", output=output, message_id="m1")
    before = read_history(await events(agent, conversation))
    await bot.add_record(conversation, "h1", read_record)
    assert read_history(await events(agent, conversation)) == before


@pytest.fixture
def published(agent, tmp_path):
    """An agent whose store is a file and whose event broker is another; with what the broker has."""
    from rasa.core.brokers.sql import SQLEventBroker
    from rasa.core.tracker_stores.sql_tracker_store import SQLTrackerStore

    broker = SQLEventBroker(db=str(tmp_path / "broker.db"))

    class Runtime:
        def __init__(self):
            self.agent = copy.copy(agent)
            self.agent.tracker_store = SQLTrackerStore(
                agent.domain, db=str(tmp_path / "trackers.db"), event_broker=broker
            )

        async def handle_message(self, message):
            await self.agent.handle_message(message)

    def read():
        with broker.session_scope() as session:
            return [json.loads(row.data) for row in session.query(broker.SQLBrokerEvent)]

    return RasaBot(Runtime()), read


async def test_a_record_is_published_once_by_the_event_broker(published):
    bot, read = published
    conversation = str(uuid4())
    for _ in range(2):
        await bot.add_record(conversation, "h1", read_record)
    (event,) = records(read())
    assert (event["sender_id"], event["data"]) == (conversation, RECORD)


async def test_a_tracker_store_that_is_down_is_an_error_and_not_an_empty_conversation(agent):
    from rasa.core.tracker_stores.tracker_store import FailSafeTrackerStore, InMemoryTrackerStore

    class DownStore(InMemoryTrackerStore):
        async def retrieve(self, sender_id):
            raise ConnectionError("the tracker store is down")

    class Runtime:
        def __init__(self):
            self.agent = copy.copy(agent)
            self.agent.tracker_store = FailSafeTrackerStore(DownStore(agent.domain))

    async def read(_present):
        return {"handoff_active": True}

    with pytest.raises(ConnectionError, match="down"):
        await RasaBot(Runtime()).set_slots(str(uuid4()), read)


async def test_sentences_are_rendered_with_their_values(bot):
    rendered = await bot.render("utter_live_agent_joined", {"live_agent_name": "Dana"}, "webchat")
    assert rendered["text"] == "Dana has joined the chat."


@pytest.mark.parametrize("text", ["{curly} {{ braces }}", "a < b & {% if %}", "$HOME [x](y)"])
async def test_what_a_person_wrote_stays_as_it_is_in_a_sentence(bot, text):
    rendered = await bot.render("utter_message_not_delivered", {"text": text}, "webchat")
    assert text in rendered["text"]


async def test_a_response_that_does_not_exist_is_an_error(bot):
    with pytest.raises(LookupError, match="utter_nothing"):
        await bot.render("utter_nothing", {}, "webchat")


def test_every_sentence_that_the_channels_say_is_in_the_domain(agent):
    code = "".join(
        path.read_text() for folder in ("handoff", "channels") for path in (ROOT / folder).rglob("*.py")
    )
    named = set(re.findall(r'"(utter_\w+)"', code))
    assert named
    assert named <= set(agent.domain.responses)
