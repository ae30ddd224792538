"""Where the bytes are: a folder, or whatever else `fsspec` reaches, such as an object store."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec
from fsspec.core import url_to_fs

from handoff.errors import HandoffError

CHUNK = 256 * 1024  # bytes that are read at once
LOCAL = ("file", "local")


class StoreFailed(HandoffError):
    """The store did not do what it was asked; the text says what, and never where."""


class FileStore:
    """Blobs by name. What blocks runs in threads, whichever file system it is."""

    def __init__(self, url: str) -> None:
        found: tuple[Any, str] = url_to_fs(url)
        self._fs: fsspec.AbstractFileSystem = found[0]
        self._root = found[1].rstrip("/")
        protocols = self._fs.protocol if isinstance(self._fs.protocol, tuple) else (self._fs.protocol,)
        self._is_local = any(protocol in LOCAL for protocol in protocols)

    async def write(self, blob: str, source: BinaryIO) -> None:
        """Keep what is in ``source``, from its beginning; it is durable when this returns.

        Raises:
            StoreFailed: it is not kept.
        """
        await self._do(self._write, blob, source)

    async def read(self, blob: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """The bytes from ``start`` up to ``stop``, in pieces.

        Raises:
            StoreFailed: it is not there, or cannot be read.
        """
        opened = await self._do(self._open, blob, start)
        try:
            left = stop - start
            while left > 0:
                chunk = await self._do(opened.read, min(CHUNK, left))
                if not chunk:
                    raise StoreFailed("a file is shorter than it was")
                left -= len(chunk)
                yield chunk
        finally:
            await asyncio.to_thread(opened.close)

    async def delete(self, blob: str) -> None:
        """Forget a blob; one that is not there is forgotten already.

        Raises:
            StoreFailed: it is still there.
        """
        await self._do(self._delete, blob)

    async def _do(self, call: Any, *arguments: Any) -> Any:
        try:
            return await asyncio.to_thread(call, *arguments)
        except StoreFailed:
            raise
        except Exception as error:  # each file system has errors of its own
            raise StoreFailed(f"{call.__name__.strip('_')}: {type(error).__name__}") from error

    def _path(self, blob: str) -> str:
        return f"{self._root}/{blob[:2]}/{blob}"

    def _write(self, blob: str, source: BinaryIO) -> None:
        path = self._path(blob)
        if self._is_local:
            Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        else:
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        source.seek(0)
        with self._fs.open(path, "wb") as target:
            shutil.copyfileobj(source, cast("BinaryIO", target), CHUNK)
            if self._is_local:
                target.flush()
                os.fsync(target.fileno())

    def _open(self, blob: str, start: int) -> BinaryIO:
        opened = self._fs.open(self._path(blob), "rb")
        opened.seek(start)
        return cast("BinaryIO", opened)

    def _delete(self, blob: str) -> None:
        try:
            self._fs.rm_file(self._path(blob))
        except FileNotFoundError:
            return

    def __repr__(self) -> str:
        return f"FileStore({type(self._fs).__name__})"
