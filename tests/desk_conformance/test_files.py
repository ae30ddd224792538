"""What a desk that takes files must do, and that every other says so."""

import io

import pytest

from handoff.desk import AgentDesk, Attachment, FileDesk
from handoff.errors import DeskError, FileNotTaken
from tests.support.waiting import eventually

DATA = b"the words of a file"


@pytest.fixture
def attachment(bench):
    if not bench.takes_files:
        pytest.skip("this desk takes no files")

    async def read():
        yield DATA[:4]
        yield DATA[4:]

    return Attachment(
        id="f1", name="log.txt", content_type="text/plain", size=len(DATA), url=bench.offer(DATA), read=read
    )


async def post(desk, handoff, attachment):
    reference = await desk.hand_in(handoff, attachment)
    await desk.attach(handoff, "m1", attachment)
    return reference


def test_it_says_whether_it_takes_files(bench, desk):
    typed: AgentDesk = desk
    assert isinstance(typed, FileDesk) == bench.takes_files
    assert not bench.takes_files or desk.takes_files


async def test_a_file_arrives(office, bench, desk, attachment):
    handoff = await office.go_live()
    await post(desk, handoff, attachment)

    async def has_arrived():
        return await bench.files(handoff) == [("log.txt", DATA)]

    await eventually(has_arrived, within=15)


@pytest.mark.parametrize("failure", ["unavailable", "rejected", "web_page"])
async def test_a_file_that_cannot_be_posted_is_a_foreseen_error(office, bench, desk, attachment, failure):
    handoff = await office.go_live()
    bench.fail("send", failure)
    with pytest.raises(DeskError) as error:
        await post(desk, handoff, attachment)
    assert attachment.url not in str(error.value)


async def test_a_live_agents_file_is_named_and_can_be_fetched(office, bench, desk, attachment):
    handoff = await office.go_live()
    await bench.send_file(handoff, "how to.txt", DATA)
    shown = await eventually(
        lambda: next((m for m in office.front.shown if m.content.get("files")), None), within=15
    )
    [named] = shown.content["files"]
    assert named["name"] == "how to.txt"
    target = io.BytesIO()
    await desk.fetch_file(named["address"], target, len(DATA))
    assert target.getvalue() == DATA
    with pytest.raises(FileNotTaken):
        await desk.fetch_file(named["address"], io.BytesIO(), len(DATA) - 1)


@pytest.mark.parametrize(
    "address", ["https://evil.example.com/x", "http://127.0.0.1:1/x", "file:///etc/passwd"]
)
async def test_nothing_is_fetched_from_elsewhere(desk, attachment, address):
    with pytest.raises(FileNotTaken):
        await desk.fetch_file(address, io.BytesIO(), 100)
