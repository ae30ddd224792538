"""What every ``AgentDesk`` must do when it is called, whatever lies behind it."""

import contextlib
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from handoff.desk import AgentDesk, Fetched, Joined, PolledDesk, Queued, Typing
from handoff.errors import DeskBusy, DeskError, DeskRejected, DeskUnavailable
from tests.desk_conformance.conftest import HISTORY
from tests.support.ledger_rows import find
from tests.support.waiting import eventually


@pytest.fixture
def call(bench, desk):
    """Call a method of the desk about a handoff by the kit's name of it."""

    async def make(name, handoff):
        if name == "fetch" and not bench.polls:
            pytest.skip("this desk calls back")
        calls = {
            "open": lambda: desk.open(handoff, HISTORY),
            "send": lambda: desk.send(handoff, "m1", "Hello"),
            "end": lambda: desk.end(handoff),
            "fetch": lambda: desk.fetch(handoff),
        }
        return await calls[name]()

    return make


CALLS = ["open", "send", "end", "fetch"]


def test_it_says_whether_it_has_to_be_asked(bench, desk):
    typed: AgentDesk = desk
    assert isinstance(typed, PolledDesk) == bench.polls


def test_the_requesters_name_is_stable_and_hides_the_conversation(desk):
    name = desk.name_requester("secret-session-id")
    assert name == desk.name_requester("secret-session-id")
    assert name != desk.name_requester("another")
    assert "secret" not in name
    assert len(name) <= 255


async def test_a_chat_that_is_taken_has_a_name_and_waits(office):
    opened = await office.queue()
    assert opened.is_named
    assert (await find(office.ledger, opened)).state == "queued"


# -- failures -----------------------------------------------------------------------------

ERRORS = [
    ("unavailable", DeskUnavailable),
    ("web_page", DeskUnavailable),
    ("no_answer", DeskUnavailable),
    ("busy", DeskBusy),
    ("rejected", DeskRejected),
]


@pytest.mark.parametrize(("failure", "error"), ERRORS)
@pytest.mark.parametrize("name", CALLS)
async def test_every_failure_is_one_of_ours(office, bench, call, name, failure, error):
    handoff = await office.go_live()
    await office.stop()
    if name == "fetch" and not bench.polls:
        pytest.skip("this desk calls back")
    bench.fail(name, failure)
    with pytest.raises(DeskError) as raised:
        await call(name, handoff)
    assert type(raised.value) is error
    bench.recover()
    await office.start()


async def test_a_busy_desk_says_when_to_come_back(office, bench, call):
    handoff = await office.go_live()
    bench.fail("send", "busy", 1)
    with pytest.raises(DeskBusy) as raised:
        await call("send", handoff)
    assert raised.value.retry_after == 7


async def test_an_answer_that_is_lost_leaves_a_doubt(office, bench, call):
    handoff = await office.go_live()
    bench.fail("send", "no_answer", 1)
    with pytest.raises(DeskUnavailable) as raised:
        await call("send", handoff)
    assert raised.value.possibly_done


async def test_after_a_failure_it_works_again(office, bench, call):
    handoff = await office.go_live()
    for failure, error in ERRORS[:2]:
        bench.fail("send", failure, 1)
        with pytest.raises(error):
            await call("send", handoff)
    await call("send", handoff)
    await eventually(lambda: bench.heard(handoff) == ["Hello"])


# -- repetitions ----------------------------------------------------------------------------


async def test_a_message_whose_answer_was_lost_arrives(office, bench, call):
    """Once, where the desk can tell; the contract promises no more than at least once."""
    handoff = await office.go_live()
    await call("send", handoff)
    bench.fail("send", "no_answer", 1)
    with pytest.raises(DeskUnavailable):
        await bench.desk.send(handoff, "m2", "Hello")
    await bench.desk.send(handoff, "m2", "Hello")
    times = 2 if bench.recognises_repetitions else 3
    assert bench.heard(handoff) == ["Hello"] * times


