"""One trace from what the requester wrote to what the live agent answered, on their screen."""

import pytest

from channels.turn_thread import TurnThread
from handoff.digest import digest
from handoff.observation import Observation
from handoff.tracing import present_trace
from tests.support.spans import Spans, describe
from tests.support.stage import play
from tests.support.waiting import eventually


@pytest.fixture
def spans():
    spans = Spans()
    yield spans
    spans.close()


@pytest.fixture
async def traced(tmp_path, spans):
    async with play(tmp_path, observation=Observation(tracing=spans.tracing)) as stage:
        yield stage


async def ask_and_answer(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await client.say("the printer is on fire")
    await stage.desk_heard(chat, "the printer is on fire")
    await stage.simulator.say(chat, "Please leave the building.")
    said = await client.expect("leave the building")
    await client.emit("delivered", message_id=said["metadata"]["message_id"])
    return client


async def test_from_the_requesters_message_to_the_live_agents_answer(traced, spans):
    await ask_and_answer(traced)
    confirmed = (await eventually(lambda: spans.named("handoff.confirm")))[0]
    callback = spans.parent(confirmed)
    asked = spans.parent(callback)
    assert [callback.name, asked.name, asked.parent] == ["handoff.callback", "handoff.accept", None]
    (posted,) = spans.named("handoff.post")
    assert spans.parent(posted) is asked
    shown = next(span for span in spans.named("handoff.show") if spans.parent(span) is callback)
    assert shown.attributes["handoff.shown"] is True
    commits = [spans.parent(span) for span in spans.named("ledger.commit")]
    assert asked in commits
    assert callback in commits
    assert {span.context.trace_id for span in (confirmed, shown, posted)} == {asked.context.trace_id}
    assert asked.start_time < posted.start_time < callback.start_time < shown.end_time


async def test_a_turn_of_the_bot_and_what_it_opens_belong_to_the_message(traced, spans):
    client = await traced.join()

    async def reply(_conversation, _text, _output):
        await traced.open(client)

    traced.bot.reply = reply
    await client.say("a person, please")
    (opened,) = await eventually(lambda: spans.named("handoff.open"))
    turn = spans.parent(opened)
    assert turn.name == "handoff.turn"
    assert spans.parent(turn).name == "handoff.accept"
    # The desk's first words have no message to belong to, but they have the opening.
    await traced.simulator.accept(traced.simulator.chats[-1], agent="Dana")
    joined = await eventually(lambda: spans.named("handoff.callback"))
    assert spans.parent(joined[0]) is opened


async def test_an_opening_in_another_process_finds_the_trace_of_its_turn(traced, spans):
    client = await traced.join()
    await client.say("a person, please")
    await client.expect("echo: a person")
    await traced.open(client, turn=traced.bot.turns[0])
    (opened,) = spans.named("handoff.open")
    assert spans.parent(opened).name == "handoff.accept"


async def test_a_post_that_failed_says_how_and_nothing_else(traced, spans):
    client = await traced.join()
    await traced.go_live(client)
    traced.simulator.fail("403", times=1)
    await client.say("the printer is on fire")
    await client.expect("did not reach the live agent")
    (posted,) = spans.named("handoff.post")
    assert posted.status.description == "DeskRejected"
    assert not posted.events


async def test_spans_hold_no_words_and_no_id_that_opens_a_chat(traced, spans):
    client = await ask_and_answer(traced)
    await eventually(lambda: spans.named("handoff.confirm"))
    told = describe(spans)
    for secret in (client.session_id, "printer", "building", "Dana", "secret of the test"):
        assert secret not in told
    assert digest(client.session_id) in told


async def test_a_turn_in_a_thread_of_its_own_belongs_to_its_message_too(spans):
    """So do its lines in the log: what concerns whom goes along."""
    thread = TurnThread()

    async def look():
        return present_trace()

    with spans.tracing.span("handoff.turn"):
        assert await thread.run(look()) == present_trace()
    await thread.close()


async def test_where_nothing_is_traced_nothing_is_kept(stage):
    client = await ask_and_answer(stage)
    backend = (await stage.bridge()).backend
    async with backend.ledger.entry() as entry:
        said = await entry.messages.said_since(client.session_id, 0)
        handoff = await entry.handoffs.newest_for(client.session_id)
    assert {message.trace for message in said} == {None}
    assert handoff.trace is None
