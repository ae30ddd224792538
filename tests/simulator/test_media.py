import aiohttp
import pytest
from aiohttp import web

from simulator import Sender, State, WrongState

UPLOAD = "/api/now/v1/cccif/media/upload"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


class Files:
    """A server a client would offer its files from."""

    def __init__(self):
        self.requests = []
        self.data = PNG
        self.status = 200

    async def serve(self, request):
        self.requests.append(dict(request.headers))
        if self.status != 200:
            return web.Response(status=self.status)
        part = request.http_range
        if part.start is None:
            return web.Response(body=self.data)
        if part.start >= len(self.data):
            return web.Response(status=416)
        return web.Response(status=206, body=self.data[part.start : part.stop])


@pytest.fixture
async def files():
    files, app = Files(), web.Application()
    app.router.add_get("/{name}", files.serve)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    files.url = f"http://127.0.0.1:{runner.addresses[0][1]}/shot.png"
    yield files
    await runner.cleanup()


@pytest.fixture
def attach(client, files):
    """Return a function that sends a message with a file."""

    async def send(text="", **changes):
        attachment = {"url": files.url, "contentType": "image/PNG", "fileName": "shot.png"} | changes
        return await client.send(message={"text": text, "typed": True, "attachment": attachment})

    return send


def received(chat):
    return [entry for entry in chat.transcript if entry.file and entry.sender is Sender.REQUESTER]


def form(*parts):
    data = aiohttp.FormData()
    for name, value in parts:
        if name == "file":
            data.add_field(name, value, filename="shot.png", content_type="image/png")
        else:
            data.add_field(name, value)
    return data


async def fetch(client, path, **headers):
    async with client.session.get(client.url + path, headers=headers) as response:
        return response.status, await response.read(), response.headers


async def test_the_instance_downloads_what_a_requester_attached(client, simulator, chat, attach, files):
    assert await attach("look", headers={"Authorization": "Bearer x"}) == {"status": "success"}
    (entry,) = await simulator.wait_for(lambda: received(chat))
    assert (entry.file.name, entry.file.size, entry.file.content_type) == (
        "shot.png",
        len(PNG),
        "image/PNG",
    )
    assert [line.text for line in chat.transcript if line.sender is Sender.REQUESTER] == ["look", ""]
    assert files.requests[0]["Authorization"] == "Bearer x"
    _, body, _ = await fetch(client, entry.file.path)
    assert body == PNG


async def test_several_files_come_in_their_order(client, simulator, chat, files):
    one = {"url": files.url, "contentType": "text/plain", "fileName": "1.txt"}
    await client.send(message={"attachment": [one, one | {"fileName": "2.txt"}]})
    await simulator.wait_for(lambda: len(received(chat)) == 2)
    assert [entry.file.name for entry in received(chat)] == ["1.txt", "2.txt"]


@pytest.mark.parametrize("step", [100, len(PNG), len(PNG) // 2, 100_000])
async def test_downloads_in_ranges(client, simulator, settings, chat, attach, files, step):
    settings.download_range = step
    await attach()
    (entry,) = await simulator.wait_for(lambda: received(chat))
    assert (await fetch(client, entry.file.path))[1] == PNG
    assert files.requests[0]["Range"] == f"bytes=0-{step - 1}"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"url": "http://files.example.com/x"}, "files.example.com is not a trusted media domain"),
        ({"url": "ftp://127.0.0.1/x"}, "only http and https"),
        ({"contentType": "text/html"}, "content type text/html"),
        ({"fileName": ""}, "are required"),
        ({"url": None}, "are required"),
        ({"url": "http://127.0.0.1:1/x"}, "ClientConnectorError"),
    ],
)
async def test_only_the_log_says_that_a_file_was_refused(client, simulator, chat, attach, changes, reason):
    assert await attach("look", **changes) == {"status": "success"}
    (line,) = await simulator.wait_for(lambda: simulator.log)
    assert line.message.startswith("Attachment refused")
    assert reason in line.message
    assert (line.user_id, received(chat)) == ("u1", [])
    assert chat.transcript[-1].text == "look"
    _, answer = await client.request("GET", "/simulator/log")
    assert answer["log"][0]["message"] == line.message


@pytest.mark.parametrize(("limit", "status"), [(100, 200), (10_000, 404), (10_000, 302)])
async def test_large_files_and_bad_answers_are_refused(
    simulator, settings, chat, attach, files, limit, status
):
    settings.attachment_limit, files.status = limit, status
    await attach()
    assert await simulator.wait_for(lambda: simulator.log)
    assert received(chat) == []


@pytest.mark.parametrize(("domain", "trusted"), [("0.0.1", True), ("7.0.0.1", False)])
async def test_what_ends_like_a_trusted_domain_is_trusted_only_below_it(
    simulator, settings, chat, attach, domain, trusted
):
    settings.trusted_media_domains = [domain]
    await attach()
    await simulator.wait_for(lambda: received(chat) or simulator.log)
    assert bool(received(chat)) is trusted


