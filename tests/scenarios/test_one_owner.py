"""While a handoff is open, nothing of Rasa runs; around it, everything that was typed finds its owner."""

import asyncio

import pytest

from tests.scenarios.conftest import heard
from tests.support.waiting import eventually

pytestmark = pytest.mark.rasa

SUMMARY = "My laptop does not start"


async def test_no_policy_no_nlu_and_no_action_runs_for_a_diverted_message(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    before = len(await helpdesk.events(client))
    for number in range(5):
        await client.say(f"I want to talk to a person, please ({number})")
    await helpdesk.simulator.say(chat, "You are")
    await client.expect("You are")
    await eventually(lambda: len(heard(chat)) == 5)
    new = (await helpdesk.events(client))[before:]
    # The mirror of the slots is all that may be written; a turn would leave a "user" and an "action".
    assert {event["event"] for event in new} <= {"slot"}


async def test_what_is_typed_while_the_bot_opens_the_chat_goes_to_the_live_agent(helpdesk):
    client = await helpdesk.join()
    await client.say("I want to talk to a person")
    await client.expect("Shall I ask a person")
    await client.say("/SetSlots(confirm_handoff=true)")
    await client.expect("In one sentence")
    await asyncio.gather(*(client.say(text) for text in (SUMMARY, "and it is urgent", "hurry")))
    await client.expect("A live agent will join you")
    chat = helpdesk.simulator.chats[-1]
    await helpdesk.simulator.accept(chat, agent="Dana")
    await eventually(lambda: heard(chat) == ["and it is urgent", "hurry"])


async def test_what_is_typed_while_waiting_is_kept_and_handed_over_in_order(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.ask_for_person(client)
    for text in ("one", "two", "three"):
        await client.say(text)
    assert heard(chat) == []
    await helpdesk.simulator.accept(chat, agent="Dana")
    await eventually(lambda: heard(chat) == ["one", "two", "three"])


async def test_what_is_typed_while_the_chat_ends_is_answered_by_the_bot(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    helpdesk.simulator.fail("hang", action="END_CONVERSATION")
    await client.say("/end_chat")
    await client.expect("Leaving the chat")
    await client.say("hello")
    helpdesk.simulator.recover()
    await client.expect("Welcome back")
    await eventually(lambda: not [t for t in heard(chat) if t == "hello"])
    await client.expect("IT helpdesk assistant", within=20)


async def test_the_bot_answers_again_after_the_chat(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    await helpdesk.simulator.end(chat)
    await client.expect("from 1 (poor) to 5")
    await client.say("5")
    await client.expect("Thank you for rating")
    await client.say("what is the state of INC0009001")
    await client.expect("INC0009001")


async def test_a_second_chat_can_be_opened_after_the_first(helpdesk):
    client = await helpdesk.join()
    first = await helpdesk.go_live(client)
    await helpdesk.simulator.end(first)
    await client.expect("from 1 (poor) to 5")
    client.messages.clear()
    second = await helpdesk.go_live(client, agent="Eve")
    assert second.id != first.id
    await helpdesk.simulator.say(second, "Hello again")
    await client.expect("Hello again")


async def test_two_requesters_do_not_mix(helpdesk):
    ann, ben = await helpdesk.join(), await helpdesk.join()
    chat_of_ann = await helpdesk.go_live(ann, agent="Dana")
    chat_of_ben = await helpdesk.go_live(ben, agent="Eve")
    await asyncio.gather(ann.say("I am Ann"), ben.say("I am Ben"))
    await helpdesk.simulator.say(chat_of_ann, "Hello Ann")
    await helpdesk.simulator.say(chat_of_ben, "Hello Ben")
    await ann.expect("Hello Ann")
    await ben.expect("Hello Ben")
    await eventually(lambda: (heard(chat_of_ann), heard(chat_of_ben)) == (["I am Ann"], ["I am Ben"]))
    assert "Hello Ben" not in ann.texts
    assert "Hello Ann" not in ben.texts
