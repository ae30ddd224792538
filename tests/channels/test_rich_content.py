"""Everything that a live agent can send reaches the requester, and every choice goes back."""

import pytest

from simulator.rich_items import EXAMPLES
from tests.support.stage import play
from tests.support.waiting import eventually

RICH = {
    "Link": ("Knowledge base", ["link"]),
    "Image": ("Where the VPN button is: https://example.com/vpn.png", ["image"]),
    "HTML": ("Do not restart.", ["html"]),
    "Record card": ("INC0008001", ["card"]),
    "Links": ("These may help", ["links"]),
    "Table": ("INC0000005 | CPU load", ["text", "table"]),
}


@pytest.fixture
async def stage(tmp_path):
    async with play(tmp_path) as stage:
        yield stage


@pytest.fixture
async def client(stage):
    return await stage.join()


@pytest.fixture
async def chat(stage, client):
    return await stage.go_live(client)


async def answers(chat):
    return [(line.text, line.typed) for line in chat.transcript if line.sender == "requester"]


async def expect_answers(chat, *expected):
    async def as_expected():
        return await answers(chat) == list(expected)

    await eventually(as_expected)


@pytest.mark.parametrize(("example", "expected"), RICH.items(), ids=RICH)
async def test_our_widget_gets_what_to_draw_and_a_stock_widget_gets_text(
    stage, client, chat, example, expected
):
    text, kinds = expected
    await stage.simulator.say_item(chat, example)
    said = await client.expect(text)
    assert [part["kind"] for part in said["parts"]] == kinds
    assert said["metadata"]["name"] == "Dana"


async def test_relative_addresses_are_those_of_the_instance(stage, client, chat):
    await stage.simulator.say_item(chat, "Relative link")
    said = await client.expect("Article 1")
    assert said["parts"][0]["href"] == f"{stage.settings.servicenow_url}/kb_view.do?sys_id=1"


async def test_a_click_goes_back_as_the_value_and_is_shown_as_the_title(stage, client, chat):
    other = await stage.join(client.session_id)
    await stage.simulator.say_item(chat, "Picker")
    asked = await client.expect("Which device is it?")
    replies = asked["quick_replies"]
    assert [reply["title"] for reply in replies] == ["Laptop", "Mobile phone", "Other"]
    assert "hw-2" not in str(asked)
    await client.say(replies[1]["payload"])
    await expect_answers(chat, ("hw-2", False))
    assert (await other.expect("Mobile phone"))["metadata"]["sender"] == "requester"


async def test_a_typed_title_counts_while_its_question_is_open(stage, client, chat):
    await stage.simulator.say_item(chat, "Boolean")
    await client.expect("Is it switched on?")
    await client.say("perhaps")
    await client.say("yes")
    await client.say("yes")
    await expect_answers(chat, ("perhaps", True), ("true", False), ("yes", True))


async def test_where_the_desk_named_no_options_the_domain_does(stage, client, chat):
    bare = {"uiType": "Boolean", "label": "Is it on?"}
    await stage.simulator.say_item(chat, bare)
    asked = await client.expect("Is it on?")
    assert [reply["title"] for reply in asked["quick_replies"]] == ["Yes", "No"]
    await client.say("No")
    await expect_answers(chat, ("false", False))


async def test_several_may_be_chosen(stage, client, chat):
    await stage.simulator.say_item(chat, "Multiple choice")
    asked = await client.expect("What does not work?")
    assert asked["question"]["kind"] == "several"
    await client.say(f"/answer {asked['question']['id']} 0,2")
    await expect_answers(chat, ("m,p", False))
    assert (await stage.handoff(client)) is not None


async def test_a_date_goes_back_in_milliseconds(stage, client, chat):
    await stage.simulator.say_item(chat, "Date and time")
    asked = await client.expect("When shall I call?")
    await client.say(f"/answer {asked['question']['id']} 2026-11-23T14:30+01:00")
    await expect_answers(chat, ("1795440600000", False))


