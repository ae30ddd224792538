"""What was said in a chat, by the instance's own tables (reference section 14, "Other tables").

The tables are read over the Table API, which the integration user may do or not. Nothing about the
columns is promised by ServiceNow; so what is not as expected is an error, and never an empty chat.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from handoff.desk import Line
from handoff.errors import DeskBusy, DeskRejected
from handoff.handoff import Handoff
from handoff.message import Sender
from servicenow.content import read_content
from servicenow.events import LIVE_AGENT_CHOICE, LIVE_AGENT_TOPIC
from servicenow.http import Instance
from servicenow.tables import HIDDEN, Row, Tables, read_column
from servicenow.values import Addresses, read_first, read_flag, read_id

INTERACTION = "interaction"
CONVERSATION = "sys_cs_conversation"
MESSAGE = "sys_cs_message"
COLUMNS = "sys_id,conversation,direction,is_agent,payload,send_time"
PAGE = 200  # lines per request
PAGES = 25  # requests per chat, at most
OURS = frozenset({LIVE_AGENT_CHOICE, LIVE_AGENT_TOPIC})  # said by us to Virtual Agent, not by the requester


class TranscriptTables:
    """Reads transcripts; raises ``DeskError``, ``DeskRejected`` where we may not, or find none."""

    def __init__(self, instance: Instance) -> None:
        self._tables = Tables(instance)

    async def read(self, handoff: Handoff) -> list[Line]:
        """The lines of a handoff's chat, oldest first."""
        if not self._tables.can_spare(MESSAGE):
            raise DeskBusy("ServiceNow's rate limit is near; the transcript can wait")
        conversation = await self._find_conversation(handoff)
        rows = await self._read_messages(conversation)
        lines = [_read_row(row, self._tables.instance.url) for row in rows]
        return [line for line in lines if not (line.sender is Sender.REQUESTER and line.text in OURS)]

    async def _find_conversation(self, handoff: Handoff) -> str:
        """By the interaction where the instance has named it, else by our session, the oldest of it.

        A later one of the same session is what Virtual Agent heard after the chat.
        """
        if handoff.is_named:
            query = f"sys_id={handoff.live_chat_id}"
            rows = await self._tables.select(INTERACTION, query, "sys_id,channel_metadata_document", limit=1)
            # A condition on a column that is hidden from us is ignored, and finds just any row.
            is_ours = rows and read_column(rows[0], "sys_id", INTERACTION) == handoff.live_chat_id
            if is_ours and (found := read_column(rows[0], "channel_metadata_document", INTERACTION)):
                return found
        query = f"session.device_id={handoff.id}^ORDERBYsys_created_on"
        rows = await self._tables.select(CONVERSATION, query, "sys_id,session.device_id", limit=1)
        if not rows or read_column(rows[0], "session.device_id", CONVERSATION) != handoff.id:
            raise DeskRejected("The instance shows no conversation of this handoff")
        return read_column(rows[0], "sys_id", CONVERSATION)

    async def _read_messages(self, conversation: str) -> list[Row]:
        query = f"conversation={conversation}^ORDERBYsend_time^ORDERBYsys_created_on"
        found: list[Row] = []
        for page in range(PAGES):
            rows = await self._tables.select(MESSAGE, query, COLUMNS, limit=PAGE, offset=page * PAGE)
            if any(read_column(row, "conversation", MESSAGE) != conversation for row in rows):
                raise DeskRejected(HIDDEN.format(table=MESSAGE))
            found += rows
            if len(rows) < PAGE:
                return found
        raise DeskRejected(f"The chat has more than {PAGE * PAGES} lines")


def _read_row(row: Row, instance_url: str) -> Line:
    payload = read_column(row, "payload", MESSAGE)
    inbound = read_column(row, "direction", MESSAGE).casefold() == "inbound"
    from_agent = read_flag(row.get("is_agent"))
    other = Sender.AGENT if from_agent else Sender.SYSTEM
    sender = Sender.REQUESTER if inbound else other
    return Line(id=read_id(row.get("sys_id")), sender=sender, text=read_words(payload, instance_url))


def read_words(payload: str, instance_url: str) -> str:
    """The words in a payload: an item as in a callback, as JSON, or plain text (unverified)."""
    try:
        item = json.loads(payload)
    except ValueError:
        return payload
    if not isinstance(item, Mapping):
        return payload
    content = read_content(item, Addresses(instance_url)) if item.get("uiType") else None
    if content:
        return str(content["text"])
    return read_first(item, "value", "label", "text", "message") or ""
