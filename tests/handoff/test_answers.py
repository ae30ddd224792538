"""What counts as an answer to the desk, and what goes back."""

import pytest

from handoff.answers import find_asked, name_choice, read_answer
from handoff.content import MASK
from handoff.desk import Joined, Queued, Said
from handoff.handoff import State
from handoff.message import Receipt
from tests.support.ledger_rows import CONVERSATION, bring_to, end, tell, write

ID = "0123456789ab"


def ask(kind="choice", *options, question=ID):
    replies = [
        {"content_type": "text", "title": title, "value": value, "payload": name_choice(question, n)}
        for n, (title, value) in enumerate(options)
    ]
    return {"text": "Which?", "question": {"id": question, "kind": kind}, "quick_replies": replies}


LAPTOP = ask("choice", ("Laptop", "hw-1"), ("Mobile phone", "hw-2"))
SEVERAL = ask("several", ("Mail", "m"), ("VPN", "v"), ("Print", "p"))

READ = {
    "a click": (LAPTOP, f"/answer {ID} 1", ("Mobile phone", "hw-2")),
    "a title, typed": (LAPTOP, "  mobile   PHONE ", ("Mobile phone", "hw-2")),
    "a value is no title": (LAPTOP, "hw-1", None),
    "no such option": (LAPTOP, f"/answer {ID} 2", None),
    "a negative number": (LAPTOP, f"/answer {ID} -1", None),
    "other words": (LAPTOP, "neither", None),
    "several": (SEVERAL, f"/answer {ID} 0,2", ("Mail, Print", "m,p")),
    "several, typed": (SEVERAL, "vpn, mail", ("VPN, Mail", "v,m")),
    "several, one of them unknown": (SEVERAL, "vpn, fax", None),
    "none of several": (SEVERAL, f"/answer {ID} ", None),
    "a date": (ask("date"), f"/answer {ID} 2026-11-23", ("2026-11-23", "1795435200000")),
    "a date, typed": (ask("date"), "2026-11-23", ("2026-11-23", "1795435200000")),
    "no date": (ask("date"), "tomorrow", None),
    "a moment": (
        ask("datetime"),
        f"/answer {ID} 2026-11-23T14:30+01:00",
        ("2026-11-23 14:30", "1795440600000"),
    ),
    "a moment without an offset": (
        ask("datetime"),
        "2026-11-23 14:30",
        ("2026-11-23 14:30", "1795444200000"),
    ),
    "a time": (ask("time"), f"/answer {ID} 14:30", ("14:30", "52200000")),
    "no time": (ask("time"), f"/answer {ID} 25:00", None),
    "a secret": (ask("secret"), f"/answer {ID} hunter2", (MASK, "hunter2")),
    "words": (ask("text"), "anything", None),
    "a file": (ask("file"), "anything", None),
    "no question": ({"text": "Hello"}, "Hello", None),
}


@pytest.mark.parametrize(("content", "text", "expected"), READ.values(), ids=READ)
def test_an_answer_is_read_by_its_question(content, text, expected):
    answer = read_answer(content, text)
    assert (answer and (answer.label, answer.value)) == expected


@pytest.mark.parametrize(("text", "value"), [("Laptop", "hw-1"), (f"/answer {ID} 1", "hw-2")])
def test_a_choice_that_is_masked_is_a_secret(text, value):
    content = {**LAPTOP, "question": {**LAPTOP["question"], "masked": True}}
    answer = read_answer(content, text)
    assert (answer.label, answer.value, answer.secret, answer.typed) == (MASK, value, True, False)


def test_an_option_of_the_domain_that_was_not_worded_is_known_by_its_value():
    content = ask("choice", ("x", "true"))
    content["quick_replies"][0] = {"response": "utter_desk_yes", "value": "true"}
    assert read_answer(content, f"/answer {ID} 0").label == "true"


