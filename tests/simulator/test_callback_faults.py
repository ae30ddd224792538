"""Faults of the callbacks, each over real HTTP."""

import asyncio
from datetime import timedelta

import aiohttp
import pytest

from simulator import EndReason, State
from simulator.shapes import split

PATIENT = 60  # seconds; a test that waited this long would time out


def hit_by(simulator):
    """The faults in the log of callbacks, in order, "" for none."""
    return [callback.fault for callback in simulator.callbacks]


@pytest.fixture
def log(simulator):
    """Return a function: the faults of the callbacks since the chat began."""
    return lambda: hit_by(simulator)[2:]


async def test_nothing_is_hit_without_a_fault(simulator, receiver, say, chat, log):
    await say(chat, "one", "two")
    await simulator.wait_until_sent()
    assert log() == ["", ""]


class TestDelay:
    async def test_it_comes_later_and_what_follows_waits_behind_it(self, simulator, receiver, say, chat, log):
        simulator.disturb("delay", times=1, seconds=0.2)
        started = asyncio.get_running_loop().time()
        await say(chat, "one", "two")
        await receiver.wait(2)
        assert asyncio.get_running_loop().time() - started >= 0.2
        assert receiver.said == ["one", "two"]
        await simulator.wait_until_sent()
        assert log() == ["delay", ""]

    async def test_recovery_ends_it(self, simulator, receiver, say, chat):
        simulator.disturb("delay", seconds=PATIENT)
        await say(chat, "one")
        await simulator.wait_for(lambda: simulator.callback_faults.waiting)
        simulator.recover()
        await receiver.wait(1)
        await say(chat, "two")
        await receiver.wait(2)

    async def test_other_chats_are_not_held_up(self, simulator, receiver, say, chat, route):
        other = await route("u2", "Kim")
        receiver.bodies.clear()
        simulator.disturb("delay", chat=chat, seconds=PATIENT)
        await say(chat, "held")
        await say(other, "free")
        await receiver.wait(1)
        assert receiver.said == ["free"]
        await simulator.wait_for(lambda: simulator.pending_callbacks == 1)


class TestDuplicate:
    async def test_the_copies_are_the_same_to_the_last_byte(self, simulator, receiver, say, chat, log):
        receiver.raw.clear()
        simulator.disturb("duplicate", times=1, copies=3)
        await say(chat, "one", "two")
        await simulator.wait_until_sent()
        assert receiver.said == ["one", "one", "one", "two"]
        assert len(set(receiver.raw[:3])) == 1
        assert log() == ["duplicate"] * 3 + [""]

    async def test_late_copies_come_after_what_was_said_since(self, simulator, receiver, say, chat, log):
        simulator.disturb("duplicate", times=1, seconds=PATIENT)
        await say(chat, "one", "two")
        await receiver.wait(2)
        assert simulator.pending_callbacks
        simulator.recover()
        await simulator.wait_until_sent()
        assert receiver.said == ["one", "two", "one"]
        assert receiver.items[0]["messageId"] == receiver.items[2]["messageId"]
        assert log() == ["duplicate", "", "duplicate"]

    async def test_a_5xx_ends_the_copies_too(self, simulator, receiver, say, chat):
        receiver.status = 500
        simulator.disturb("duplicate", copies=5)
        await say(chat, "one", "two")
        await simulator.wait_for_state(chat, State.ENDED)
        await simulator.wait_until_sent()
        assert receiver.said == ["one"]

    async def test_late_copies_of_an_abandoned_chat_are_dropped(self, simulator, receiver, say, chat):
        simulator.disturb("duplicate", times=1, seconds=PATIENT)
        await say(chat, "one")
        await receiver.wait(1)
        await simulator.wait_for(lambda: simulator.callback_faults.waiting)
        receiver.status = 500
        await say(chat, "two")
        await simulator.wait_until_sent()
        assert chat.end_reason is EndReason.ABANDONED
        assert receiver.said == ["one", "two"]


