"""What waits in the ledger goes on in the same trace, whichever process takes it up."""

import asyncio

import pytest

from handoff.dispatch import Dispatch
from handoff.handoff import State
from handoff.ledger import Ledger
from handoff.message import Draft, Sender
from handoff.tasks import Tasks
from handoff.tracing import OFF, Tracing, has_provider, present_trace
from handoff.turns import Turns
from handoff.vault import Vault
from tests.support.spans import Spans
from tests.support.waiting import eventually


@pytest.fixture
def make_spans():
    made = []

    def make():
        made.append(Spans())
        return made[-1]

    yield make
    for spans in made:
        spans.close()


async def test_a_message_is_posted_in_the_trace_of_another_process(
    database_url, clock, desk, front, timeouts, make_spans
):
    here, there = make_spans(), make_spans()
    ledger = await Ledger.connect(database_url, clock, tracing=here.tracing)
    with here.tracing.span("handoff.accept"):
        async with ledger.entry() as entry:
            handoff = await entry.handoffs.request("c1", channel="t", user="u", summary=None, within=60)
            live = await entry.handoffs.move(handoff, State.LIVE)
            accepted = await entry.messages.accept(
                "c1", Draft(sender=Sender.REQUESTER, content={"text": "hello"})
            )
            await entry.messages.assign(accepted.message, live)
    await ledger.close()

    other, tasks = await Ledger.connect(database_url, clock, tracing=there.tracing), Tasks()
    dispatch = Dispatch(other, desk, front, timeouts, give_up, tasks, Vault(), lambda _: None, Turns())
    dispatch.kick(live.id)
    (posted,) = await eventually(lambda: there.named("handoff.post"))
    (asked,) = here.named("handoff.accept")
    assert posted.context.trace_id == asked.context.trace_id
    assert posted.parent.span_id == asked.context.span_id
    assert posted.parent.is_remote
    await tasks.cancel()
    await other.close()


async def give_up(handoff, error):
    raise AssertionError("the desk has not failed")


def test_off_there_is_no_span_and_no_trace():
    with OFF.span("anything") as span:
        assert not span.is_recording()
        assert present_trace() is None
    with OFF.follow("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "anything") as span:
        assert not span.is_recording()


def test_off_means_that_nobody_has_set_up_a_provider():
    """Rasa's own `tracing:` does, for the whole process; none of the tests may."""
    assert not has_provider()


def test_a_trace_that_is_none_is_not_followed(make_spans):
    spans = make_spans()
    with spans.tracing.follow(None, "anything"):
        pass
    assert spans.all == ()


def test_a_trace_is_kept_as_the_w3c_writes_it(make_spans):
    spans = make_spans()
    with spans.tracing.span("accept") as span:
        trace = present_trace()
    version, trace_id, span_id, flags = trace.split("-")
    assert version == "00"
    assert int(flags, 16) & 1, "it is sampled"
    assert int(trace_id, 16) == span.get_span_context().trace_id
    assert int(span_id, 16) == span.get_span_context().span_id


async def test_an_error_leaves_its_kind_and_not_its_words(make_spans):
    spans = make_spans()

    async def fail():
        with spans.tracing.span("post"):
            await asyncio.sleep(0)
            raise ValueError("the requester wrote this")

    with pytest.raises(ValueError, match="wrote this"):
        await fail()
    assert spans.all[0].status.description == "ValueError"
    assert "wrote this" not in spans.all[0].to_json()


def test_switching_on_later_is_noticed(make_spans):
    """Rasa sets up its provider before or after the channels are made."""
    spans, is_on = make_spans(), []
    tracing = Tracing(spans.tracer, lambda: bool(is_on))
    with tracing.span("before"):
        pass
    is_on.append(True)
    with tracing.span("after"):
        pass
    assert [span.name for span in spans.all] == ["after"]
