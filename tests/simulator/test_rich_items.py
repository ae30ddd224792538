"""What the live agent sends beyond plain text, as any ServiceNow client meets it."""

import json

import pytest

from simulator import rich_items
from simulator.errors import BadCommand, WrongState
from simulator.rich_items import EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
async def test_every_example_is_sent_signed_and_with_an_id(chat, simulator, receiver, name):
    message_id = await simulator.say_item(chat, name)
    [body] = await receiver.wait(1)
    [item] = body["body"]
    assert item["messageId"] == message_id
    assert (body["agentChat"], item["agentInfo"]["agentName"]) == (True, "Dana")
    assert {key: item[key] for key in EXAMPLES[name]} == EXAMPLES[name]
    assert chat.transcript[-1].id == message_id


async def test_an_item_of_ones_own_may_come_from_the_instances_bot(chat, simulator, receiver):
    await simulator.say_item(chat, rich_items.link("https://a/b", "A"), signed=False)
    [body] = await receiver.wait(1)
    assert "agentChat" not in body
    assert "agentInfo" not in body["body"][0]


async def test_the_data_of_a_card_is_json_in_a_string():
    assert json.loads(EXAMPLES["Record card"]["data"])["title"] == "Incident"


async def test_a_stream_has_a_placeholder_pieces_and_the_whole(chat, simulator, receiver):
    stream_id = await simulator.say_stream(chat, ["Looking", "a ", "b"])
    bodies = await receiver.wait(4)
    states = [(body["streamState"], body["streamActive"]) for body in bodies]
    assert states == [("START", True), ("INPROGRESS", True), ("INPROGRESS", True), ("END", False)]
    items = [body["body"][0] for body in bodies]
    assert [item["uiType"] for item in items] == ["StreamStart", "StreamChunk", "StreamChunk", "OutputText"]
    assert [item.get("streamSequence") for item in items] == [1, 2, 3, None]
    assert {item["streamId"] for item in items} == {stream_id}
    assert items[-1]["value"] == "a b"


async def test_a_stream_may_end_without_the_whole(chat, simulator, receiver):
    await simulator.say_stream(chat, ["Looking", "a"], whole=False)
    assert len(await receiver.wait(2)) == 2


async def test_it_is_remembered_how_the_requester_answered(chat, client, simulator):
    await client.send(message={"text": "hw-2", "typed": False})
    await client.send(text="thanks")
    answered = [(line.text, line.typed) for line in chat.transcript if line.sender == "requester"]
    assert answered == [("hw-2", False), ("thanks", True)]


async def test_nothing_is_sent_where_nobody_talks(route, simulator):
    chat = await route()
    with pytest.raises(WrongState):
        await simulator.say_item(chat, "Link")
    with pytest.raises(BadCommand, match="no example 'Nothing'"):
        await simulator.say_item(chat, "Nothing")


async def test_over_http(chat, client, receiver):
    status, known = await client.request("GET", "/simulator/items")
    assert (status, known["items"]) == (200, list(EXAMPLES))
    status, sent = await client.control(f"chats/{chat.id}/items", example="Date")
    assert status == 200
    assert (await receiver.wait(1))[0]["body"][0]["messageId"] == sent["message_id"]
    status, _ = await client.control(f"chats/{chat.id}/items", item=rich_items.text("x"))
    assert status == 200
    status, _ = await client.control(f"chats/{chat.id}/stream", pieces=["a", "b"])
    assert status == 200
    await receiver.wait(5)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("items", {}),
        ("items", {"example": "Nothing"}),
        ("items", {"example": "Date", "item": {}}),
        ("items", {"item": "Date"}),
        ("stream", {"pieces": "a"}),
        ("stream", {"pieces": [1]}),
    ],
)
async def test_senseless_calls_are_refused(chat, client, path, body):
    status, answer = await client.control(f"chats/{chat.id}/{path}", **body)
    assert (status, "error" in answer) == (400, True)