async def test_upload_then_send(client, simulator, settings, chat, attach):
    settings.trusted_media_domains = []
    status, answer = await client.request("POST", UPLOAD, data=form(("user_id", "u1"), ("file", PNG)))
    result = answer["result"]
    assert (status, result["name"], result["state"]) == (201, "shot.png", "pending")
    assert len(result["attachmentId"]) == 32
    assert result["mediaUrl"].startswith(client.url + "/api/now/v1/cs/media/")
    await attach(url=result["mediaUrl"])
    (entry,) = await simulator.wait_for(lambda: received(chat))
    assert entry.file.state == "pending"
    await simulator.advance(2)
    assert entry.file.state == "available"


@pytest.mark.parametrize(
    "parts",
    [
        [("file", PNG), ("user_id", "u1")],
        [("provider_application_id", "p"), ("user_id", "u1"), ("file", PNG)],
        [("user_id", "u1"), ("provider_application_id", "p")],
        [("file", PNG)],
        [("user_id", "u1"), ("other", "x"), ("file", PNG)],
    ],
)
async def test_the_parts_of_an_upload_have_an_order(client, parts):
    assert (await client.request("POST", UPLOAD, data=form(*parts)))[0] == 400


async def test_uploads_are_bounded_and_need_credentials(client, settings):
    whole = [("user_id", "u1"), ("provider_application_id", "p"), ("file", PNG)]
    assert (await client.request("POST", UPLOAD, data=form(*whole)))[0] == 201
    assert (await client.request("POST", UPLOAD, json={}))[0] == 400
    settings.attachment_limit = 100
    assert (await client.request("POST", UPLOAD, data=form(*whole)))[0] == 413
    settings.username = "integration"
    assert (await client.request("POST", UPLOAD, data=form(*whole)))[0] == 401


async def test_a_virus_is_not_available(client, simulator):
    virus = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    _, answer = await client.request("POST", UPLOAD, data=form(("user_id", "u1"), ("file", virus)))
    path = answer["result"]["mediaUrl"].removeprefix(client.url)
    await simulator.advance(2)
    assert (await fetch(client, path))[0] == 404


@pytest.mark.parametrize(
    ("profile", "kind", "name", "item_type"),
    [
        ("app_4x", "image/png", "shot.png", "OutputImage"),
        ("app_4x", "application/pdf", "Guide & more.pdf", "OutputLink"),
        ("html_files", "application/pdf", "Guide & more.pdf", "OutputHtml"),
    ],
)
async def test_a_live_agent_sends_a_file(
    client, simulator, settings, receiver, chat, profile, kind, name, item_type
):
    settings.profile = profile
    message_id = await simulator.attach(chat, name, kind, b"data")
    await simulator.wait_until_sent()
    (item,) = receiver.bodies[0]["body"]
    path = chat.transcript[-1].file.path
    assert (item["uiType"], item["messageId"], item["agentInfo"]["agentName"]) == (
        item_type,
        message_id,
        "Dana",
    )
    value = {
        "OutputImage": path,
        "OutputLink": {"action": path},
        "OutputHtml": f'<a href="{path}">Guide &amp; more.pdf</a>',
    }
    assert item["value"] == value[item_type]
    status, body, headers = await fetch(client, path)
    assert (status, body, headers["Content-Type"]) == (200, b"data", kind)
    status, body, headers = await fetch(client, path, Range="bytes=1-2")
    assert (status, body, headers["Content-Range"]) == (206, b"at", "bytes 1-2/4")


async def test_files_may_need_credentials(client, simulator, settings, chat):
    settings.media_needs_credentials = True
    await simulator.attach(chat, "a.txt", "text/plain", b"data")
    path = chat.transcript[-1].file.path
    assert (await fetch(client, path))[0] == 401
    assert (await fetch(client, path, Authorization="Basic eDp5"))[0] == 200
    assert (await fetch(client, path.replace("/api/now/v1/cs/media", "/simulator/media")))[0] == 200
    assert (await fetch(client, "/api/now/v1/cs/media/unknown", Authorization="Basic eDp5"))[0] == 404


async def test_sending_a_file_over_http(client, simulator, chat):
    url = f"{client.url}/simulator/chats/u1/attach"
    headers = {"Content-Type": "text/plain"}
    async with client.session.post(url, params={"name": "a b.txt"}, data=b"x", headers=headers) as response:
        assert response.status == 200
    assert (chat.transcript[-1].file.name, chat.transcript[-1].file.size) == ("a b.txt", 1)
    async with client.session.post(url, data=b"") as response:
        assert response.status == 400
    _, state = await client.request("GET", "/simulator/state")
    assert state["chats"][0]["transcript"][-1]["file"]["name"] == "a b.txt"


async def test_files_go_to_live_chats_only(simulator, route):
    chat = await route()
    assert chat.state is State.QUEUED
    with pytest.raises(WrongState):
        await simulator.attach(chat, "a.txt", "text/plain", b"x")


async def test_what_active_contents_may_do_is_nothing(client, simulator, chat):
    await simulator.attach(chat, "x.svg", "image/svg+xml", b"<svg/>")
    _, _, headers = await fetch(client, chat.transcript[-1].file.path)
    assert headers["Content-Disposition"] == "attachment"
    assert "sandbox" in headers["Content-Security-Policy"]
