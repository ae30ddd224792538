import io
import stat

import fsspec
import pytest

from handoff.files.store import CHUNK, FileStore, StoreFailed

DATA = bytes(range(256)) * 5000
SIZE = len(DATA)
BLOB = "ab" + "0" * 30


@pytest.fixture(params=["folder", "object store"])
def store(request, tmp_path):
    """A folder, and a file system of fsspec's that knows no folders, as an object store."""
    if request.param == "folder":
        yield FileStore(str(tmp_path / "files"))
        return
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield FileStore("memory://bucket/files")
    memory.store.clear()


async def read(store, start=0, stop=SIZE):
    return b"".join([chunk async for chunk in store.read(BLOB, start, stop)])


async def test_what_is_written_can_be_read_whole_and_in_part(store):
    await store.write(BLOB, io.BytesIO(DATA))
    assert await read(store) == DATA
    assert await read(store, 10, 20) == DATA[10:20]
    assert await read(store, CHUNK - 1, CHUNK + 1) == DATA[CHUNK - 1 : CHUNK + 1]


async def test_it_is_written_from_its_beginning(store):
    source = io.BytesIO(DATA)
    source.seek(100)
    await store.write(BLOB, source)
    assert await read(store) == DATA


async def test_what_was_deleted_is_gone_and_may_be_deleted_again(store):
    await store.write(BLOB, io.BytesIO(DATA))
    await store.delete(BLOB)
    await store.delete(BLOB)
    with pytest.raises(StoreFailed):
        await read(store)


async def test_a_blob_that_is_shorter_than_it_was_is_an_error(store):
    await store.write(BLOB, io.BytesIO(DATA[:10]))
    with pytest.raises(StoreFailed, match="shorter"):
        await read(store)


async def test_a_folder_that_cannot_be_written_is_an_error_that_does_not_say_where(tmp_path):
    (tmp_path / "files").write_text("not a folder")
    store = FileStore(str(tmp_path / "files"))
    with pytest.raises(StoreFailed) as failed:
        await store.write(BLOB, io.BytesIO(DATA))
    assert str(tmp_path) not in str(failed.value)


async def test_folders_are_nobody_elses_to_read(tmp_path):
    store = FileStore(str(tmp_path / "files"))
    await store.write(BLOB, io.BytesIO(DATA))
    assert stat.S_IMODE((tmp_path / "files" / "ab").stat().st_mode) == 0o700