@pytest.mark.parametrize(
    ("example", "button", "value"),
    [("Table", "Go on", "DONE"), ("Part of several", "Click for more", "click_for_more")],
)
async def test_what_comes_in_parts_is_asked_for(stage, client, chat, example, button, value):
    await stage.simulator.say_item(chat, example)
    asked = await eventually(lambda: [m for m in client.messages if "quick_replies" in m])
    [reply] = asked[0]["quick_replies"]
    assert reply["title"] == button
    await client.say(reply["payload"])
    await expect_answers(chat, (value, False))


async def test_a_choice_of_a_chat_that_is_over_goes_to_the_bot_as_its_title(stage, client, chat):
    await stage.simulator.say_item(chat, "Picker")
    asked = await client.expect("Which device is it?")
    await stage.simulator.end(chat)
    await client.expect_state("ended")
    await client.say(asked["quick_replies"][0]["payload"])
    await eventually(lambda: stage.bot.heard == ["Laptop"])


async def test_a_payload_that_nobody_offered_is_text(stage, client, chat):
    await client.say("/answer 0123456789ab 0")
    await expect_answers(chat, ("/answer 0123456789ab 0", True))


async def test_a_secret_answer_reaches_the_desk_and_nothing_else(stage, client, chat, tmp_path):
    other = await stage.join(client.session_id)
    await stage.simulator.say_item(chat, "Secret question")
    asked = await client.expect("What is the recovery code?")
    await client.say(f"/answer {asked['question']['id']} hunter2", metadata={"title": "hunter2"})
    await expect_answers(chat, ("hunter2", True))
    await other.expect("••••••")
    assert "hunter2" not in str(other.messages)
    for file in tmp_path.glob("ledger.db*"):
        assert b"hunter2" not in file.read_bytes()


async def test_a_date_that_is_masked_is_kept_nowhere_and_still_no_typed_text(stage, client, chat, tmp_path):
    await stage.simulator.say_item(chat, {**EXAMPLES["Date"], "maskType": "SECURE"})
    asked = await client.expect("When did it begin?")
    await client.say(f"/answer {asked['question']['id']} 1984-05-17")
    await expect_answers(chat, ("453643200000", False))
    for file in tmp_path.glob("ledger.db*"):
        assert b"1984-05-17" not in file.read_bytes()
        assert b"453643200000" not in file.read_bytes()


async def test_a_secret_of_the_desk_is_neither_stored_nor_shown(stage, client, chat, tmp_path):
    await stage.simulator.say_item(chat, "Secret text")
    await client.expect("••••••")
    assert "hunter2" not in str(client.messages)
    for file in tmp_path.glob("ledger.db*"):
        assert b"hunter2" not in file.read_bytes()


async def test_a_stream_is_one_message(stage, client, chat):
    await stage.simulator.say_stream(chat, ["Looking into it", "Spam is ", "unwanted."])
    await client.expect("Spam is unwanted.")
    assert [text for text in client.sent_by("agent") if text] == ["Spam is unwanted."]


async def test_the_instances_own_bot_is_heard_while_live(stage, client, chat):
    await stage.simulator.say_item(chat, "Links", signed=False)
    said = await client.expect("These may help")
    assert said["metadata"]["sender"] == "system"


async def test_a_stock_widget_gets_text_buttons_and_pictures(stage):
    stock = await stage.join(ours=False)
    chat = await stage.go_live(stock)
    await stage.simulator.say_item(chat, "Carousel")
    asked = await stock.expect("Which one do you have?")
    known = {"content_type", "title", "payload"}
    assert [set(reply) for reply in asked["quick_replies"]] == [known, known]
    assert set(asked) == {"text", "quick_replies", "metadata"}
    await stock.say(asked["quick_replies"][1]["payload"])
    await expect_answers(chat, ("b", False))
    await stage.simulator.say_item(chat, "Image")
    picture = await eventually(lambda: [m for m in stock.messages if "attachment" in m])
    assert picture[0]["attachment"]["payload"]["src"] == "https://example.com/vpn.png"
    assert "text" not in picture[0]
    await stage.simulator.say_item(chat, "Table")
    assert "parts" not in await stock.expect("INC0000005 | CPU load")
