"""Which addresses are files of the instance: only those are fetched, with our credentials, and only there."""

import io

import pytest

from handoff.errors import DeskBusy, DeskRejected, DeskUnavailable, FileNotTaken
from servicenow.content import read_content
from servicenow.instance_files import find_path
from servicenow.values import Addresses
from tests.support.web_server import Answer, WebServer

URL = "https://example.service-now.com"
MEDIA = "/api/now/v1/cs/media/0a1b2c"


@pytest.mark.parametrize(
    "path",
    [
        MEDIA,
        "/api/now/cs/media/abc.png",
        "/api/now/v2/attachment/0123abcd/file",
        "/api/now/attachment/0123abcd/file",
        f"{MEDIA}?sysparm_x=1&y=a%20b",
    ],
)
def test_files_of_the_instance_are_known_by_their_path(path):
    assert find_path(URL + path, URL) == path


@pytest.mark.parametrize(
    "address",
    [
        f"https://evil.example.com{MEDIA}",
        f"https://example.service-now.com.evil.example.com{MEDIA}",
        f"https://evil.example.com#@example.service-now.com{MEDIA}",
        f"https://example.service-now.com@evil.example.com{MEDIA}",
        f"https://user:password@example.service-now.com{MEDIA}",
        f"https://example.service-now.com:8443{MEDIA}",
        f"https://example.service-now.com.{MEDIA}",
        f"https://example.service-now.com\\@evil.example.com{MEDIA}",
        f"http://example.service-now.com{MEDIA}",
        f"ftp://example.service-now.com{MEDIA}",
        f"file://{MEDIA}",
        f"//example.service-now.com{MEDIA}",
        f"http://127.0.0.1{MEDIA}",
        f"http://127.0.0.1:8080{MEDIA}",
        f"http://[::1]{MEDIA}",
        f"http://[::ffff:169.254.169.254]{MEDIA}",
        f"http://169.254.169.254{MEDIA}",
        f"http://2130706433{MEDIA}",
        f"https://10.0.0.1{MEDIA}",
        "https://[broken",
        f"{URL}:https{MEDIA}",
        f"{URL}/api/now/table/sys_user",
        f"{URL}/logout.do",
        f"{URL}/api/now/v1/cs/media/",
        f"{URL}/api/now/v1/cs/media/../../../table/sys_user",
        f"{URL}/api/now/v1/cs/media/..%2f..%2f..%2ftable%2fsys_user",
        f"{URL}/api/now/v1/cs/media/%2e%2e/x",
        f"{URL}/api/now/v1/cs/media/./x",
        f"{URL}/api/now/v1/cs/media//x",
        f"{URL}/x/api/now/v1/cs/media/abc",
        f"{URL}{MEDIA}#part",
        f"{URL}{MEDIA}?a=\r\nHost: evil.example.com",
    ],
)
def test_nothing_else_is_one(address):
    assert find_path(address, URL) is None


def test_scheme_and_host_are_compared_as_they_mean_the_same():
    assert find_path(f"https://EXAMPLE.service-now.com:443{MEDIA}", URL) == MEDIA


# -- in messages ----------------------------------------------------------------------------


def find(item):
    addresses = Addresses(URL)
    content = read_content(item, addresses)
    return [(found["address"], found["name"]) for found in addresses.find_files(content)]


@pytest.mark.covers("7.3 OutputImage")
def test_a_picture_of_the_instance_is_a_file():
    item = {"uiType": "OutputImage", "value": MEDIA, "altText": "A screenshot"}
    assert find(item) == [(URL + MEDIA, "A screenshot")]


@pytest.mark.covers("7.3 OutputLink")
def test_a_link_to_media_of_the_instance_is_a_file():
    item = {"uiType": "OutputLink", "value": {"action": MEDIA}, "label": "how to.pdf"}
    assert find(item) == [(URL + MEDIA, "how to.pdf")]


@pytest.mark.covers("7.3 OutputHtml")
def test_a_link_in_html_is_one_too():
    item = {"uiType": "OutputHtml", "value": f'See <a href="{MEDIA}">how &amp; to.pdf</a> and <b>more</b>'}
    assert find(item) == [(URL + MEDIA, "how & to.pdf")]


@pytest.mark.parametrize("value", ["https://example.com/a.png", f"{URL}/kb_view.do?id=1", "/logo.png"])
def test_what_is_elsewhere_stays_an_address(value):
    assert find({"uiType": "OutputImage", "value": value}) == []


# -- fetching -------------------------------------------------------------------------------


@pytest.fixture
def desk(make_desk, server):
    return make_desk(server.url)


async def fetch(desk, address, limit=100):
    target = io.BytesIO()
    name = await desk.fetch_file(address, target, limit)
    return name, target.getvalue()


async def test_a_file_is_fetched_and_keeps_the_instances_name_for_it(server, desk):
    headers = {"Content-Disposition": "attachment; filename*=UTF-8''%C3%9Cber.txt"}
    server.answer(Answer(body=b"words", headers=headers))
    assert await fetch(desk, server.url + MEDIA) == ("Über.txt", b"words")
    [request] = server.requests
    assert (request.method, request.path) == ("GET", MEDIA)


@pytest.mark.parametrize(
    "address", ["https://evil.example.com" + MEDIA, "http://127.0.0.1:1" + MEDIA, "/api/now/table/incident"]
)
async def test_no_other_address_is_asked_for(server, desk, address):
    with pytest.raises(FileNotTaken):
        await fetch(desk, address)
    assert server.requests == []


async def test_no_redirect_is_followed_and_no_credentials_go_elsewhere(server, desk):
    async with WebServer().serve() as other:
        server.answer(Answer(302, b"", {"Location": other.url + MEDIA}))
        with pytest.raises(FileNotTaken, match="302"):
            await fetch(desk, server.url + MEDIA)
        assert other.requests == []


async def test_more_than_the_limit_is_not_read(server, desk):
    server.answer(Answer(body=b"x" * 101, headers={}))
    with pytest.raises(FileNotTaken, match="more than 100 bytes"):
        await fetch(desk, server.url + MEDIA)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(503, b""), DeskUnavailable),
        (Answer(429, b"", {"Retry-After": "7"}), DeskBusy),
        (Answer(404, b""), DeskRejected),
        (Answer(204, b"", {}), FileNotTaken),
        (Answer(body=b"", headers={}), FileNotTaken),
    ],
)
async def test_what_goes_wrong_is_told_apart(server, desk, answer, error):
    server.answer(answer)
    with pytest.raises(error):
        await fetch(desk, server.url + MEDIA)


async def test_a_connection_that_breaks_may_be_tried_again(server, desk):
    server.default = Answer(drop=True)
    with pytest.raises(DeskUnavailable):
        await fetch(desk, server.url + MEDIA)


async def test_a_second_attempt_begins_anew(server, desk):
    target = io.BytesIO()
    server.answer(Answer(body=b"a long answer that is cut", headers={}))
    await desk.fetch_file(server.url + MEDIA, target, 100)
    server.answer(Answer(body=b"short", headers={}))
    await desk.fetch_file(server.url + MEDIA, target, 100)
    assert target.getvalue() == b"short"
