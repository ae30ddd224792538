import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handoff.desk import Confirming, Ended, Joined, Noticed, Queued, Refused, Said, Typing
from handoff.handoff import EndReason
from servicenow.callback import (
    MalformedCallback,
    decode_callback,
    parse_callback,
    read_identifiers,
    read_references,
)
from servicenow.events import LIVE_AGENT_CHOICE, LIVE_AGENT_TOPIC
from servicenow.patterns import TextPatterns
from tests.support.odd_json import JSON, KEYS

AGENT = {"sentFromAgent": True, "agentName": "Dana", "agentAvatar": "https://a/d.png", "agentId": "x"}
QUEUE_MAP = "{@type=InteractionQueue, external=false, name=IT, waitTime=8 Seconds}"
USER_MAP = "{@type=UserDetails, userId=u1, guest=true}"


def action(kind, **fields):
    return {"uiType": "ActionMsg", "actionType": kind, **fields}


def text(value, **fields):
    return {"uiType": "OutputText", "group": "DefaultText", "value": value, "maskType": "NONE", **fields}


def events(*items, **envelope):
    return list(parse_callback({"body": list(items), **envelope}).events)


SPINNER = action("StartSpinner", spinnerType="wait_time", message="Routing you...", waitTime="8 Seconds")
QUEUE = action("SubscribeToSupportQueue", supportQueue=QUEUE_MAP)
PRESENCE = action("SubscribeToChatPresence", channel="/cs/1", userDetails=USER_MAP, chatSessionId="c")
SWITCHED = action("SwitchToLiveAgent")
ENTERED = action("System", message="Dana has entered the chat.", messageId="s1")
STAND_BY = text("Please stand by while I connect you to a live agent.", messageId="m0")

SAID = Said(text="Hi", from_agent=True, desk_id="m1", name="Dana", avatar="https://a/d.png")
NO_AGENTS = "There are no agents available. Please try again later."
FINISHED = "The conversation has ended. If you need help again, type hi."

