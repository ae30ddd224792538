"""The doctor's check of files: the store can be written, and our links lead to us."""

from __future__ import annotations

import io
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp

from handoff.files.store import FileStore, StoreFailed
from handoff.finding import Finding, failed, ok, skipped
from handoff.settings import LOOPBACK, Desk, DeskFiles, Settings
from servicenow.visit import Visit

FILES = "files"
REFUSED = 403  # what a link that nobody has signed is answered
PROBE = b"doctor"


async def check_files(visit: Visit) -> Finding:
    """Write and delete a file, and follow a made-up link; whether the instance can follow one is unknown."""
    settings = visit.settings
    if settings.servicenow_desk is Desk.CONNECT_SUPPORT or settings.servicenow_files is DeskFiles.NONE:
        return skipped(FILES, "requesters can send none, as it is set up")
    store, blob = FileStore(settings.handoff_files_url), uuid4().hex
    try:
        await store.write(blob, io.BytesIO(PROBE))
        await store.delete(blob)
    except StoreFailed as error:
        return failed(
            FILES,
            f"the store does not work: {error}",
            "Check HANDOFF_FILES_URL, and that this user may write there.",
        )
    if settings.servicenow_files is DeskFiles.UPLOAD:
        return ok(FILES, "the store can be written; files are uploaded to the instance")
    return await _check_links(visit)


async def _check_links(visit: Visit) -> Finding:
    url = f"{visit.settings.handoff_public_url}/files/{uuid4()}"
    try:
        async with visit.session.get(url, allow_redirects=False) as response:
            status = response.status
    except (aiohttp.ClientError, TimeoutError) as error:
        return failed(
            FILES,
            f"{url}: no answer ({type(error).__name__})",
            "Start the assistant, or set HANDOFF_PUBLIC_URL to the address at which the instance reaches it.",
        )
    if status != REFUSED:
        return failed(
            FILES,
            f"{url}: {status} for a link that nobody has signed, {REFUSED} was expected",
            "Something before the assistant answers, or channels.webchat.WebChat is not in credentials.yml.",
        )
    return ok(FILES, "the store can be written, and our links lead to the assistant", _advise(visit.settings))


def _advise(settings: Settings) -> str:
    host = urlsplit(settings.handoff_public_url).hostname
    if host in LOOPBACK:
        return "An instance elsewhere cannot reach this machine's loopback: set HANDOFF_PUBLIC_URL."
    return f"Name {host} among the instance's trusted media domains; whether it is, cannot be seen from here."