class TestReorder:
    async def test_one_is_overtaken_by_the_next(self, simulator, receiver, say, chat, log):
        simulator.disturb("reorder", times=1, seconds=PATIENT)
        await say(chat, "one", "two", "three")
        await simulator.wait_until_sent()
        assert receiver.said == ["two", "one", "three"]
        assert log() == ["", "reorder", ""]

    async def test_it_waits_for_one_that_comes_later(self, simulator, receiver, say, chat):
        simulator.disturb("reorder", times=1, seconds=PATIENT)
        await say(chat, "one")
        await simulator.wait_for(lambda: simulator.callback_faults.waiting)
        await say(chat, "two")
        await simulator.wait_until_sent()
        assert receiver.said == ["two", "one"]

    async def test_pairs_are_swapped_while_it_lasts(self, simulator, receiver, say, chat):
        simulator.disturb("reorder", seconds=PATIENT)
        await say(chat, *"abcd")
        await simulator.wait_until_sent()
        assert receiver.said == [*"badc"]

    async def test_nothing_is_held_for_ever(self, simulator, receiver, say, chat, log):
        simulator.disturb("reorder", seconds=0.05)
        await say(chat, "last words")
        await simulator.wait_until_sent()
        assert receiver.said == ["last words"]
        assert log() == ["reorder"]


async def test_drop(simulator, receiver, say, chat, log):
    simulator.disturb("drop", times=1)
    await say(chat, "lost", "kept")
    await simulator.wait_until_sent()
    assert receiver.said == ["kept"]
    assert log() == ["drop", ""]
    dropped = simulator.callbacks[2]
    assert (dropped.status, dropped.note) == (None, "not sent")
    assert dropped.body["body"][0]["value"] == "lost"


class TestSplit:
    async def test_every_item_comes_in_a_post_of_its_own(self, client, simulator, receiver, route, log):
        simulator.disturb("split", times=1)
        await route()
        assert len(receiver.bodies) > 1
        assert all(len(body["body"]) == 1 for body in receiver.bodies)
        assert all(body["agentChat"] for body in receiver.bodies)
        assert len({body["interactionId"] for body in receiver.bodies}) == 1
        assert hit_by(simulator) == ["split"] * len(receiver.bodies)

    async def test_it_is_kept_for_a_callback_that_has_several_items(self, simulator, receiver, route):
        chat = await route()
        receiver.bodies.clear()
        simulator.disturb("split", times=1)
        await simulator.change_wait_time(90)  # one item
        await simulator.accept(chat)  # three
        await simulator.wait_until_sent()
        kinds = [[item["actionType"] for item in body["body"]] for body in receiver.bodies]
        assert kinds == [["StartSpinner"], ["SwitchToLiveAgent"], ["EndSpinner"], ["System"]]

    async def test_only_the_last_post_says_that_it_is_over(self, simulator, receiver, say, chat):
        simulator.disturb("merge", times=1, seconds=0.05)
        await simulator.end(chat)
        await simulator.wait_until_sent()
        (merged,) = receiver.bodies
        first, last = split(merged)
        assert ("completed" in first, last["completed"]) == (False, True)


