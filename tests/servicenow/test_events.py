"""What each field of the envelope and each action comes to."""

import pytest

from handoff.desk import Confirming, Ended, Joined, Noticed, Queued, Said, Streamed, Typing
from servicenow.callback import parse_callback
from servicenow.events import LIVE_AGENT_CHOICE
from servicenow.ignored import IgnoredItems
from simulator import rich_items
from simulator.rich_items import EXAMPLES, option, picker

AGENT = {"sentFromAgent": True, "agentName": "Dana", "agentAvatar": "/dana.png", "agentId": "x"}
MAP = "{@type=InteractionQueue, external=false}"


def action(kind, **fields):
    return {"uiType": "ActionMsg", "actionType": kind, **fields}


def read(*items, ignored=None, **envelope):
    body = {"body": list(items), **envelope}
    found = parse_callback(body, instance_url="https://dev1", ignored=ignored or IgnoredItems())
    return list(found.events)


@pytest.mark.covers("7.3 ActionMsg")
@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param(
            action("StartTypingIndicator"),
            [Typing(on=True)],
            id="typing",
            marks=pytest.mark.covers("7.4 StartTypingIndicator and EndTypingIndicator"),
        ),
        pytest.param(
            action("EndTypingIndicatorActionMsg"),
            [Typing(on=False)],
            id="typing by its other name",
            marks=pytest.mark.covers("7.4 the same with ActionMsg"),
        ),
        pytest.param(
            action("StartSpinner", spinnerType="wait_time", message="Routing", waitTime="8 Seconds"),
            [Queued(wait_time="8 Seconds")],
            id="spinner",
            marks=pytest.mark.covers("7.4 StartSpinner"),
        ),
        pytest.param(
            action("EndSpinner", spinnerType="wait_time"),
            [],
            id="spinner off",
            marks=pytest.mark.covers("7.4 EndSpinner"),
        ),
        pytest.param(
            action("SubscribeToSupportQueue", supportQueue=MAP),
            [Queued(entered=True)],
            id="queue",
            marks=pytest.mark.covers("7.4 SubscribeToSupportQueue"),
        ),
        pytest.param(
            action("SubscribeToChatPresence", channel="/cs/1", userDetails=MAP, chatSessionId="c"),
            [],
            id="presence",
            marks=pytest.mark.covers("7.4 SubscribeToChatPresence"),
        ),
        pytest.param(
            action("SwitchToLiveAgent"),
            [Joined()],
            id="accepted",
            marks=pytest.mark.covers("7.4 SwitchToLiveAgent"),
        ),
        pytest.param(
            action("SwitchToVirtualAgent"),
            [Ended()],
            id="over",
            marks=pytest.mark.covers("7.4 SwitchToVirtualAgent"),
        ),
        pytest.param(
            action("SwitchConversation"),
            [],
            id="another conversation",
            marks=pytest.mark.covers("7.4 SwitchConversation"),
        ),
        pytest.param(
            action("System", message="Still there?", messageId="s1"),
            [Noticed(text="Still there?", desk_id="s1")],
            id="system",
            marks=pytest.mark.covers("7.4 System"),
        ),
        pytest.param(
            action("ChatSubHeader", message="Translation is off.", messageId="s2"),
            [Noticed(text="Translation is off.", desk_id="s2")],
            id="sub-header",
            marks=pytest.mark.covers("7.4 ChatSubHeader"),
        ),
        pytest.param(action("ChatSubHeader"), [], id="sub-header without words"),
        pytest.param(
            action("StartConversation", conversationId="c"),
            [],
            id="started",
            marks=pytest.mark.covers("7.4 StartConversation"),
        ),
        pytest.param(
            action("DynamicLoader", progressMessages=[{"message": "x", "status": "IN_PROGRESS"}]),
            [Typing(on=True)],
            id="working",
            marks=pytest.mark.covers("7.4 DynamicLoader"),
        ),
        pytest.param(
            action("DynamicLoader", progressMessages=[{"message": "x", "status": "COMPLETED"}]),
            [Typing(on=False)],
            id="worked",
        ),
        pytest.param(action("DynamicLoader", header="x"), [Typing(on=True)], id="working on something"),
        pytest.param(action("Separator"), [], id="separator", marks=pytest.mark.covers("7.4 Separator")),
        pytest.param(
            action("TopicFinished"), [], id="finished", marks=pytest.mark.covers("7.4 TopicFinished")
        ),
        pytest.param(
            action("Hologram", message="A hologram", messageId="s3"),
            [Noticed(text="A hologram", desk_id="s3")],
            id="unknown",
            marks=pytest.mark.covers("7.4 unknown"),
        ),
    ],
)
def test_every_action_has_its_effect(item, expected):
    ignored = IgnoredItems()
    assert read(item, ignored=ignored) == expected
    assert not ignored.counts