@pytest.mark.parametrize(
    ("text", "takes_words", "label"),
    [
        ("  B 12 ", True, "B 12"),
        ("B 12", False, None),
        (" ", True, None),
        (f"/answer {ID} B 12", False, "B 12"),
    ],
)
def test_a_text_that_was_asked_for_takes_words_where_it_waits_for_them(text, takes_words, label):
    answer = read_answer(ask("text"), text, takes_words=takes_words)
    assert (answer and (answer.label, answer.value, answer.typed)) == (label and (label, label, True))


BOT = Said(text="Which room?", from_agent=False, desk_id="q", content=ask("text"))


@pytest.mark.parametrize("state", [State.REQUESTED, State.QUEUED])
async def test_a_question_of_the_bot_takes_words_once_it_was_shown(ledger, state):
    handoff = await bring_to(ledger, state)
    await tell(ledger, handoff, BOT)
    async with ledger.entry() as entry:
        found = await find_asked(entry, CONVERSATION, "B 12")
        assert (found.holds_up, found.takes_words) == (True, False)
        await entry.messages.mark(found.message.id, Receipt.SENT)
        assert (await find_asked(entry, CONVERSATION, "B 12")).takes_words
        assert await find_asked(entry, CONVERSATION, "/restart") is None


async def test_a_question_of_the_bot_is_over_once_a_live_agent_has_joined(ledger, clock):
    handoff = await bring_to(ledger, State.QUEUED)
    await tell(ledger, handoff, BOT)
    clock.advance(1)
    await tell(ledger, handoff, Joined(name="Dana"))
    assert await asked(ledger, "Hello Dana") is None
    await tell(ledger, handoff, Queued(entered=True, mark="t"))
    assert await asked(ledger, "Still here") is None


async def asked(ledger, text):
    async with ledger.entry() as entry:
        found = await find_asked(entry, CONVERSATION, text)
    return found and (found.message.content["question"]["id"], found.counts)


def question(name=ID, text="Which?"):
    return Said(text=text, from_agent=True, content=ask("choice", ("A", "a"), question=name))


async def test_typed_words_may_answer_the_newest_question_of_the_open_handoff(ledger):
    live = await bring_to(ledger, State.LIVE)
    assert await asked(ledger, "A") is None
    await tell(ledger, live, question(), question("1" * 12), Said(text="Take your time", from_agent=True))
    assert await asked(ledger, "A") == ("1" * 12, True)


async def test_a_question_that_was_answered_is_not_answered_by_typed_words_again(ledger):
    live = await bring_to(ledger, State.LIVE)
    await tell(ledger, live, question())
    await write(ledger, "A", content={"text": "A", "answer": {"value": "a"}})
    assert await asked(ledger, "A") is None
    assert await asked(ledger, f"/answer {ID} 0") == (ID, True)


async def test_other_words_leave_the_question_open(ledger):
    live = await bring_to(ledger, State.LIVE)
    await tell(ledger, live, question())
    await write(ledger, "one moment please")
    assert await asked(ledger, "A") == (ID, True)


async def test_a_click_finds_its_question_among_several(ledger):
    live = await bring_to(ledger, State.LIVE)
    await tell(ledger, live, question(), question("1" * 12))
    assert await asked(ledger, f"/answer {ID} 0") == (ID, True)
    assert await asked(ledger, f"/answer {'2' * 12} 0") is None


async def test_a_question_of_a_chat_that_is_over_does_not_count(ledger):
    live = await bring_to(ledger, State.LIVE)
    await tell(ledger, live, question())
    await end(ledger, live)
    assert await asked(ledger, "A") is None
    assert await asked(ledger, f"/answer {ID} 0") == (ID, False)
    await bring_to(ledger, State.LIVE)
    assert await asked(ledger, "A") is None
    assert await asked(ledger, f"/answer {ID} 0") == (ID, False)


async def test_a_command_is_no_answer(ledger):
    live = await bring_to(ledger, State.LIVE)
    await tell(ledger, live, question())
    assert await asked(ledger, "/end_chat") is None


async def test_what_the_requester_wrote_asks_nothing(ledger):
    await bring_to(ledger, State.LIVE)
    await write(ledger, "x", content=LAPTOP)
    assert await asked(ledger, f"/answer {ID} 0") is None