SHAPES = {
    "live agent's message": ([text("Hi", agentInfo=AGENT, messageId="m1")], {"agentChat": True}, [SAID]),
    "the same without agentChat": ([text("Hi", agentInfo=AGENT, messageId="m1")], {}, [SAID]),
    "text in label": (
        [
            {
                "uiType": "OutputText",
                "itemType": "outputtext",
                "label": "Hi",
                "agentInfo": AGENT,
                "messageId": "m1",
            }
        ],
        {},
        [SAID],
    ),
    "value before label": ([text("Hi", label="Bye", agentInfo=AGENT, messageId="m1")], {}, [SAID]),
    "name and avatar hidden": (
        [text("Hi", agentInfo={"sentFromAgent": True}, messageId="m1")],
        {},
        [Said(text="Hi", from_agent=True, desk_id="m1")],
    ),
    "agentInfo hidden": (
        [text("Hi", messageId="m1")],
        {"agentChat": True},
        [Said(text="Hi", from_agent=None, desk_id="m1")],
    ),
    "old app without messageId": ([text("Hi")], {"agentChat": True}, [Said(text="Hi", from_agent=None)]),
    "string flags": (
        [text("Hi", agentInfo={"sentFromAgent": "true"})],
        {"agentChat": "true", "score": "0.92"},
        [Said(text="Hi", from_agent=True)],
    ),
    "sentFromAgent false beside agentChat": (
        [text("Please stand by", agentInfo={"sentFromAgent": False})],
        {"agentChat": True},
        [Said(text="Please stand by", from_agent=False)],
    ),
    "greeting of Virtual Agent": (
        [text("Hi, I'm your virtual agent.", messageId="m1")],
        {"score": 0},
        [Said(text="Hi, I'm your virtual agent.", from_agent=False, desk_id="m1")],
    ),
    "several items in order": (
        [text("1", agentInfo=AGENT), action("EndTypingIndicator"), text("2", agentInfo=AGENT)],
        {},
        [
            Said(text="1", from_agent=True, name="Dana", avatar="https://a/d.png"),
            Typing(on=False),
            Said(text="2", from_agent=True, name="Dana", avatar="https://a/d.png"),
        ],
    ),
    "queued": (
        [SPINNER, QUEUE, PRESENCE],
        {"agentChat": True},
        [Queued(wait_time="8 Seconds", entered=True)],
    ),
    "queued with the words before": (
        [STAND_BY, SPINNER, QUEUE],
        {"agentChat": True},
        [
            Queued(wait_time="8 Seconds", entered=True),
            Said(text=STAND_BY["value"], from_agent=None, desk_id="m0"),
        ],
    ),
    "queued, spinner without time": (
        [action("StartSpinner", spinnerType="none"), QUEUE],
        {},
        [Queued(entered=True)],
    ),
    "queue subscription alone": ([QUEUE], {}, [Queued(entered=True)]),
    "news about the wait": ([SPINNER], {"agentChat": True}, [Queued(wait_time="8 Seconds")]),
    "a wait in numbers": ([action("StartSpinner", waitTime=8)], {}, [Queued(wait_time="8")]),
    "busy is no waiting": ([action("StartSpinner", spinnerType="processing", waitTime="1 Second")], {}, []),
    "presence alone": ([PRESENCE], {}, []),
    "spinner stops": ([action("EndSpinner", spinnerType="wait_time")], {}, []),
    "accepted": (
        [SWITCHED, action("EndSpinner"), ENTERED],
        {"agentChat": True},
        [Joined(name="Dana"), Joined(name="Dana")],
    ),
    "accepted, text first": ([ENTERED, SWITCHED], {}, [Joined(name="Dana"), Joined(name="Dana")]),
    "accepted without a text": ([SWITCHED], {}, [Joined()]),
    "accepted in another language": (
        [SWITCHED, action("System", message="Dana ist dem Chat beigetreten.")],
        {},
        [Joined(), Noticed(text="Dana ist dem Chat beigetreten.")],
    ),
    "accepted while the queue is named": ([QUEUE, SWITCHED], {}, [Joined()]),
    "entered in a callback of its own": ([ENTERED], {}, [Joined(name="Dana")]),
    "no agents": ([text(NO_AGENTS)], {}, [Refused()]),
    "no agents, as a System message": ([action("System", message=NO_AGENTS)], {}, [Refused()]),
    "no agents, other words": ([text("Sorry, no agents are available right now.")], {}, [Refused()]),
    "no agents and completed": ([text(NO_AGENTS)], {"completed": True}, [Refused(), Ended()]),
    "a live agent says so": (
        [text("There are no agents with that skill", agentInfo={"sentFromAgent": True})],
        {},
        [Said(text="There are no agents with that skill", from_agent=True)],
    ),
    "idle reminder": (
        [action("System", message="The conversation is timing out, are you still there?", messageId="s1")],
        {"agentChat": True},
        [Noticed(text="The conversation is timing out, are you still there?", desk_id="s1")],
    ),
    "completed": ([], {"completed": True}, [Ended()]),
    "completed as a string": ([], {"completed": "true"}, [Ended()]),
    "takeControl": ([], {"takeControl": True, "score": 0}, [Ended()]),
    "flags that say no": ([], {"completed": False, "takeControl": "false", "agentChat": None}, []),
    "flags of odd types": ([], {"completed": 1, "takeControl": ["true"]}, []),
    "back to Virtual Agent": ([action("SwitchToVirtualAgent")], {}, [Ended()]),
    "every marker of an end at once": (
        [action("System", message="Dana has closed the support session."), action("SwitchToVirtualAgent")],
        {"completed": True, "takeControl": True},
        [Ended()],
    ),
    "the requester ended": ([text(FINISHED)], {"completed": True}, [Ended()]),
    "the requester ended, example without completed": ([text(FINISHED)], {}, [Ended()]),
    "timed out": (
        [action("System", message="The chat has timed out due to inactivity.")],
        {"completed": True},
        [Ended(reason=EndReason.REQUESTER_IDLE)],
    ),
    "words beside an end": (
        [text("Bye", agentInfo={"sentFromAgent": True}), action("SwitchToVirtualAgent")],
        {"completed": True},
        [Said(text="Bye", from_agent=True), Ended()],
    ),
    "an end before the words": (
        [action("SwitchToVirtualAgent"), text("Bye", agentInfo={"sentFromAgent": True})],
        {},
        [Said(text="Bye", from_agent=True), Ended()],
    ),
    "Virtual Agent beside an end": ([text("Anything else?")], {"completed": True}, [Ended()]),
    "a live agent quotes an end": (
        [text("He said: the conversation has ended", agentInfo={"sentFromAgent": True})],
        {"agentChat": True},
        [Said(text="He said: the conversation has ended", from_agent=True)],
    ),
    "an unknown uiType": ([{"uiType": "Hologram", "data": {"x": [1]}}], {}, []),
    "an unknown actionType": ([action("Hologram", header="x")], {}, []),
    "an action without a type": ([{"uiType": "ActionMsg"}], {}, []),
    "nothing": ([], {}, []),
    "only an echo": ([], {"message": {"text": "hi", "attachment": {"headers": {"Authorization": "x"}}}}, []),
    "empty words": ([text("", agentInfo=AGENT), text("   "), text(None)], {"agentChat": True}, []),
    "number as words": (
        [text(42, agentInfo={"sentFromAgent": True})],
        {},
        [Said(text="42", from_agent=True)],
    ),
    "half an emoji and a NUL": (
        [text("a\ud83d", agentInfo={"sentFromAgent": True, "agentName": "D\0"})],
        {},
        [Said(text="a\ufffd", from_agent=True, name="D\ufffd")],
    ),
}


