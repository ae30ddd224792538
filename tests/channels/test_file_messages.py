"""A file of the requester on its way to the live agent."""

import pytest

from simulator import SimulatorSettings
from tests.support.chat_client import ChatClient
from tests.support.file_client import draw_picture, fetch, send_file
from tests.support.stage import CONNECT_SUPPORT, SECRET, play
from tests.support.waiting import eventually

PICTURE = draw_picture()


def files_of(chat):
    return [line.file for line in chat.transcript if line.file and line.sender == "requester"]


def posted_attachments(stage):
    bodies = [r.body for r in stage.simulator.requests if isinstance(r.body, dict)]
    messages = [b.get("message") for b in bodies]
    return [m["attachment"] for m in messages if isinstance(m, dict) and "attachment" in m]


async def arrives(chat, count=1):
    return await eventually(lambda: len(files_of(chat)) >= count and files_of(chat), within=10)


async def test_a_file_reaches_the_live_agent_by_a_signed_link(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    answer = await client.send_file(PICTURE, "My shot.png", message_id="m1")
    assert answer["accepted"]
    [file] = await arrives(chat)
    assert (file.name, file.content_type, file.size) == ("My shot.png", "image/png", len(PICTURE))
    assert (await fetch(stage.simulator_url + file.path)).body == PICTURE
    await eventually(lambda: {"message_id": "m1", "state": "delivered"} in client.receipts)


async def test_it_is_told_without_headers_and_without_a_text(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await client.send_file(PICTURE)
    await arrives(chat)
    [attachment] = posted_attachments(stage)
    assert attachment.keys() == {"url", "contentType", "fileName", "clientAttachmentId"}
    assert attachment["url"].startswith(f"{stage.url}/files/")


async def test_the_key_attachment_is_absent_where_there_is_none(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await client.say("only words")
    await stage.desk_heard(chat, "only words")
    assert posted_attachments(stage) == []


async def test_a_file_keeps_its_place_among_the_words(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await client.say("before")
    await client.send_file(PICTURE)
    await client.say("after")
    await arrives(chat)
    await eventually(lambda: any(line.text == "after" for line in chat.transcript))
    bodies = [r.body for r in stage.simulator.requests if isinstance(r.body, dict)]
    said = [m for b in bodies if isinstance(m := b.get("message"), dict) and m.get("clientMessageId")]
    assert ["attachment" if "attachment" in m else m["text"] for m in said] == [
        "before",
        "attachment",
        "after",
    ]


async def test_a_file_that_was_sent_while_the_bot_answers_goes_to_the_live_agent_later(stage):
    client = await stage.join()
    await client.send_file(PICTURE, "error.png")
    await client.expect("I keep “error.png” and pass it on as soon as you ask for a person.")
    assert stage.bot.heard == []
    chat = await stage.go_live(client)
    [file] = await arrives(chat)
    assert file.name == "error.png"


async def test_a_file_is_given_to_one_live_agent_only(stage):
    client = await stage.join()
    await client.send_file(PICTURE)
    await client.expect("I keep")
    first = await stage.go_live(client)
    await arrives(first)
    await stage.simulator.end(first)
    await client.expect("flow: live_agent_ended")
    client.messages.clear()
    second = await stage.go_live(client, agent="Lee")
    await client.say("hello again")
    await stage.desk_heard(second, "hello again")
    assert files_of(second) == []


async def test_a_file_waits_in_the_queue_with_the_words(stage):
    client = await stage.join()
    opening = await stage.open(client)
    await client.send_file(PICTURE)
    await client.say("that is what I see")
    chat = await stage.simulator.accept(stage.chat(opening.handoff), agent="Dana")
    await arrives(chat)
    await eventually(lambda: any(line.text == "that is what I see" for line in chat.transcript))


async def test_other_tabs_see_the_file_in_its_place(stage):
    client = await stage.join()
    other = await stage.join(client.session_id)
    await stage.go_live(client)
    await client.send_file(PICTURE, message_id="m1")
    await client.say("and words", message_id="m2")
    await other.expect("and words")
    own = [m for m in other.messages if m["metadata"]["sender"] == "requester"]
    assert [m["metadata"]["message_id"] for m in own] == ["m1", "m2"]
    assert (await fetch(stage.url + own[0]["files"][0]["url"])).body == PICTURE


async def test_after_a_reload_the_file_is_there_again_with_a_fresh_link(stage):
    client = await stage.join()
    await client.send_file(PICTURE, message_id="m1")
    await client.leave()
    back = await stage.join(client.session_id)
    shown = await back.expect("shot.png")
    assert (await fetch(stage.url + shown["files"][0]["url"])).body == PICTURE
    [offered] = back.offers[0]["files"]
    assert offered["id"] == shown["files"][0]["id"]
    assert (await fetch(stage.url + offered["url"])).body == PICTURE


async def test_a_file_that_the_desk_refuses_is_named_and_the_chat_goes_on(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    stage.simulator.fail("403", 1, "message", "integration")
    await client.send_file(PICTURE, "error.png", message_id="m1")
    await client.expect("This message did not reach the live agent: “error.png”")
    await eventually(lambda: {"message_id": "m1", "state": "failed"} in client.receipts)
    await client.say("then in words")
    await stage.desk_heard(chat, "then in words")


async def test_a_file_that_failed_can_be_sent_again_without_its_bytes(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    stage.simulator.fail("403", 1, "message", "integration")
    _, answer = await send_file(stage.url, client.session_id, PICTURE)
    await client.say("", file=answer["file"]["id"], message_id="m1")
    await client.expect("did not reach the live agent")
    assert (await client.say("", file=answer["file"]["id"], message_id="m2"))["accepted"]
    await arrives(chat)


async def test_a_lost_answer_is_repeated_with_the_same_ids(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    stage.simulator.fail("503", 1, "message", "integration")
    await client.send_file(PICTURE)
    await arrives(chat)
    posted = posted_attachments(stage)
    assert len(posted) >= 1
    assert len({attachment["clientAttachmentId"] for attachment in posted}) == 1


async def test_over_connect_support_no_file_is_taken(tmp_path):
    desk = SimulatorSettings(username="handoff", password="secret of the test", callback_secret=SECRET)
    async with play(tmp_path, desk=desk, **CONNECT_SUPPORT) as stage:
        client = await stage.join()
        await eventually(lambda: client.offers)
        assert client.offers[0]["takes"] is False
        with pytest.raises(AssertionError, match="file_refused_desk"):
            await client.send_file(PICTURE)


async def test_stock_widgets_are_told_nothing_of_files(stage):
    client = ChatClient(stage.url, ours=False)
    stage.clients.append(client)
    await client.connect()
    assert client.offers == []


# -- by upload ------------------------------------------------------------------------------


async def test_a_file_is_uploaded_where_that_is_chosen(tmp_path):
    async with play(tmp_path, servicenow_files="upload") as stage:
        client = await stage.join()
        chat = await stage.go_live(client)
        await client.send_file(PICTURE, "Übersicht.png")
        [file] = await arrives(chat)
        assert (file.name, file.content_type, file.size) == ("Übersicht.png", "image/png", len(PICTURE))
        [attachment] = posted_attachments(stage)
        assert attachment["url"].startswith(f"{stage.simulator_url}/api/now/v1/cs/media/")


async def test_a_message_that_is_repeated_is_uploaded_once(tmp_path):
    async with play(tmp_path, servicenow_files="upload") as stage:
        client = await stage.join()
        chat = await stage.go_live(client)
        stage.simulator.fail("503", 2, "message", "integration")
        await client.send_file(PICTURE)
        await arrives(chat)
        uploads = [r for r in stage.simulator.requests if "/cccif/media/upload" in r.path]
        assert len(uploads) == 1


async def test_where_no_file_can_be_uploaded_only_the_file_is_given_up(tmp_path):
    async with play(tmp_path, servicenow_files="upload", handoff_delivery_deadline=1) as stage:
        client = await stage.join()
        chat = await stage.go_live(client)
        for mode in ("503", "403"):
            stage.simulator.fail(mode, endpoint="media")
            await client.send_file(PICTURE, f"{mode}.png")
            await client.expect(f"did not reach the live agent: “{mode}.png”")
            stage.simulator.recover()
        await client.say("then in words")
        await stage.desk_heard(chat, "then in words")


# -- what the desk asks for -----------------------------------------------------------------


async def ask(stage, client, chat, **limits):
    """A FileUpload of the live agent's side; the question as the browser hears of it."""
    item = {"uiType": "FileUpload", "group": "DefaultText", "label": "Please send it.", **limits}
    await stage.simulator.say_item(chat, item)
    return (await client.expect("Please send it."))["question"]


@pytest.mark.covers("7.3 FileUpload")
async def test_a_request_for_files_is_answered_by_files(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    question = await ask(stage, client, chat, itemType="Image", maxCount=2, maxSize=5)
    for message_id in ("m1", "m2"):
        assert (await client.send_file(PICTURE, question=question["id"], message_id=message_id))["accepted"]
    await arrives(chat, 2)
    third = await client.send_file(PICTURE, question=question["id"])
    assert third["reason"] == "The live agent asks for at most 2, and you have sent as many."


@pytest.mark.covers("7.3 FileUpload")
async def test_what_was_not_asked_for_is_refused_with_what_was(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await ask(stage, client, chat, itemType="Image", maxSize=1)
    refused = await client.send_file(b"words", "log.txt")
    assert refused["reason"] == "The live agent asks for a picture, and that file is none."
    big = PICTURE + bytes(1024 * 1024)
    refused = await client.send_file(big, "big.png")
    assert refused["reason"] == "That file is too large: the live agent asks for one of at most 1 MB."
    assert (await client.send_file(PICTURE))["accepted"]
    await arrives(chat)
    assert (await client.send_file(b"words", "log.txt"))["accepted"]  # it is answered


async def test_an_answer_that_is_repeated_counts_once(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    question = await ask(stage, client, chat, maxCount=1)
    _, sent = await send_file(stage.url, client.session_id, PICTURE)
    said = {"file": sent["file"]["id"], "question": question["id"], "message_id": "m1"}
    first = await client.say("", **said)
    assert first["accepted"]
    assert await client.say("", **said) == first
    await arrives(chat)


# -- links that nobody follows ----------------------------------------------------------------


async def test_an_instance_that_does_not_fetch_is_told_to_the_requester(tmp_path):
    async with play(tmp_path, handoff_file_link_seconds=1) as stage:
        stage.simulator.settings.trusted_media_domains = ["nowhere.example.com"]
        client = await stage.join()
        chat = await stage.go_live(client)
        await client.send_file(PICTURE, "error.png")
        await client.expect("The live agent's side has not fetched “error.png” so far.")
        assert files_of(chat) == []


async def test_what_was_fetched_is_not_complained_of(tmp_path):
    async with play(tmp_path, handoff_file_link_seconds=2) as stage:
        client = await stage.join()
        chat = await stage.go_live(client)
        await client.send_file(PICTURE, "error.png")
        await arrives(chat)
        backend = (await stage.bridge()).backend

        async def is_noted():
            async with backend.ledger.entry() as entry:
                [file] = await entry.files.all_of(client.session_id)
            return file.fetch_by is None

        await eventually(is_noted)
        assert not any("has not fetched" in text for text in client.texts)
