import json
from dataclasses import replace
from datetime import timedelta

import pytest

from handoff.desk import Ended, Fetched, Joined, Queued, Refused, Said, Utterance
from handoff.errors import DeskRejected, DeskUnavailable
from servicenow.connect_support import CONVERSATIONS, SUPPORT, ConnectSupportDesk
from servicenow.connect_thread import Cursor
from simulator.connect_support import PAGE
from tests.support.web_server import Answer

QUEUE = "0123456789abcdef0123456789abcdef"
HISTORY = (Utterance("My printer burns", False, 1700000000.5), Utterance("Oh dear", True, 1700000001.0))
ENTRY = {"group": "g1", "state": 1, "position": 2, "average_wait_time": "4 Minutes"}


@pytest.fixture
def make_desk(make_instance):
    def make(url, **about):
        return ConnectSupportDesk(make_instance(url), **{"queue": QUEUE, **about})

    return make


@pytest.fixture
def desk(make_desk, server):
    """A desk whose requests are looked at."""
    return make_desk(server.url)


@pytest.fixture
def live(make_handoff):
    return make_handoff(live_chat_id="g1", live_chat_user="integration")


def result(value, status=200):
    return Answer(status=status, body=json.dumps({"result": value}))


def said(number, text="Hello", author="dana", **more):
    return {"sys_id": f"m{number}", "timestamp": number, "created_by": author, "message": text, **more}


def asked(server):
    return [(r.method, r.path, r.query) for r in server.requests]


# -- opening -------------------------------------------------------------------------------


async def test_a_session_is_opened_on_the_queue_and_told_what_was_said_before(desk, server, make_handoff):
    server.answer(result(ENTRY, 201), result(said(5, author="integration")))
    opened = await desk.open(make_handoff(summary="Printer on fire"), HISTORY)
    assert (opened.chat_id, opened.user) == ("g1", "integration")
    assert opened.events == (Queued(position=2, wait_time="4 Minutes"),)
    question, told = server.requests
    assert question.path == f"{SUPPORT}/queues/{QUEUE}/sessions"
    assert json.loads(question.raw) == {"message": "Printer on fire"}
    assert told.path == f"{CONVERSATIONS}/g1/messages"
    assert json.loads(told.raw) == {
        "group": "g1",
        "message": "What was said before:\nRequester: My printer burns\nAssistant: Oh dear",
        "reflected_field": "comments",
    }


async def test_without_a_summary_or_a_history_there_is_still_something_to_say(desk, server, make_handoff):
    server.answer(result(ENTRY), result(said(5)))
    await desk.open(make_handoff(), ())
    assert all(json.loads(request.raw)["message"] for request in server.requests)


@pytest.mark.parametrize("status", [403, 503])
async def test_a_closed_queue_has_nobody(desk, server, make_handoff, status):
    server.answer(result("The queue is closed", status))
    opened = await desk.open(make_handoff(), HISTORY)
    assert (opened.chat_id, opened.events) == (None, (Refused(),))
    assert len(server.requests) == 1


@pytest.mark.parametrize(("status", "error"), [(403, DeskRejected), (503, DeskUnavailable)])
async def test_other_refusals_are_errors(desk, server, make_handoff, status, error):
    server.answer(Answer(status=status, body='{"error": {"message": "no"}, "status": "failure"}'))
    with pytest.raises(error, match=str(status)):
        await desk.open(make_handoff(), HISTORY)


async def test_a_session_of_which_nobody_would_hear_is_left(desk, server, make_handoff):
    server.answer(result(ENTRY), Answer(status=500), result(ENTRY))
    with pytest.raises(DeskUnavailable):
        await desk.open(make_handoff(), HISTORY)
    assert server.requests[-1].path == f"{SUPPORT}/sessions/g1/leave"


async def test_an_instance_that_hides_authors_is_asked_by_our_users_name(make_desk, server, make_handoff):
    server.answer(result(ENTRY), result({"sys_id": "m1", "timestamp": 1}))
    opened = await make_desk(server.url, user="integration").open(make_handoff(), HISTORY)
    assert opened.user == "integration"


# -- posting ----------------------------------------------------------------------------------


async def test_a_message_is_posted_to_the_thread(desk, server, live):
    server.answer(result(said(1)))
    await desk.send(live, "a", "Hello")
    (request,) = server.requests
    assert request.path == f"{CONVERSATIONS}/g1/messages"
    assert json.loads(request.raw)["message"] == "Hello"


