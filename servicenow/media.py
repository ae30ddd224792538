"""Files of requesters on their way to the instance's media upload API (section 9)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

import structlog

from handoff.desk import Attachment
from handoff.errors import DeskUnavailable, FileNotTaken
from handoff.handoff import Handoff
from servicenow.http import Instance
from servicenow.values import read_string

log = structlog.get_logger(__name__)

UPLOAD = "/api/now/v1/cccif/media/upload"
REFUSED = "not available"  # the state of a file in which the instance has found something


async def upload_file(
    instance: Instance, handoff: Handoff, attachment: Attachment, application: str | None
) -> str:
    """Give a file to the instance; returns its ``mediaUrl``.

    Raises:
        FileNotTaken: the instance has scanned and refused it.
        DeskError: it did not take it.
    """
    data = b"".join([chunk async for chunk in attachment.read()])
    fields = {"user_id": handoff.live_chat_user, "provider_application_id": application}
    body, content_type = write_form({k: v for k, v in fields.items() if v}, attachment, data)
    reply = await instance.upload(UPLOAD, body, content_type, chat=handoff.id)
    result = reply.result
    address = read_string(result.get("mediaUrl")) if isinstance(result, Mapping) else None
    if address is None:
        raise DeskUnavailable("ServiceNow took a file and did not say where it is")
    if result.get("state") == REFUSED:
        raise FileNotTaken("ServiceNow has refused the file after its scan")
    log.info("media.uploaded", handoff=handoff.id, state=read_string(result.get("state")))
    return address


def write_form(fields: Mapping[str, str], attachment: Attachment, data: bytes) -> tuple[bytes, str]:
    """A multipart body, the file last as the instance wants it, and its content type.

    As browsers write it: the name in UTF-8, which has no quotes and no line breaks
    (``handoff/files/names.py``).
    """
    boundary = uuid4().hex
    parts = [f'name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
    head = f'name="file"; filename="{attachment.name}"\r\nContent-Type: {attachment.content_type}\r\n\r\n'
    parts.append(head.encode() + data + b"\r\n")
    start = f"--{boundary}\r\nContent-Disposition: form-data; ".encode()
    body = b"".join(start + part for part in parts) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"
