import io
from pathlib import Path

import pytest

from handoff.errors import FileRefused
from handoff.files.cabinet import Cabinet, Offer
from handoff.files.links import Links
from handoff.files.rules import Rules
from handoff.files.store import FileStore, StoreFailed
from handoff.handoff import State
from handoff.retention import forget_old
from tests.support.file_client import draw_picture
from tests.support.ledger_rows import bring_to

HOUR = 3600
DAY = 24 * HOUR


class BrokenStore(FileStore):
    """A store whose disk is full."""

    async def write(self, blob, source):
        raise StoreFailed("write: OSError")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "files"


@pytest.fixture
def make_cabinet(ledger, clock, folder):
    def make(store=None, **rules):
        links = Links(b"k" * 32, "https://chat.example.com", clock)
        return Cabinet(ledger, store or FileStore(str(folder)), links, Rules(**rules))

    return make


@pytest.fixture
def cabinet(make_cabinet):
    return make_cabinet()


async def pieces(data, size=1000):
    source = io.BytesIO(data)
    while chunk := source.read(size):
        yield chunk


async def take(cabinet, data=b"some words", name="a.txt", conversation="c1", **about):
    return await cabinet.take(Offer(conversation=conversation, name=name, **about), pieces(data))


async def refusal(cabinet, *args, **about):
    with pytest.raises(FileRefused) as refused:
        await take(cabinet, *args, **about)
    return refused.value


def blobs(folder: Path):
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_what_was_taken_can_be_read(cabinet):
    picture = draw_picture()
    file = await take(cabinet, picture, "shot.png", content_type="image/png")
    assert b"".join([chunk async for chunk in cabinet.read(file)]) == picture


async def test_another_process_finds_it_after_a_restart(cabinet, make_cabinet):
    file = await take(cabinet)
    found = await make_cabinet().find(file.id)
    assert found == file
    assert b"".join([chunk async for chunk in make_cabinet().read(found)]) == b"some words"


async def test_more_than_the_limit_is_refused_while_it_comes(make_cabinet, folder):
    cabinet, came = make_cabinet(limit=5000), 0

    async def endless():
        nonlocal came
        while True:
            came += 1000
            yield b"x" * 1000

    with pytest.raises(FileRefused) as refused:
        await cabinet.take(Offer(conversation="c1", name="a.txt"), endless())
    assert refused.value.response == "utter_file_refused_size"
    assert came == 6000
    assert blobs(folder) == []


async def test_nothing_is_read_of_a_file_that_says_it_is_too_large(make_cabinet):
    async def unread():
        raise AssertionError
        yield b""

    with pytest.raises(FileRefused):
        await make_cabinet(limit=5000).take(Offer(conversation="c1", name="a.txt", size=5001), unread())


async def test_an_empty_file_is_refused(cabinet):
    assert (await refusal(cabinet, b"")).response == "utter_file_refused_empty"


async def test_a_zip_is_refused_unless_it_is_allowed_and_never_opened(cabinet, make_cabinet):
    bomb = b"PK\x03\x04" + bytes(2000)  # no archive at all, which nobody notices who does not open it
    refused = await refusal(cabinet, bomb, "logs.zip", content_type="application/zip")
    assert refused.response == "utter_file_refused_type"
    assert "PDF" in refused.values["types"]
    allowed = make_cabinet(types=("application/zip",))
    assert (await take(allowed, bomb, "logs.zip")).content_type == "application/zip"


async def test_a_conversation_has_a_budget(make_cabinet, clock):
    cabinet = make_cabinet(hourly=2, conversation_limit=25)
    await take(cabinet)
    await take(cabinet)
    assert (await refusal(cabinet)).response == "utter_file_refused_budget"
    await take(cabinet, conversation="c2")
    clock.advance(HOUR + 1)
    assert (await refusal(cabinet)).response == "utter_file_refused_budget"  # now by its bytes
    await take(cabinet, b"small")


async def test_a_store_that_fails_keeps_nothing(make_cabinet, folder, ledger):
    cabinet = make_cabinet(BrokenStore(str(folder)))
    assert (await refusal(cabinet)).response == "utter_file_refused_store"
    async with ledger.entry() as entry:
        assert await entry.files.all_of("c1") == []


async def test_what_no_message_asks_for_is_forgotten_after_an_hour(cabinet, clock, folder, ledger):
    await take(cabinet)
    assert await forget_old(ledger, 30, clock, cabinet) == 0
    clock.advance(HOUR + 1)
    assert await forget_old(ledger, 30, clock, cabinet) == 1
    assert blobs(folder) == []


async def test_files_go_with_the_words(cabinet, clock, folder, ledger):
    file = await take(cabinet)
    await attach(ledger, file)
    clock.advance(29 * DAY)
    assert await forget_old(ledger, 30, clock, cabinet) == 0
    clock.advance(2 * DAY)
    await forget_old(ledger, 30, clock, cabinet)
    assert await cabinet.find(file.id) is None
    assert blobs(folder) == []


async def test_an_open_handoff_keeps_its_files(cabinet, clock, ledger):
    file = await take(cabinet)
    await attach(ledger, file)
    await bring_to(ledger, State.LIVE)
    clock.advance(100 * DAY)
    await forget_old(ledger, 30, clock, cabinet)
    assert await cabinet.find(file.id)


async def test_a_conversation_that_is_forgotten_leaves_no_files(cabinet, folder):
    await take(cabinet)
    await take(cabinet)
    kept = await take(cabinet, conversation="c2")
    assert await cabinet.forget("c1") == 2
    assert [path.name for path in blobs(folder)] == [kept.blob]


async def attach(ledger, file):
    async with ledger.entry() as entry:
        assert await entry.files.attach(file, "m1")


async def test_all_processes_sign_with_the_same_key(ledger, other_ledger):
    keys = []
    for each in (ledger, other_ledger, ledger):
        async with each.entry() as entry:
            keys.append(await entry.keys.find_or_make())
    assert len(keys[0]) == 32
    assert len(set(keys)) == 1