@pytest.mark.parametrize(("items", "envelope", "expected"), SHAPES.values(), ids=SHAPES)
@pytest.mark.covers("7.1 body as array")
def test_real_shapes_are_understood(items, envelope, expected):
    assert events(*items, **envelope) == expected


ONE = {name: shape for name, shape in SHAPES.items() if len(shape[0]) == 1}


@pytest.mark.parametrize(("items", "envelope", "expected"), ONE.values(), ids=ONE)
@pytest.mark.covers("7.1 body as object")
def test_a_body_of_one_object_says_the_same_as_a_list_of_one(items, envelope, expected):
    assert list(parse_callback({"body": items[0], **envelope}).events) == expected


@pytest.mark.parametrize(
    ("name", "on"),
    [
        ("StartTypingIndicator", True),
        ("EndTypingIndicator", False),
        ("StartTypingIndicatorActionMsg", True),
        ("EndTypingIndicatorActionMsg", False),
    ],
)
def test_both_namings_of_typing_are_known(name, on):
    assert events(action(name)) == [Typing(on=on)]


@pytest.mark.parametrize(
    "words",
    [
        "Dana has closed the support session.",
        "Dana has closed the support session",
        "The support session was closed.",
        "Dana has left the support session.",
        "The conversation has ended.",
    ],
)
@pytest.mark.parametrize("carrier", ["System", "OutputText"])
def test_every_text_that_tells_of_an_end_is_known(words, carrier):
    item = action("System", message=words) if carrier == "System" else text(words)
    assert events(item) == [Ended()]


@pytest.mark.parametrize(
    "words", ["This chat timed out", "Closed due to inactivity", "It seems you have left the conversation"]
)
def test_a_requester_who_was_idle_is_told_so(words):
    assert events(action("System", message=words)) == [Ended(reason=EndReason.REQUESTER_IDLE)]


@pytest.mark.parametrize(
    ("option", "choice"),
    [
        ({"label": LIVE_AGENT_CHOICE, "value": LIVE_AGENT_CHOICE}, LIVE_AGENT_CHOICE),
        ({"label": LIVE_AGENT_CHOICE}, LIVE_AGENT_CHOICE),
        ({"label": "Mit Menschen sprechen", "value": LIVE_AGENT_TOPIC}, LIVE_AGENT_TOPIC),
        ({"label": LIVE_AGENT_CHOICE, "value": "42"}, "42"),
    ],
)
@pytest.mark.parametrize("kind", ["Picker", "TopicPickerControl"])
def test_the_offer_of_a_live_agent_can_be_taken(kind, option, choice):
    picker = {"uiType": kind, "label": "Sure?", "options": [{"label": "No", "value": "no"}, None, option]}
    assert events(picker) == [Confirming(choice=choice)]


@pytest.mark.parametrize("options", [None, [], {}, "x", [{"label": "VPN", "value": "vpn"}], [[], 1]])
def test_other_questions_are_not_ours_to_answer(options):
    [said] = events({"uiType": "Picker", "label": "Which?", "options": options})
    assert (said.text, said.from_agent) == ("Which?", False)


