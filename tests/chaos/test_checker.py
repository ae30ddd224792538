"""Each count of the checker, on histories written by hand."""

from __future__ import annotations

import pytest

from chaos.checker import KINDS, check, write_table


class Story:
    """A history in which time goes on by itself."""

    def __init__(self) -> None:
        self.events: list[dict] = []

    def add(self, kind, **about) -> Story:
        self.events.append({"t": float(len(self.events)), "kind": kind, "conversation": "c1", **about})
        return self

    def say(self, text, seq, *, command=False, message_id=None) -> Story:
        message_id = message_id or f"id of {text}"
        self.add("invoked", id=message_id, text=text, command=command)
        return self.add("acknowledged", id=message_id, seq=seq)

    def show(self, text, seq, *, sender="bot", message_id=None, tab="0.0") -> Story:
        return self.add("shown", tab=tab, id=message_id or f"m{seq}", seq=seq, sender=sender, text=text)

    def join(self, seq) -> Story:
        return self.show('[utter_live_agent_joined] {"live_agent_name": "Dana"}', seq, sender="system")

    def agent_says(self, text, *, status=200, at="1") -> Story:
        self.add("agent_said", id=text, text=text)
        return self.add("callback", text=text, status=status, time=at)

    def end(self, handoff="h1", reason="agent_ended", state="ended", opened=0.0) -> Story:
        return self.add("handoff", id=handoff, state=state, reason=reason, exit="done", opened=opened)

    def counts(self) -> dict[str, int]:
        violations = check(self.events).violations
        return {kind: len(found) for kind, found in violations.items() if found}


@pytest.fixture
def story() -> Story:
    return Story()


def good_story() -> Story:
    story = Story().say("hello", 1).add("bot_heard", text="hello", id="x").show("echo: hello", 2)
    story.say("agent please", 3).show("opening: queued h1 agent please", 4).join(5)
    story.say("help me", 6).add("desk_saw", chat="d", text="help me")
    story.agent_says("says 1 to c1").show("says 1 to c1", 7, sender="agent")
    story.say("/end_chat", 8, command=True).show("exit: h1", 9)
    return story.say("thanks", 10).show("echo: thanks", 11).end().add("final", back=True)


def test_a_good_history_is_clean():
    report = check(good_story().events)
    assert report.is_clean
    assert report.facts["messages acknowledged"] == 5
    table = write_table(report)
    assert all(KINDS[kind] in table for kind in KINDS)


def test_an_acknowledged_message_that_nobody_has_is_lost(story):
    assert story.say("hello", 1).counts() == {"lost": 1}


@pytest.mark.parametrize("response", ["utter_message_not_delivered", "utter_message_possibly_delivered"])
def test_a_message_named_as_failed_is_not_lost(story, response):
    story.say("hello", 1).show(f'[{response}] {{"text": "hello"}}', 2, sender="system")
    assert story.counts() == {}


def test_words_of_a_live_agent_that_were_taken_and_never_shown_are_lost(story):
    assert story.agent_says("says 1 to c1").counts() == {"lost": 1}


def test_words_of_a_live_agent_that_were_not_taken_are_not_lost(story):
    assert story.agent_says("says 1 to c1", status=503).counts() == {}


def test_a_message_that_waits_for_ever_was_never_acknowledged(story):
    assert story.add("invoked", id="1", text="hello", command=False).counts() == {"never_acknowledged": 1}


def test_a_refused_message_has_its_answer(story):
    story.add("invoked", id="1", text="", command=False).add("refused", id="1", seq=None)
    assert story.counts() == {}


def test_the_same_id_twice_in_a_tab(story):
    story.show("exit: h0", 1, message_id="m").show("exit: h0", 1, message_id="m")
    assert story.counts() == {"shown_twice": 1}


def test_words_of_the_live_agent_under_two_ids(story):
    story.show("says 1 to c1", 1, sender="agent").show("says 1 to c1", 2, sender="agent")
    assert story.counts() == {"shown_twice": 1}