def test_what_means_nothing_is_counted_by_its_type():
    ignored = IgnoredItems()
    unknown = [{"uiType": "Hologram", "data": {}}, action("Teleport"), {}, action({})]
    assert read(*unknown, ignored=ignored) == []
    assert ignored.counts == {"Hologram": 1, "Teleport": 1, "None": 1, "{}": 1}


@pytest.mark.covers("7.2 agentInfo", "7.2 messageId")
def test_a_live_agents_words_carry_who_and_an_id():
    [said] = read({**EXAMPLES["Link"], "agentInfo": AGENT, "messageId": "m1"})
    assert (said.from_agent, said.name, said.avatar) == (True, "Dana", "https://dev1/dana.png")
    assert said.desk_id == "m1"
    assert said.content == {"parts": said.content["parts"]}


@pytest.mark.covers("7.1 agentChat")
@pytest.mark.parametrize(("flag", "expected"), [(True, None), ("true", None), (False, False), (None, False)])
def test_an_unsigned_item_may_be_the_agents_beside_agent_chat(flag, expected):
    [said] = read(EXAMPLES["Picker"], agentChat=flag)
    assert said.from_agent is expected


@pytest.mark.covers("7.1 completed", "7.1 takeControl")
@pytest.mark.parametrize("flag", ["completed", "takeControl"])
def test_a_flag_ends_the_chat(flag):
    assert read(**{flag: True}) == [Ended()]
    assert read(EXAMPLES["Picker"], **{flag: True}) == [Ended()]


def test_the_offer_of_a_live_agent_is_ours_to_take_unless_a_person_makes_it():
    offer = picker("Sure?", option(LIVE_AGENT_CHOICE, LIVE_AGENT_CHOICE))
    assert read(offer) == [Confirming(choice=LIVE_AGENT_CHOICE)]
    [said] = read({**offer, "agentInfo": AGENT})
    assert isinstance(said, Said)


# -- streams ----------------------------------------------------------------------------


@pytest.mark.covers("7.3 StreamStart and StreamChunk", "7.2 streamId and streamSequence")
def test_pieces_of_a_stream_keep_their_place_and_their_spaces():
    first = read(rich_items.stream_piece("s", 1, "Looking"), streamState="START")
    second = read({**rich_items.stream_piece("s", 2, " a "), "streamSequence": "2"}, streamState="INPROGRESS")
    piece = {"stream_id": "s", "from_agent": False}
    assert first == [Streamed(sequence=1, text="Looking", is_opening=True, **piece)]
    assert second == [Streamed(sequence=2, text=" a ", **piece)]


@pytest.mark.covers("7.1 streamActive and streamState")
def test_the_end_of_a_stream_is_the_whole_or_the_last_piece():
    [whole] = read({**rich_items.text("a b"), "streamId": "s"}, streamState="END")
    assert (whole.text, whole.stream_id) == ("a b", "s")
    pieces = read(
        rich_items.stream_piece("s", 2, "a "), rich_items.stream_piece("s", 3, "b"), streamState="END"
    )
    assert [piece.is_last for piece in pieces] == [False, True]


@pytest.mark.parametrize("missing", ["streamId", "streamSequence"])
def test_a_piece_without_a_place_is_a_text(missing):
    item = {**rich_items.stream_piece("s", 2, "a"), missing: None}
    [said] = read(item)
    assert isinstance(said, Said)
    assert said.text == "a"
