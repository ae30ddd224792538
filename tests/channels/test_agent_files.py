"""A live agent's files on their way to the requester: fetched by us, shown from here."""

import pytest

from simulator import SimulatorSettings
from tests.support.chat_client import ChatClient
from tests.support.file_client import draw_picture, fetch
from tests.support.stage import SECRET, play
from tests.support.waiting import eventually

PICTURE = draw_picture(64, 48)


@pytest.fixture
async def stage(tmp_path):
    """An instance that gives its files to nobody without credentials."""
    desk = SimulatorSettings(
        username="handoff",
        password="secret of the test",
        callback_secret=SECRET,
        media_needs_credentials=True,
    )
    async with play(tmp_path, desk=desk, servicenow_ticks=True, handoff_delivery_deadline=1) as running:
        yield running


async def files_of(client, count=1):
    """What is known of the newest files once they are here."""

    def find():
        known = client.offers[-1]["files"] if client.offers else []
        return known if len([f for f in known if f.get("size")]) >= count else None

    return await eventually(find, within=15)


def is_silent_about(stage, payload):
    return stage.simulator_url not in str(payload) and "secret of the test" not in str(payload)


@pytest.mark.covers("7.3 OutputImage")
async def test_a_picture_is_shown_from_our_server(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.attach(chat, "shot.png", "image/png", PICTURE)
    shown = await client.expect("shot.png")
    [part] = shown["parts"]
    assert (part["kind"], part["alt"], part["file"]) == ("image", "shot.png", shown["files"][0]["id"])
    assert part["src"].startswith("/files/")
    assert is_silent_about(stage, shown)
    assert (await fetch(stage.url + part["src"])).body == PICTURE
    [file] = await files_of(client)
    assert (file["name"], file["picture"], file["width"], file["size"]) == (
        "shot.png",
        True,
        64,
        len(PICTURE),
    )


@pytest.mark.parametrize("profile", ["app_4x", "html_files"])
async def test_another_file_is_a_link_to_our_server(stage, profile):
    stage.simulator.settings.profile = profile
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.attach(chat, "how to.pdf", "application/pdf", b"%PDF-1.7\nwords")
    shown = await client.expect("how to.pdf")
    [part] = shown["parts"]
    assert (part["kind"], part["title"]) == ("link", "how to.pdf")
    assert is_silent_about(stage, shown)
    got = await fetch(stage.url + part["href"])
    assert got.body == b"%PDF-1.7\nwords"
    assert got.headers["Content-Disposition"].startswith("attachment")


async def test_a_file_does_not_hold_up_words(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    stage.simulator.fail("slow", endpoint="media", seconds=20)
    await stage.simulator.attach(chat, "shot.png", "image/png", PICTURE)
    await stage.simulator.say(chat, "do you see it?")
    await client.expect("do you see it?", within=5)
    order = [text.split(":")[0] for text in client.sent_by("agent")]
    assert order == ["shot.png", "do you see it?"]


async def test_a_browser_that_asks_early_waits_for_the_file(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    stage.simulator.fail("503", 1, endpoint="media")
    await stage.simulator.attach(chat, "shot.png", "image/png", PICTURE)
    shown = await client.expect("shot.png")
    assert (await fetch(stage.url + shown["parts"][0]["src"])).body == PICTURE


@pytest.mark.covers("4 UPDATE_MESSAGES")
async def test_a_file_that_cannot_be_fetched_is_told_to_both(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    stage.simulator.fail("403", endpoint="media")
    await stage.simulator.attach(chat, "shot.png", "image/png", PICTURE)
    shown = await client.expect("shot.png")
    await client.emit("delivered", message_id=shown["metadata"]["message_id"])
    await client.expect("The file “shot.png” could not be fetched from the live agent's side.")
    assert (await fetch(stage.url + shown["parts"][0]["src"])).status == 404
    await eventually(lambda: client.offers[-1]["files"] and "url" not in client.offers[-1]["files"][0])
    await eventually(lambda: line_with_file(chat).status == "external_error", within=10)


async def test_the_tick_waits_until_the_file_can_be_shown(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.attach(chat, "shot.png", "image/png", PICTURE)
    shown = await client.expect("shot.png")
    await client.emit("delivered", message_id=shown["metadata"]["message_id"])
    await eventually(lambda: line_with_file(chat).status == "sent_to_user", within=10)


async def test_what_nobody_was_there_to_see_until_the_end_has_failed(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await client.leave()
    await stage.simulator.say(chat, "are you there?")
    await stage.simulator.end(chat)
    line = next(line for line in chat.transcript if line.text == "are you there?")
    await eventually(lambda: line.status == "external_error", within=10)


async def test_too_large_a_file_is_not_fetched(tmp_path):
    async with play(tmp_path, handoff_file_limit=0.001) as stage:
        client = await stage.join()
        chat = await stage.go_live(client)
        await stage.simulator.attach(chat, "big.bin", "application/zip", bytes(2000))
        await client.expect("The file “big.bin” could not be fetched")


async def test_a_picture_that_unpacks_into_too_much_is_not_shown(tmp_path):
    async with play(tmp_path, handoff_file_pixels=1000) as stage:
        client = await stage.join()
        chat = await stage.go_live(client)
        await stage.simulator.attach(chat, "bomb.png", "image/png", PICTURE)
        await client.expect("The file “bomb.png” could not be fetched")


async def test_what_pretends_to_be_a_picture_is_saved_and_not_drawn(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.attach(chat, "x.png", "image/png", b"<svg onload='alert(1)'>")
    shown = await client.expect("x.png")
    got = await fetch(stage.url + shown["parts"][0]["src"])
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert got.headers["Content-Type"].startswith("text/plain")


async def test_after_a_restart_a_file_is_still_fetched(stage, tmp_path):
    client = await stage.join()
    chat = await stage.go_live(client)
    stage.simulator.fail("slow", endpoint="media", seconds=30)
    await stage.simulator.attach(chat, "shot.png", "image/png", PICTURE)
    await client.expect("shot.png")
    bridge = await stage.bridge()
    await bridge.relay.stop()
    stage.simulator.recover()
    await bridge.relay.start()
    await files_of(client)


async def test_another_session_cannot_see_it(stage):
    client, eve = await stage.join(), await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.attach(chat, "shot.png", "image/png", PICTURE)
    await client.expect("shot.png")
    await files_of(client)
    assert eve.texts == []
    assert eve.offers[-1]["files"] == []


async def test_a_stock_widget_gets_a_whole_link(stage):
    client = await stage.join()
    stock = ChatClient(stage.url, ours=False)
    stage.clients.append(stock)
    await stock.connect(client.session_id)
    chat = await stage.go_live(client)
    await stage.simulator.attach(chat, "shot.png", "image/png", PICTURE)
    await stage.simulator.attach(chat, "how to.pdf", "application/pdf", b"%PDF-1.7\nwords")
    told = await stock.expect("how to.pdf")
    link = told["text"].rsplit(" ", 1)[-1]
    assert (await fetch(link)).body == b"%PDF-1.7\nwords"
    picture = next(m for m in stock.messages if "attachment" in m)
    assert (await fetch(picture["attachment"]["payload"]["src"])).body == PICTURE
    assert is_silent_about(stage, stock.messages)


async def test_a_rest_client_gets_a_whole_link(tmp_path):
    async with play(tmp_path, handoff_rest_trusted_network=True) as stage:
        client = stage.rest()
        await client.say("hello")
        chat = await stage.go_live(client)
        await stage.simulator.attach(chat, "shot.png", "image/png", PICTURE)

        async def find():
            return next((m for m in await client.said() if "shot.png" in str(m)), None)

        message = await eventually(find, within=15)
        assert is_silent_about(stage, message)
        assert (await fetch(message["custom"]["parts"][0]["src"])).body == PICTURE


def line_with_file(chat):
    return next(line for line in chat.transcript if line.file)