class TestMerge:
    async def test_what_follows_is_sent_along(self, simulator, receiver, say, chat, log):
        simulator.disturb("merge", times=1, seconds=0.1)
        await say(chat, "one", "two", "three")
        await simulator.wait_until_sent()
        assert [len(body["body"]) for body in receiver.bodies] == [3]
        assert receiver.said == ["one", "two", "three"]
        assert log() == ["merge"]
        await say(chat, "four")
        await simulator.wait_until_sent()
        assert len(receiver.bodies) == 2

    async def test_both_ends_of_a_handoff_in_one_post(self, simulator, receiver, say, chat):
        simulator.disturb("merge", seconds=0.05)
        await say(chat, "bye")
        await simulator.end(chat)
        await simulator.wait_until_sent()
        (body,) = receiver.bodies
        assert body["completed"] is True
        assert [item.get("actionType") for item in body["body"]] == [None, "System", "SwitchToVirtualAgent"]

    async def test_a_callback_is_never_merged_before_its_request_is_answered(
        self, client, simulator, receiver, say, chat
    ):
        simulator.disturb("merge", times=1, seconds=PATIENT)
        simulator.fail("slow", times=1, seconds=PATIENT)
        await say(chat, "bye")
        ending = asyncio.create_task(client.send("END_CONVERSATION"))
        await simulator.wait_for(lambda: chat.state is State.ENDED)
        simulator.recover(requests=False)  # the time to wait for more is over, the answer is not there yet
        await simulator.wait_for(lambda: not simulator.callback_faults.waiting)
        simulator.recover()
        await ending
        await simulator.wait_until_sent()
        assert [len(body["body"]) for body in receiver.bodies] == [2]
        asked, sent = simulator.requests[-1], simulator.callbacks[-1]
        assert asked.time + timedelta(seconds=asked.seconds) <= sent.time

    async def test_the_end_of_a_chat_is_not_merged_with_the_next_chat(
        self, client, simulator, receiver, chat
    ):
        simulator.disturb("merge", seconds=0.2)
        await client.send("END_CONVERSATION")
        await client.send("START_CONVERSATION")
        await simulator.wait_until_sent()
        assert len({body["interactionId"] for body in receiver.bodies}) == len(receiver.bodies) == 2

    async def test_chats_are_not_mixed(self, simulator, receiver, say, chat, route):
        other = await route("u2", "Kim")
        receiver.bodies.clear()
        simulator.disturb("merge", seconds=0.05)
        await say(chat, "one")
        await say(other, "other")
        await say(chat, "two")
        await simulator.wait_until_sent()
        said = {body["userId"]: [item["value"] for item in body["body"]] for body in receiver.bodies}
        assert said == {"u1": ["one", "two"], "u2": ["other"]}


class TestEarly:
    async def test_the_callback_comes_before_the_answer(self, client, simulator, receiver):
        simulator.disturb("early", times=1, seconds=PATIENT)
        receiver.gate.clear()
        asking = asyncio.create_task(client.send("START_CONVERSATION"))
        await receiver.wait(1)
        assert simulator.requests[0].seconds is None  # not answered yet
        assert not asking.done()
        receiver.gate.set()
        assert await asking == {"status": "success"}
        assert hit_by(simulator) == ["early"]

    async def test_the_answer_does_not_wait_for_ever(self, client, simulator, receiver):
        simulator.disturb("early", seconds=0.05)
        receiver.gate.clear()
        assert await client.send("START_CONVERSATION") == {"status": "success"}
        receiver.gate.set()
        await simulator.wait_until_sent()

    async def test_it_is_kept_for_a_callback_that_answers_a_request(self, client, simulator, say, chat, log):
        simulator.disturb("early", times=1)
        await say(chat, "pushed")
        await client.send("END_CONVERSATION")
        await simulator.wait_until_sent()
        assert log() == ["", "early"]

    async def test_stopping_does_not_wait_for_it(self, simulator, receiver):
        async with aiohttp.ClientSession() as session:
            async with asyncio.timeout(3), simulator.serve() as url:
                simulator.disturb("early", seconds=PATIENT)
                receiver.gate.clear()
                path = f"{url}/api/sn_va_as_service/bot/integration"
                body = {"userId": "u1", "action": "START_CONVERSATION"}
                asking = asyncio.create_task(session.post(path, json=body))
                await receiver.wait(1)
            await asyncio.gather(asking, return_exceptions=True)


async def test_odd_content_types(simulator, receiver, say, chat):
    simulator.disturb("content_type", times=1)
    simulator.disturb("content_type", times=1, content_type="application/octet-stream")
    await say(chat, "one", "two", "three")
    await simulator.wait_until_sent()
    sent = [headers["Content-Type"] for headers in receiver.headers]
    assert sent == ["text/plain", "application/octet-stream", "application/json"]
    assert receiver.said == ["one", "two", "three"]


async def test_items_of_unknown_kinds(simulator, receiver, chat):
    simulator.disturb("unknown_items", times=1)
    await simulator.say(chat, "hello")
    await simulator.wait_until_sent()
    (body,) = receiver.bodies
    kinds = [item.get("actionType") or item["uiType"] for item in body["body"]]
    assert kinds == ["Hologram", "Levitate", "OutputText"]
    assert receiver.said == ["hello"]
