"""What requesters send to /files, who may, and who may fetch it."""

import io
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest

from handoff.files.links import Purpose
from tests.support.file_client import draw_picture, fetch, send_file
from tests.support.stage import play
from tests.support.waiting import eventually

KEY = "k" * 32
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"


async def take(client, data=None, name="shot.png", content_type="", **headers):
    return await send_file(
        client.url, client.session_id, data or draw_picture(), name, content_type, **headers
    )


async def stored(stage):
    bridge = await stage.bridge()
    async with bridge.backend.ledger.entry() as entry:
        return await entry.files.old(bridge.backend.clock(), 100)


# -- who may send ---------------------------------------------------------------------------


async def test_a_file_is_taken_and_can_be_fetched_by_its_link(stage):
    client = await stage.join()
    picture = draw_picture(120, 80)
    status, answer = await take(client, picture, "My shot.png", "image/png")
    assert status == 201
    file = answer["file"]
    assert (file["name"], file["content_type"], file["size"]) == ("My shot.png", "image/png", len(picture))
    assert (file["width"], file["height"]) == (120, 80)
    assert (await fetch(stage.url + file["url"])).body == picture


@pytest.mark.parametrize("session", [None, "guessable", "00000000-0000-4000-8000-000000000000"])
async def test_without_a_session_that_was_joined_nothing_is_taken(stage, session):
    await stage.join()
    status, answer = await send_file(stage.url, session, draw_picture())
    assert (status, answer["error"]) == (403, "session_refused")
    assert answer["reason"].startswith("I could not open this conversation")


async def test_with_tokens_only_the_sessions_own_subject_may_send(tmp_path):
    def sign(subject):
        return jwt.encode({"sub": subject}, KEY, algorithm="HS256")

    async with play(tmp_path, handoff_webchat_jwt_key=KEY) as stage:
        client = await stage.join(token=sign("alex"))
        for token, expected in ((None, 403), ("forged", 403), (sign("eve"), 403), (sign("alex"), 201)):
            status, _ = await send_file(stage.url, client.session_id, draw_picture(), token=token)
            assert status == expected


async def test_a_file_of_another_session_cannot_be_sent(stage):
    alex, eve = await stage.join(), await stage.join()
    _, answer = await take(alex)
    refused = await eve.say("", file=answer["file"]["id"])
    assert refused["accepted"] is False
    assert "attach it again" in refused["reason"]
    assert (await alex.say("", file=answer["file"]["id"]))["accepted"]


async def test_a_file_is_one_message_only(stage):
    client = await stage.join()
    _, answer = await take(client)
    first = await client.say("", file=answer["file"]["id"], message_id="m1")
    assert await client.say("", file=answer["file"]["id"], message_id="m1") == first
    assert (await client.say("", file=answer["file"]["id"], message_id="m2"))["accepted"] is False


async def test_pages_of_other_sites_may_send_where_they_are_named(tmp_path):
    async with play(tmp_path, webchat={"cors_allowed_origins": ["https://intranet.example.com"]}) as stage:
        for origin, allowed in (("https://intranet.example.com", True), ("https://evil.example.com", False)):
            answer = await fetch(f"{stage.url}/files", "OPTIONS", Origin=origin)
            assert ("Access-Control-Allow-Origin" in answer.headers) is allowed
            assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_where_the_desk_takes_no_files_none_is_taken(tmp_path):
    async with play(tmp_path, servicenow_files="none") as stage:
        client = await stage.join()
        await eventually(lambda: client.offers)
        assert client.offers[0]["takes"] is False
        status, answer = await take(client)
        assert (status, answer["error"]) == (403, "file_refused_desk")


# -- what is taken --------------------------------------------------------------------------


async def test_what_is_refused_is_not_kept(stage):
    client = await stage.join()
    for data, name, content_type, error in (
        (b"MZ" + bytes(300), "setup.exe", "", "file_refused_type"),
        (PDF, "invoice.exe", "application/pdf", "file_refused_mismatch"),
        (PDF, "photo.png", "", "file_refused_mismatch"),
        (PDF, "invoice.pdf", "image/png", "file_refused_mismatch"),
        (b"\x89PNG\r\n\x1a\n broken", "shot.png", "image/png", "file_refused_broken"),
    ):
        status, answer = await take(client, data, name, content_type)
        assert (status >= 400, answer["error"]) == (True, error)
        assert answer["reason"]
    assert await stored(stage) == []
    bridge = await stage.bridge()
    async with bridge.backend.ledger.entry() as entry:
        assert await entry.files.all_of(client.session_id) == []


@pytest.mark.parametrize("said", ["true", "nothing"])
async def test_too_large_a_file_is_refused_whatever_is_said_of_its_size(tmp_path, said):
    async def pieces():
        for _ in range(64):
            yield b"x" * 32_768

    async with play(tmp_path, handoff_file_limit=1) as stage:
        client = await stage.join()
        data = io.BytesIO(b"x" * (2 * 1024 * 1024)) if said == "true" else pieces()
        status, answer = await take(client, data, "log.txt", "text/plain")
        assert (status, answer["error"]) == (413, "file_refused_size")
        assert answer["reason"] == "That file is too large. Up to 1 MB are possible."


async def test_a_conversation_may_send_so_many_files_an_hour(tmp_path):
    async with play(tmp_path, handoff_file_hourly=2) as stage:
        client = await stage.join()
        statuses = [(await take(client))[0] for _ in range(3)]
        assert statuses == [201, 201, 429]
        assert (await take(await stage.join()))[0] == 201