@pytest.mark.parametrize("answers", [("echo: a", "echo: a"), ("opening: live h1 a", "opening: queued h2 a")])
def test_an_answer_of_the_bot_under_two_ids(story, answers):
    story.show(answers[0], 1).show(answers[1], 2)
    assert story.counts() == {"answered_twice": 1}


def test_a_message_that_the_bot_gets_as_two(story):
    story.say("a", 1).add("bot_heard", text="a", id="1").add("bot_heard", text="a", id="2").show("echo: a", 3)
    assert story.counts() == {"taken_twice": 1}


def test_a_turn_that_is_repeated_under_its_id_is_no_second_message(story):
    story.say("a", 1).add("bot_heard", text="a", id="1").add("bot_heard", text="a", id="1").show("echo: a", 3)
    assert story.counts() == {}


def test_what_the_desks_own_bot_heard_is_told_apart_and_not_lost(story):
    story.say("a", 1).add("strayed", text="a", chat="d")
    assert story.counts() == {}
    assert check(story.events).facts["heard by the desk's own bot, as the live agent had left"] == 1


def test_a_message_that_only_one_tab_has(story):
    story.show("echo: a", 1, tab="0.0").show("echo: a", 1, tab="0.1").show("echo: b", 2, tab="0.0")
    assert story.counts() == {"not_on_every_tab": 1}


def test_a_tab_that_is_shown_the_later_first(story):
    assert story.show("echo: b", 2).show("echo: a", 1).counts() == {"out_of_order": 1}


@pytest.mark.parametrize("event", ["bot_heard", "desk_saw"])
def test_messages_that_overtake_each_other_on_their_way_out(story, event):
    story.say("a", 1).say("b", 2)
    story.add(event, id="2", text="b").add(event, id="1", text="a")
    story.show("echo: a", 3).show("echo: b", 4)
    assert story.counts()["out_of_order"] == 1


def test_an_answer_to_the_desks_own_bot_may_overtake_words_but_no_other_answer(story):
    story.say("words", 1).say("answer", 2).say("another", 3)
    story.add("desk_saw", text="answer", first=True).add("desk_saw", text="another", first=True)
    story.add("desk_saw", text="words", first=False)
    assert story.counts().get("out_of_order", 0) == 0
    story.say("late", 4).say("later", 5)
    story.add("desk_saw", text="later", first=True).add("desk_saw", text="late", first=True)
    assert story.counts()["out_of_order"] == 1


def test_words_of_the_live_agent_against_the_order_of_the_callbacks(story):
    story.agent_says("says 2 to c1", at="2").agent_says("says 1 to c1", at="1")
    story.show("says 2 to c1", 1, sender="agent").show("says 1 to c1", 2, sender="agent")
    assert story.counts() == {"out_of_order": 1}


def test_a_message_that_both_have(story):
    story.say("a", 1).add("desk_saw", text="a").show("echo: a", 2)
    assert story.counts() == {"double_answers": 1}


def test_a_message_that_both_were_given_though_the_bot_was_silenced(story):
    story.say("a", 1).add("bot_heard", id="m", text="a").add("desk_saw", text="a")
    assert story.counts() == {"double_answers": 1}


def test_words_of_the_bot_while_live(story):
    story.join(1).say("a", 2).show("echo: a", 3).end().show("exit: h1", 4)
    assert story.counts() == {"double_answers": 1}


@pytest.mark.parametrize("state", ["queued", "live", "ending"])
def test_a_handoff_that_is_never_over(story, state):
    assert story.end(state=state).counts() == {"limbo": 1}


def test_a_bot_that_never_comes_back(story):
    assert story.add("final", back=False).counts() == {"limbo": 1}


def test_an_end_that_nobody_tells(story):
    assert story.end().counts() == {"exit_missing": 1}


def test_an_opening_that_failed_is_told_by_its_turn(story):
    story.say("agent a", 1).show("opening: desk_unreachable - agent a", 2)
    assert story.end(reason="desk_unreachable").counts() == {}


