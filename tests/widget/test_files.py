"""Files: how they go in, how far they have come, what goes wrong, and how they are drawn."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import expect

from tests.support.file_client import draw_picture
from tests.widget.chat_server import eventually

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PICTURE = draw_picture(300, 200)
PNG = {"name": "My shot.png", "mimeType": "image/png", "buffer": PICTURE}
TEXT = {"name": "log.txt", "mimeType": "text/plain", "buffer": b"words"}
DROP = """([name, type]) => {
    const panel = document.querySelector('support-chat').shadowRoot.querySelector('.panel');
    const data = new DataTransfer();
    data.items.add(new File(['words'], name, {type}));
    const options = {bubbles: true, composed: true, cancelable: true};
    panel.dispatchEvent(new DragEvent('dragover', {...options, dataTransfer: data}));
    const marked = panel.classList.contains('dropping');
    panel.dispatchEvent(new DragEvent('drop', {...options, dataTransfer: data}));
    return marked && !panel.classList.contains('dropping');
}"""
PASTE = """() => {
    const chat = document.querySelector('support-chat').shadowRoot.querySelector('deep-chat');
    const data = new DataTransfer();
    data.items.add(new File(['words'], 'pasted.txt', {type: 'text/plain'}));
    const input = chat.shadowRoot.querySelector('#text-input');
    const options = {bubbles: true, composed: true, cancelable: true};
    const event = new ClipboardEvent('paste', {...options, clipboardData: data});
    input.dispatchEvent(event);
    return event.defaultPrevented && input.textContent === '';
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def files(server, open_chat):
    server.offer_files()
    return await open_chat()


def attach(chat):
    return chat.page.get_by_role("button", name="Attach a file")


def uploads(chat):
    return chat.page.get_by_role("list", name="Files on their way").get_by_role("listitem")


async def choose(chat, *files):
    async with chat.page.expect_file_chooser() as choosing:
        await attach(chat).click()
    await (await choosing.value).set_files(list(files))


async def test_where_the_server_takes_no_files_there_is_no_button(chat):
    await expect(attach(chat)).to_be_hidden()
    assert await chat.page.evaluate(DROP, ["a.txt", "text/plain"]) is False


async def test_a_file_is_sent_and_then_said(files, server):
    await choose(files, PNG)
    [said] = await server.wait_for("user_uttered")
    assert (said["file"], "message" in said) == ("f1", False)
    [request] = server.uploaded
    assert request.headers["X-Session-Id"] == said["session_id"]
    assert request.headers["X-File-Name"] == "My%20shot.png"
    assert request.headers["Content-Type"] == "image/png"
    await expect(files.page.get_by_role("img", name="My shot.png")).to_be_visible()
    await expect(files.notes).to_have_text(["Sent"])
    await expect(uploads(files)).to_have_count(0)


async def test_files_keep_their_order_and_their_place_among_words(files, server):
    await choose(files, PNG, TEXT)
    await server.wait_for("user_uttered", 2)
    await files.write("and words")
    said = await server.wait_for("user_uttered", 3)
    assert [one.get("file") or one["message"] for one in said] == ["f1", "f2", "and words"]


async def test_a_file_that_is_no_picture_is_a_row_to_save_it_by(files, server):
    await choose(files, TEXT)
    link = files.page.get_by_role("link", name="log.txt 5 B")
    await expect(link).to_have_attribute("download", "log.txt")
    await expect(link).to_have_attribute("href", f"{server.url}/files/x?signature=1")


async def test_how_far_a_file_has_come_is_shown_and_it_can_be_removed(files, server):
    gate = asyncio.Event()

    async def hold(request, data):
        await gate.wait()
        return await server.keep(request, data)

    server.receive = hold
    await choose(files, PNG)
    await expect(files.page.get_by_role("progressbar", name="Sending My shot.png")).to_be_visible()
    await expect(uploads(files).locator(".thumb img")).to_be_visible()
    await files.page.get_by_role("button", name="Remove My shot.png").click()
    await expect(uploads(files)).to_have_count(0)
    gate.set()
    await files.write("afterwards")
    said = await server.wait_for("user_uttered")
    assert [one.get("message") for one in said] == ["afterwards"]


async def test_what_cannot_be_taken_is_said_before_it_is_sent(files, server):
    server_limit = b"x" * (1024 * 1024 + 1)
    await choose(
        files,
        {"name": "big.txt", "mimeType": "text/plain", "buffer": server_limit},
        {"name": "setup.exe", "mimeType": "application/x-msdownload", "buffer": b"MZ"},
        {"name": "empty.txt", "mimeType": "text/plain", "buffer": b""},
    )
    await expect(uploads(files).get_by_role("alert")).to_have_text(
        ["Too large. Up to 1 MB are possible.", "This kind of file cannot be sent.", "This file is empty."]
    )
    assert server.uploaded == []


async def test_the_servers_reason_is_shown_and_may_be_put_away(files, server):
    async def refuse(request, data):
        return web.json_response({"error": "file_refused_broken", "reason": "It is damaged."}, status=400)

    server.receive = refuse
    await choose(files, PNG)
    await expect(uploads(files).get_by_role("alert")).to_have_text("It is damaged.")
    await expect(files.page.get_by_role("button", name="Try again")).to_be_hidden()
    await files.page.get_by_role("button", name="Remove My shot.png").click()
    await expect(uploads(files)).to_have_count(0)
    await expect(attach(files)).to_be_focused()
    assert server.all("user_uttered") == []


async def test_where_trying_again_may_help_it_is_offered(files, server, tolerated):
    tolerated.append("status of 503")

    async def fail(request, data):
        server.receive = server.keep
        return web.Response(status=503, text="no JSON")

    server.receive = fail
    await choose(files, PNG)
    await expect(uploads(files).get_by_role("alert")).to_have_text("This file could not be sent.")
    await files.page.get_by_role("button", name="Try again").click()
    await server.wait_for("user_uttered")
    await expect(uploads(files)).to_have_count(0)


async def test_a_file_can_be_dropped_and_pasted(files, server):
    assert await files.page.evaluate(DROP, ["dropped.txt", "text/plain"])
    await server.wait_for("user_uttered")
    assert await files.page.evaluate(PASTE)
    await server.wait_for("user_uttered", 2)
    assert [request.headers["X-File-Name"] for request in server.uploaded] == ["dropped.txt", "pasted.txt"]


async def test_the_button_comes_before_the_input_for_the_keyboard(files):
    choosing = []
    files.page.on("filechooser", lambda chooser: choosing.append(chooser))
    await files.input.focus()
    await files.page.keyboard.press("Shift+Tab")
    await expect(attach(files)).to_be_focused()
    await files.page.keyboard.press("Enter")
    await eventually(lambda: choosing, "a file chooser")


async def test_a_reload_shows_the_file_by_its_fresh_link(files, server):
    await choose(files, PNG)
    await server.wait_for("user_uttered")
    await expect(files.notes).to_have_text(["Sent"])
    server.offer_files({"id": "f1", "name": "My shot.png", "url": "/files/x?signature=2", "picture": True})
    await files.page.reload()
    await expect(files.page.get_by_role("img", name="My shot.png")).to_have_attribute(
        "src", f"{server.url}/files/x?signature=2"
    )
    assert len(server.uploaded) == 1


async def test_a_file_that_was_not_acknowledged_is_said_again_after_a_reload(files, server):
    server.acknowledge = lambda _: asyncio.sleep(60)
    await choose(files, PNG)
    [first] = await server.wait_for("user_uttered")
    server.acknowledge = server.accept
    await files.page.reload()
    again = (await server.wait_for("user_uttered", 2))[1]
    assert (again["file"], again["message_id"]) == (first["file"], first["message_id"])


async def test_a_file_that_did_not_arrive_is_sent_again_without_its_bytes(files, server):
    await choose(files, PNG)
    [said] = await server.wait_for("user_uttered")
    await server.tell_receipt(said, "failed")
    await files.send_again.click()
    again = (await server.wait_for("user_uttered", 2))[1]
    assert again["file"] == said["file"]
    assert again["message_id"] != said["message_id"]
    assert len(server.uploaded) == 1


async def test_files_of_another_tab_are_drawn(files, server):
    file = {"id": "f9", "name": "from there.pdf", "size": 2048, "url": "/files/y?signature=1"}
    await server.say("from there.pdf", "requester", files=[file])
    await expect(files.page.get_by_role("link", name="from there.pdf 2 KB")).to_be_visible()


async def test_a_file_that_is_gone_says_so(files, server):
    await server.say("old.pdf", "requester", files=[{"id": "f9", "name": "old.pdf", "size": 1}])
    await expect(files.log).to_contain_text("old.pdf not available any more")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,<script>alert(1)</script>"])
async def test_an_address_that_runs_something_is_no_link(files, server, address):
    await server.say(
        "x.pdf", "agent", files=[{"id": "f9", "name": "<b>x</b>.pdf", "size": 1, "url": address}]
    )
    await expect(files.log).to_contain_text("<b>x</b>.pdf")
    await expect(files.log.get_by_role("link")).to_have_count(0)


async def test_starting_over_forgets_what_is_on_its_way(files, server):
    gate = asyncio.Event()

    async def hold(request, data):
        await gate.wait()
        return await server.keep(request, data)

    server.receive = hold
    await choose(files, PNG, TEXT)
    await eventually(lambda: server.uploaded, "an upload")
    await files.page.evaluate("document.querySelector('support-chat').startOver()")
    await expect(uploads(files)).to_have_count(0)
    gate.set()
    await files.write("new")
    assert [one.get("message") for one in await server.wait_for("user_uttered")] == ["new"]


# -- from the live agent --------------------------------------------------------------------


async def say_file(server, kind, name, **about):
    """A message as the channel pushes it while the file is still being fetched."""
    place = {"image": "src", "link": "href"}[kind]
    part = {"kind": kind, place: "/files/y?signature=1", "alt": name, "title": name, "file": "f9"}
    file = {"id": "f9", "name": name, "url": "/files/y?signature=1", **about}
    await server.say(f"{name}: {server.url}/files/y", "agent", name="Dana", parts=[part], files=[file])


async def test_a_live_agents_picture_is_drawn_and_opens(files, server):
    await say_file(server, "image", "diagram.png")
    picture = files.page.get_by_role("img", name="diagram.png")
    await expect(picture).to_have_attribute("src", f"{server.url}/files/y?signature=1")
    await expect(picture.locator("..")).to_have_attribute("target", "_blank")


async def test_a_live_agents_file_is_a_row_that_learns_its_size(files, server):
    await say_file(server, "link", "how to.pdf")
    await expect(files.page.get_by_role("link", name="how to.pdf")).to_have_attribute(
        "download", "how to.pdf"
    )
    known = {"id": "f9", "name": "how to.pdf", "size": 3_000_000, "url": "/files/y?signature=2"}
    await server.push("files", {"takes": True, "types": [], "limit": 1, "files": [known]})
    row = files.page.get_by_role("link", name="how to.pdf 2.9 MB")
    await expect(row).to_have_attribute("href", f"{server.url}/files/y?signature=2")


async def test_a_live_agents_file_that_could_not_be_fetched_says_so(files, server):
    await say_file(server, "image", "diagram.png")
    await expect(files.page.get_by_role("img", name="diagram.png")).to_be_visible()
    gone = {"id": "f9", "name": "diagram.png"}
    await server.push("files", {"takes": True, "types": [], "limit": 1, "files": [gone]})
    await expect(files.log).to_contain_text("diagram.png not available any more")
    await expect(files.page.get_by_role("img", name="diagram.png")).to_have_count(0)


async def test_a_request_for_a_picture_is_answered_by_one(files, server):
    question = {"id": "0123456789ab", "kind": "file", "files": "Image", "max_count": 1}
    await server.say("Please send a screenshot.", "agent", name="Dana", question=question)
    async with files.page.expect_file_chooser() as choosing:
        await files.page.get_by_role("button", name="Choose a picture").click()
    chooser = await choosing.value
    assert not chooser.is_multiple()
    assert await chooser.element.get_attribute("accept") == "image/png"
    await chooser.set_files([PNG])
    [said] = await server.wait_for("user_uttered")
    assert (said["file"], said["question"]) == ("f1", "0123456789ab")
    await expect(files.page.get_by_role("button", name="Choose a picture")).to_have_count(0)