async def test_a_message_that_was_not_taken_arrives_once(office, bench, call):
    handoff = await office.go_live()
    await call("send", handoff)
    bench.fail("send", "unavailable", 1)
    with pytest.raises(DeskUnavailable):
        await bench.desk.send(handoff, "m2", "Hello")
    await bench.desk.send(handoff, "m2", "Hello")
    assert bench.heard(handoff) == ["Hello", "Hello"]


async def test_the_same_words_twice_are_two_messages(office, bench):
    handoff = await office.go_live()
    for message_id in ("m1", "m2"):
        await bench.desk.send(handoff, message_id, "ok")
    assert bench.heard(handoff) == ["ok", "ok"]


async def test_a_choice_is_a_message_too(office, bench):
    handoff = await office.go_live()
    await bench.desk.send(handoff, "m1", "hw-2", typed=False)
    assert bench.heard(handoff) == ["hw-2"]


async def test_leaving_twice_is_an_error_of_ours_at_worst(office, bench, desk):
    handoff = await office.go_live()
    await desk.end(handoff)
    with contextlib.suppress(DeskError):
        await desk.end(handoff)
    assert bench.has_left(handoff)


# -- small things ----------------------------------------------------------------------------


async def test_typing_may_be_told_at_any_time(office, desk):
    handoff = await office.go_live()
    for on in (True, True, False, False):
        await desk.type(handoff, on=on)


@pytest.mark.parametrize("event", [Queued(), Joined(name="Dana"), Typing(on=True)])
async def test_what_asks_for_no_further_step_gets_none(office, desk, event):
    assert await desk.proceed(await office.queue(), event) is False


async def test_secrets_are_neither_shown_nor_logged_nor_in_errors(office, bench, desk):
    handoff = await office.go_live()
    with capture_logs() as logs:
        for failure, _ in ERRORS:
            bench.fail("send", failure, 1)
            with pytest.raises(DeskError) as raised:
                await desk.send(handoff, f"m-{failure}", "Hello")
            shown = f"{raised.value} {raised.value!r} {raised.value.__cause__!r} {desk!r} {vars(desk)} {logs}"
            assert not [secret for secret in bench.secrets if secret in shown]
            assert "Hello" not in f"{raised.value} {logs}"


async def test_closing_releases_everything_and_may_be_done_twice(bench):
    other = bench.make_desk()
    await other.close()
    await other.close()


# -- desks that are polled ----------------------------------------------------------------------


@pytest.fixture
async def polled(office, bench):
    """A live chat of a desk that is polled, which only the test asks about."""
    if not bench.polls:
        pytest.skip("this desk calls back")
    handoff = await office.go_live()
    await office.stop()
    yield await find(office.ledger, handoff)
    await office.start()


async def test_a_fetch_without_news_has_no_events_and_the_same_cursor(polled, desk):
    assert await desk.fetch(polled) == Fetched(events=(), cursor=polled.cursor)


async def test_news_has_another_cursor_and_is_read_once(polled, bench, desk):
    await bench.say(polled, "Hello")
    news = await desk.fetch(polled)
    assert [event.text for event in news.events] == ["Hello"]
    assert news.cursor != polled.cursor
    read_on = replace(polled, cursor=news.cursor)
    assert await desk.fetch(read_on) == Fetched(events=(), cursor=news.cursor)


async def test_without_a_cursor_everything_is_told_with_the_same_ids(polled, bench, desk):
    await bench.say(polled, "Hello")
    first = await desk.fetch(polled)
    again = await desk.fetch(replace(polled, cursor=None))
    assert {e.desk_id for e in first.events} <= {getattr(e, "desk_id", None) for e in again.events}
    assert all(e.desk_id for e in first.events)


async def test_any_client_can_read_on(polled, bench):
    await bench.say(polled, "Hello")
    news = await bench.make_desk().fetch(polled)
    assert [event.text for event in news.events] == ["Hello"]