def test_an_end_that_is_told_twice(story):
    assert story.show("exit: h1", 1).show("exit: h1", 2).end().counts() == {"exit_twice": 1}


def test_a_restart_is_an_end_too(story):
    assert story.show("restarted: h1", 1).end(reason="requester_restarted").counts() == {}


def test_a_message_that_is_said_not_to_have_arrived_though_it_has(story):
    story.say("a", 1).add("desk_saw", text="a")
    story.show('[utter_message_not_delivered] {"text": "a"}', 2, sender="system")
    assert story.counts() == {"misnamed": 1}


def test_what_is_posted_again_to_the_desk_is_counted_and_allowed(story):
    story.say("a", 1).add("desk_saw", text="a").add("desk_saw", text="a")
    report = check(story.events)
    assert report.is_clean
    assert report.facts["posted again to the desk (allowed)"] == 1


def test_kills_and_the_longest_recovery(story):
    story.add("invoked", id="1", text="a", command=False).add("killed").add("died", label="x:before-commit")
    story.add("killed").add("acknowledged", id="1", seq=1).show("echo: a", 2)
    facts = check(story.events).facts
    assert (facts["kills"], facts["labels killed at"], facts["longest recovery, s"]) == (2, 1, 4.0)


def take_turns(story, *turns) -> Story:
    """Each turn is its process and whether it begins; both are about the same message."""
    for process, begins in turns:
        story.add("bot_heard" if begins else "bot_through", text="a", id="m", process=process)
    return story.show("echo: a", 2)


def test_turns_of_two_processes_at_a_time_are_seen(story):
    take_turns(story.say("a", 1), (1, True), (2, True), (1, False), (2, False))
    assert story.counts() == {"at_once": 1}


def test_turns_of_two_processes_one_after_the_other_are_not(story):
    take_turns(story.say("a", 1), (1, True), (1, False), (2, True), (2, False))
    assert story.counts() == {}


def test_nor_is_the_turn_of_a_process_that_died_or_one_repeated_by_itself(story):
    take_turns(story.say("a", 1), (1, True), (2, True), (2, False), (2, True), (2, False))
    assert story.counts() == {}


@pytest.mark.parametrize("excuse", ["frozen", "restarted"])
def test_nor_are_those_after_a_standstill_or_without_the_database(story, excuse):
    story.add(excuse)
    take_turns(story.say("a", 1), (1, True), (2, True), (1, False), (2, False))
    assert story.counts() == {}


def hear(story, process):
    return story.add("bot_heard", text="a", id="m", process=process)


def speak(story, process, begun=None):
    now = float(len(story.events))
    return story.add("bot_spoke", id="m", process=process, begun=now if begun is None else begun)


def test_words_of_a_process_that_was_given_up_are_seen_whatever_stood_still(story):
    hear(story.say("a", 1).add("frozen"), 1)
    speak(hear(story, 2), 2)
    speak(story, 1).show("echo: a", 2)
    assert story.counts() == {"overtaken": 1}


def test_words_that_were_begun_before_another_process_heard_are_not(story):
    """It may stand still between its commit and the note of it."""
    hear(story.say("a", 1), 1)
    begun = float(len(story.events)) - 0.5
    speak(hear(story, 2), 2)
    speak(story, 1, begun).show("echo: a", 2)
    assert story.counts() == {}


def test_nor_are_those_of_one_process_where_the_other_said_nothing_any_more(story):
    hear(hear(story.say("a", 1), 1), 2)
    speak(story, 2).show("echo: a", 2)
    assert story.counts() == {}


def test_every_kind_has_a_test_that_sees_it():
    assert set(KINDS) == {
        *(
            "lost",
            "never_acknowledged",
            "taken_twice",
            "shown_twice",
            "answered_twice",
            "not_on_every_tab",
            "out_of_order",
        ),
        *("double_answers", "at_once", "overtaken", "limbo", "exit_missing", "exit_twice", "misnamed"),
    }