async def test_a_message_that_has_arrived_is_not_posted_again(desk, server, live):
    server.answer(result(said(1, "Hi", "integration")), Answer(drop=True))
    await desk.send(live, "a", "Hi")
    with pytest.raises(DeskUnavailable):
        await desk.send(live, "b", "Hello")
    server.answer(result([said(3, "Hello", "dana"), said(2, "Hello", "integration"), said(1, "Hi")]))
    await desk.send(live, "b", "Hello")
    assert [request.method for request in server.requests] == ["POST", "POST", "GET"]


@pytest.mark.parametrize(
    "thread",
    [
        [],
        [said(1, "Hello", "integration")],  # the message before, which said the same
        [said(2, "Other words", "integration")],
        [said(2, "Hello", "dana")],
    ],
)
async def test_one_that_has_not_is(desk, server, live, thread):
    server.answer(result(said(1, "Hello", "integration")), Answer(drop=True))
    await desk.send(live, "a", "Hello")
    with pytest.raises(DeskUnavailable):
        await desk.send(live, "b", "Hello")
    server.answer(result(thread), result(said(9, "Hello", "integration")))
    await desk.send(live, "b", "Hello")
    assert [request.method for request in server.requests][-2:] == ["GET", "POST"]


async def test_after_a_restart_it_learns_from_the_thread_what_it_has_said(desk, server, live):
    server.answer(result([{**ENTRY, "state": 2}]), result([said(1, "Hello", "integration")]), result([]))
    await desk.fetch(live)
    server.answer(Answer(drop=True))
    with pytest.raises(DeskUnavailable):
        await desk.send(live, "b", "Hello")
    server.answer(result([said(2, "Hello", "integration"), said(1, "Hello", "integration")]))
    await desk.send(live, "b", "Hello")
    assert server.requests[-1].method == "GET"


async def test_without_knowing_what_was_said_last_it_posts_again(desk, server, live):
    """The same words may be older ones; a message twice is better than none."""
    server.answer(Answer(drop=True), result([said(1, "Hello", "integration")]), result(said(2)))
    with pytest.raises(DeskUnavailable):
        await desk.send(live, "a", "Hello")
    await desk.send(live, "a", "Hello")
    assert [request.method for request in server.requests] == ["POST", "GET", "POST"]


async def test_an_answer_without_a_message_is_no_proof(desk, server, live):
    server.answer(Answer())
    with pytest.raises(DeskUnavailable):
        await desk.send(live, "a", "Hello")


# -- leaving, and what there is not --------------------------------------------------------------


async def test_leaving_names_the_chat(desk, server, live):
    server.answer(result({**ENTRY, "state": 7}))
    await desk.end(replace(live, live_chat_id="../g1?"))
    assert server.requests[0].path == f"{SUPPORT}/sessions/../g1?/leave"  # decoded by the server


async def test_a_chat_without_a_name_cannot_be_left(desk, server, make_handoff):
    await desk.end(make_handoff())
    assert server.requests == []


async def test_typing_sends_nothing(desk, server, live):
    await desk.type(live, on=True)
    await desk.type(live, on=False)
    assert server.requests == []


# -- fetching ----------------------------------------------------------------------------------------


async def test_the_entry_is_asked_before_the_thread(desk, server, live):
    """So that what was said before a chat was closed is told before the end."""
    server.answer(result([{**ENTRY, "state": 3}]), result([said(2, "Bye"), said(1, "Hi")]), result([]))
    fetched = await desk.fetch(live)
    assert asked(server)[:2] == [
        ("GET", f"{SUPPORT}/sessions", {"group_id": "g1"}),
        ("GET", f"{CONVERSATIONS}/g1/messages", {}),
    ]
    assert [type(event) for event in fetched.events] == [Said, Said, Ended]
    assert [event.text for event in fetched.events[:2]] == ["Hi", "Bye"]


async def test_a_live_agent_who_accepts_is_named_by_a_line_of_the_thread(desk, server, live):
    lines = [said(2, "Hello", sender_name="Dana"), said(1, "Dana has entered the chat.", "system")]
    server.answer(result([{**ENTRY, "state": 2, "assigned_to": "a1"}]), result(lines), result([]))
    fetched = await desk.fetch(live)
    assert fetched.events == (
        Joined(name="Dana"),
        Said(text="Hello", from_agent=True, desk_id="m2", name="Dana"),
    )


