"""May we read transcripts, so that chats can be audited (``docs/audit.md``)."""

from __future__ import annotations

from handoff.errors import DeskError
from handoff.finding import Finding, failed, ok, skipped
from handoff.settings import Desk
from servicenow.tables import Tables, read_column
from servicenow.transcript import CONVERSATION, INTERACTION, MESSAGE
from servicenow.visit import Visit

TRANSCRIPTS = "transcripts: read"
OFF = "HANDOFF_AUDIT is not set, so no chat is compared with the instance's transcript"
THREAD = "over Connect Support the thread itself is the transcript"
ADVICE = "Give the user read access to {tables}, or leave HANDOFF_AUDIT out."
COLUMNS = {
    INTERACTION: ("sys_id", "channel_metadata_document"),
    CONVERSATION: ("sys_id",),
    MESSAGE: ("sys_id", "conversation", "direction", "payload"),
}


async def check_transcripts(visit: Visit) -> Finding:
    """One row of each table; rows that are hidden from us are left out without an error."""
    if visit.settings.servicenow_desk is Desk.CONNECT_SUPPORT:
        return skipped(TRANSCRIPTS, THREAD)
    if not visit.settings.handoff_audit:
        return skipped(TRANSCRIPTS, OFF)
    advice = ADVICE.format(tables=", ".join(COLUMNS))
    tables, seen = Tables(visit.instance), 0
    for table, columns in COLUMNS.items():
        try:
            rows = await tables.select(table, "", ",".join(columns), limit=1)
            for row in rows:
                for column in columns:
                    read_column(row, column, table)
        except DeskError as error:
            return failed(TRANSCRIPTS, f"{table}: {error}", advice)
        seen += len(rows)
    if seen < len(COLUMNS):
        return ok(TRANSCRIPTS, "not a row of each to be seen", f"If there were chats: {advice}")
    return ok(TRANSCRIPTS, "one row of each table read")