def test_patterns_can_be_those_of_another_language():
    german = TextPatterns(entered=re.compile(r"^(?P<name>.+) ist dem Chat beigetreten\.$"))
    body = [SWITCHED, action("System", message="Dana ist dem Chat beigetreten.")]
    assert parse_callback({"body": body}, german).events == (Joined(name="Dana"), Joined(name="Dana"))


# -- whose chat -------------------------------------------------------------------------


@pytest.mark.covers("7.1 userId", "7.1 clientSessionId", "7.1 clientVariables")
def test_everything_that_tells_whose_chat_it_is_is_read():
    references = read_references(
        {
            "clientVariables": {"handoff": "h1"},
            "clientSessionId": "s1",
            "interactionId": "i1",
            "userId": "u1",
            "requestId": "r1",
        }
    )
    assert (references.handoff_id, references.session_id) == ("h1", "s1")
    assert (references.chat_id, references.user) == ("i1", "u1")


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        {"clientVariables": None, "clientSessionId": "", "userId": None},
        {"clientVariables": "{handoff=h1}", "interactionId": {}, "userId": ["u"]},
        {"clientVariables": {"handoff": True}, "clientSessionId": "  "},
    ],
)
def test_what_is_absent_or_odd_tells_nothing(envelope):
    references = read_references(envelope)
    assert not any([references.handoff_id, references.session_id, references.chat_id, references.user])


@pytest.mark.parametrize(
    ("envelope", "found"),
    [
        ({"interactionId": "i1", "body": [{"interactionId": "i2"}]}, "i1"),
        ({"body": [{"uiType": "x"}, {"interactionId": "i2"}]}, "i2"),
        ({"body": {"interactionId": "i2"}}, "i2"),
        ({"body": []}, None),
        ("Message Processed Successfully", None),
        (None, None),
    ],
)
@pytest.mark.covers("7.1 interactionId")
def test_the_interaction_may_stand_in_the_envelope_or_in_an_item(envelope, found):
    assert read_identifiers(envelope) == found


# -- raw bodies -------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [b'{"body":[]}', b' {"body": []}\n', b'\xef\xbb\xbf{"body":[]}'])
def test_a_json_object_is_decoded(raw):
    assert decode_callback(raw) == {"body": []}


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"hello", b"[]", b"null", b'"x"', b"1", b"\xff\xfe\x00", b"[" * 100_000, b'{"a":' * 100_000],
)
def test_anything_else_is_malformed(raw):
    with pytest.raises(MalformedCallback):
        decode_callback(raw)


# -- anything at all --------------------------------------------------------------------


@given(st.dictionaries(KEYS, JSON, max_size=10))
@example({"body": [{"uiType": "ActionMsg", "actionType": {}}], "completed": []})
@example({"body": [[{"uiType": "Picker", "options": [{"value": {}}]}]]})
def test_no_json_makes_the_parser_raise(envelope):
    callback = parse_callback(envelope)
    ends = [event for event in callback.events if isinstance(event, Ended)]
    assert len(ends) <= 1
    assert not ends or callback.events[-1] is ends[0]


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_make_the_decoder_raise_anything_else(raw):
    try:
        envelope = decode_callback(raw)
    except MalformedCallback:
        return
    parse_callback(envelope)


def test_an_entry_into_a_queue_has_a_mark_that_a_repetition_shares():
    def mark(**about):
        (queued,) = parse_callback({"body": [QUEUE], **about}).events
        return queued.mark

    assert mark(requestId="1") == mark(requestId="1")
    assert mark(requestId="1") != mark(requestId="2")


@pytest.mark.parametrize(
    ("item", "envelope", "stray"),
    [
        (text("How can I help?"), {}, "m-1"),
        (text("How can I help?", agentInfo={"sentFromAgent": False}), {}, "m-1"),
        ({"uiType": "Picker", "label": "Which?", "options": [{"label": "A", "value": "a"}]}, {}, "m-1"),
        (text("Hello", agentInfo={"sentFromAgent": True}), {}, None),
        (text("Hello"), {"agentChat": True}, None),
        (text("Goodbye"), {"completed": True}, None),
        (action("StartTypingIndicator"), {}, None),
    ],
)
@pytest.mark.covers("7.1 message")
def test_what_the_desks_own_bot_answers_is_a_stray(item, envelope, stray):
    echo = {"message": {"text": "one more thing", "clientMessageId": "m-1"}}
    assert parse_callback({"body": [item], **echo, **envelope}).stray == stray