async def test_the_store_has_a_limit_for_all_together(tmp_path):
    async with play(tmp_path, handoff_file_store_limit=0.001) as stage:
        client = await stage.join()
        assert (await take(client, b"x" * 900, "a.txt"))[0] == 201
        status, answer = await take(await stage.join(), b"x" * 900, "b.txt")
        assert (status, answer["error"]) == (503, "file_refused_store")


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\boot.ini", "a/b/\u202egnp.exe\u0000.txt"])
async def test_a_name_is_never_a_path(stage, name, tmp_path):
    client = await stage.join()
    _, answer = await take(client, b"words", name, "text/plain")
    if "file" in answer:
        assert not set("/\\\u202e\0") & set(answer["file"]["name"])
    kept = [
        path.relative_to(tmp_path / "files") for path in (tmp_path / "files").rglob("*") if path.is_file()
    ]
    assert all(len(path.parts) == 2 and len(path.name) == 32 for path in kept)


# -- links ----------------------------------------------------------------------------------


def change(url, **changes):
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), **changes}
    return parts._replace(query=urlencode({k: v for k, v in query.items() if v is not None})).geturl()


async def test_a_link_works_only_as_it_was_written(stage):
    alex, eve = await stage.join(), await stage.join()
    mine = stage.url + (await take(alex))[1]["file"]["url"]
    other = stage.url + (await take(eve))[1]["file"]["url"]
    assert (await fetch(mine)).status == 200
    theirs = dict(parse_qsl(urlsplit(other).query))["signature"]
    for forged in (
        change(mine, signature=theirs),
        change(mine, signature=""),
        change(mine, signature=None),
        change(mine, signature="ä" * 43),
        change(mine, expires="9999999999"),
        change(mine, expires="soon"),
        change(mine, **{"for": "desk"}),
        change(mine, **{"for": "anything"}),
        urlsplit(mine)._replace(path=urlsplit(other).path).geturl(),
        urlsplit(mine)._replace(path="/files/00000000-0000-4000-8000-000000000000").geturl(),
        urlsplit(mine)._replace(path="/files/%2e%2e%2fledger.db").geturl(),
    ):
        refused = await fetch(forged)
        assert refused.status in (403, 404), forged
        assert b"PNG" not in refused.body


async def test_a_link_of_the_desk_works_for_a_short_while(tmp_path):
    async with play(tmp_path, handoff_file_link_seconds=1) as stage:
        client = await stage.join()
        _, answer = await take(client)
        cabinet = (await stage.bridge()).backend.cabinet
        link = cabinet.links.write_whole(await cabinet.find(answer["file"]["id"]), Purpose.DESK)
        assert link.startswith(stage.url)

        async def is_over():
            return (await fetch(link)).status == 403

        assert (await fetch(link)).status in (200, 403)
        await eventually(is_over)


async def test_what_is_fetched_neither_runs_nor_is_guessed_at(stage):
    client = await stage.join()
    _, picture = await take(client)
    _, page = await take(client, b"<html><script>alert(1)</script></html>", "page.txt", "text/plain")
    for answer, manner in ((picture, "inline"), (page, "attachment")):
        got = await fetch(stage.url + answer["file"]["url"])
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert got.headers["Content-Disposition"].startswith(manner)
        assert "Set-Cookie" not in got.headers
    assert got.headers["Content-Type"].startswith("text/plain")


async def test_parts_of_a_file_can_be_asked_for(stage):
    client = await stage.join()
    data = bytes(range(48, 58)) * 10
    _, answer = await take(client, data, "digits.txt")
    url = stage.url + answer["file"]["url"]
    for asked, expected, place in (
        ("bytes=0-9", data[:10], "bytes 0-9/100"),
        ("bytes=90-", data[90:], "bytes 90-99/100"),
        ("bytes=-5", data[95:], "bytes 95-99/100"),
        ("bytes=95-200", data[95:], "bytes 95-99/100"),
    ):
        got = await fetch(url, Range=asked)
        assert (got.status, got.body, got.headers["Content-Range"]) == (206, expected, place)
    for asked in ("bytes=0-1,5-6", "lines=1-2", "bytes=-", "bytes=9-5", "nonsense"):
        assert (await fetch(url, Range=asked)).status == 200
    for asked in ("bytes=100-", "bytes=-0", "bytes=500-600"):
        got = await fetch(url, Range=asked)
        assert (got.status, got.headers["Content-Range"]) == (416, "bytes */100")


async def test_the_head_of_a_file_can_be_asked_for(stage):
    client = await stage.join()
    _, answer = await take(client, b"ten bytes.", "a.txt")
    got = await fetch(stage.url + answer["file"]["url"], "HEAD")
    assert (got.status, got.headers["Content-Length"], got.body) == (200, "10", b"")
    assert got.headers["Accept-Ranges"] == "bytes"


async def test_a_file_whose_bytes_are_gone_is_an_error_and_no_half_file(stage, tmp_path):
    client = await stage.join()
    _, answer = await take(client)
    for path in (tmp_path / "files").rglob("*"):
        if path.is_file():
            path.unlink()
    got = await fetch(stage.url + answer["file"]["url"])
    assert (got.status, got.headers["Cache-Control"]) == (503, "no-store")