async def test_who_accepts_between_the_two_looks_is_named_all_the_same(desk, server, live):
    line = said(1, "Dana has entered the chat.", "system")
    taken = {**ENTRY, "state": 2, "assigned_to": "a1"}
    server.answer(result([ENTRY]), result([line]), result([]), result([taken]))
    fetched = await desk.fetch(live)
    assert fetched.events == (Joined(name="Dana"),)
    assert Cursor.read(fetched.cursor).state == 2


async def test_the_requesters_own_entering_is_nobodys_joining(desk, server, live):
    cursor = Cursor(state=1, position=2).write()
    line = said(1, "Handoff has entered the chat.", "system")
    server.answer(result([ENTRY]), result([line]), result([]), result([ENTRY]))
    assert (await desk.fetch(replace(live, cursor=cursor))).events == ()


async def test_a_closed_entry_is_looked_for_where_open_ones_are_not_it(desk, server, live):
    cursor = Cursor(state=2).write()
    server.answer(result([]), result([{**ENTRY, "state": 3}]), result([]))
    assert (await desk.fetch(replace(live, cursor=cursor))).events == (Ended(),)
    assert asked(server)[1] == ("GET", f"{SUPPORT}/sessions", {"group_id": "g1", "closed": "true"})


async def test_an_instance_that_hides_the_entry_is_read_by_its_words(desk, server, live):
    closing = said(1, "Dana has closed the support session", "system")
    server.answer(result([]), result([]), result([closing]), result([]), result({**ENTRY, "state": 7}))
    assert (await desk.fetch(live)).events == (Ended(),)
    assert server.requests[-1].path == f"{SUPPORT}/sessions/g1/leave"


async def test_an_end_in_words_stands_even_where_the_chat_cannot_be_left(desk, server, live):
    closing = said(1, "Dana has closed the support session", "dana")
    server.answer(result([{**ENTRY, "state": 2}]), result([closing]), result([]), Answer(status=404))
    assert (await desk.fetch(live)).events == (Joined(name=None), Ended())


async def test_older_pages_are_read_back_to_what_is_known(desk, server, live):
    cursor = Cursor(at=10, ids={"m10": 10}, state=2).write()
    entries = result([{**ENTRY, "state": 2, "position": 0}])
    server.answer(entries, result([said(14), said(13)]), result([said(13), said(12)]))
    server.answer(result([said(11), said(10)]))
    fetched = await desk.fetch(replace(live, cursor=cursor))
    assert [event.desk_id for event in fetched.events] == ["m11", "m12", "m13", "m14"]
    assert [query for _, path, query in asked(server) if "messages" in path] == [
        {},
        {"before": "14"},
        {"before": "13"},
    ]


async def test_an_instance_that_knows_no_pages_is_not_asked_for_ever(desk, server, live):
    server.answer(result([{**ENTRY, "state": 2}]))
    server.default = result([said(2), said(1)])
    fetched = await desk.fetch(live)
    assert len(fetched.events) == 3
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [Answer(), Answer(body="<html>"), result("closed"), result([{"message": "no id"}]), Answer(status=502)],
)
async def test_a_broken_answer_is_worth_another_try(desk, server, live, answer):
    server.answer(result([{**ENTRY, "state": 2}]), answer)
    with pytest.raises(DeskUnavailable):
        await desk.fetch(live)


# -- with the simulator ----------------------------------------------------------------------------------


@pytest.fixture
def office(make_desk, instance_url, simulator):
    """A desk for the simulator's own queue."""
    return make_desk(instance_url, queue=simulator.settings.connect_queue_id)


async def test_a_thread_longer_than_a_page_is_read_whole(office, simulator, make_handoff):
    handoff = make_handoff()
    opened = await office.open(handoff, HISTORY)
    handoff = replace(handoff, live_chat_id=opened.chat_id, live_chat_user=opened.user)
    await simulator.accept(opened.chat_id, agent="Dana")
    lines = [f"line {number}" for number in range(3 * PAGE)]
    for line in lines:
        await simulator.say(opened.chat_id, line)
    for number, line in enumerate(simulator.chat(opened.chat_id).transcript):
        line.time += timedelta(milliseconds=number)
    fetched = await office.fetch(handoff)
    assert [event.text for event in fetched.events if isinstance(event, Said)] == lines
    again = await office.fetch(replace(handoff, cursor=fetched.cursor))
    assert again == Fetched(events=(), cursor=fetched.cursor)
