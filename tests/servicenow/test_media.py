"""A requester's file on its way to the instance's media upload API."""

import pytest

from handoff.desk import Attachment
from handoff.errors import DeskRejected, DeskUnavailable, FileNotTaken
from handoff.settings import DeskFiles
from servicenow.media import UPLOAD
from tests.support.web_server import Answer

JSON = {"Content-Type": "application/json"}
DATA = b"\x89PNG\r\n--not-a-boundary\r\n"


async def read():
    yield DATA[:5]
    yield DATA[5:]


@pytest.fixture
def handoff(make_handoff):
    return make_handoff()


@pytest.fixture
def upload(server, make_desk, handoff):
    desk = make_desk(server.url, files=DeskFiles.UPLOAD, provider_application="ab" * 16)
    attachment = Attachment(
        id="f1",
        name="Über sicht.png",
        content_type="image/png",
        size=len(DATA),
        url="https://chat.example.com/files/f1?signature=secret",
        read=read,
    )

    async def hand_in():
        return await desk.hand_in(handoff, attachment)

    return hand_in


def answer(server, result, status=201):
    server.answer(Answer(status, f'{{"result": {result}}}', JSON))


async def test_the_parts_come_in_the_order_that_the_instance_wants(server, upload, handoff):
    answer(server, '{"mediaUrl": "https://x/media/1", "state": "pending"}')
    assert await upload() == "https://x/media/1"
    [request] = server.requests
    assert request.path == UPLOAD
    boundary = request.headers["Content-Type"].partition("boundary=")[2]
    start = b"--" + boundary.encode() + b"\r\nContent-Disposition: form-data; name="
    user = start + b'"user_id"\r\n\r\n' + handoff.live_chat_user.encode() + b"\r\n"
    application = start + b'"provider_application_id"\r\n\r\n' + b"ab" * 16 + b"\r\n"
    file = start + '"file"; filename="Über sicht.png"\r\nContent-Type: image/png\r\n\r\n'.encode() + DATA
    assert request.raw == user + application + file + b"\r\n--" + boundary.encode() + b"--\r\n"


@pytest.mark.parametrize("state", ["pending", "available", "conditionally available"])
async def test_what_is_or_may_become_available_is_sent(server, upload, state):
    answer(server, f'{{"mediaUrl": "https://x/media/1", "state": "{state}"}}')
    assert await upload() == "https://x/media/1"


async def test_what_the_instance_has_refused_is_not_sent(server, upload):
    answer(server, '{"mediaUrl": "https://x/media/1", "state": "not available"}')
    with pytest.raises(FileNotTaken):
        await upload()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Answer(403, "{}", JSON), DeskRejected),
        (Answer(413, "{}", JSON), DeskRejected),
        (Answer(503, "{}", JSON), DeskUnavailable),
        (Answer(201, "<html>", {}), DeskUnavailable),
        (Answer(201, '{"result": {}}', JSON), DeskUnavailable),
    ],
)
async def test_other_answers_are_errors(server, upload, reply, error):
    server.answer(reply)
    with pytest.raises(error):
        await upload()
