"""The incident table, through the Table API (reference section 14)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handoff.errors import DeskRejected, DeskUnavailable
from servicenow.http import Instance, Reply

PATH = "/api/now/table/incident"
FIELDS = "sys_id,number,state,short_description,sys_updated_on,assigned_to,correlation_id"
NUMBER = re.compile(r"[A-Za-z]{2,6}[0-9]{4,12}")  # INC and digits by default; the prefix can be changed
CORRELATION_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")  # ^ would end the condition of a query
HIDDEN = "The incident table hides its columns from us; check the integration user's roles"


@dataclass(frozen=True, kw_only=True)
class Incident:
    """An incident as a requester may see it. ``state`` is the label; ``updated_at`` the instance's words."""

    number: str
    sys_id: str
    state: str
    short_description: str
    updated_at: str
    assigned_to: str | None = None


@dataclass(frozen=True, kw_only=True)
class IncidentDraft:
    """An incident to be filed. ``urgency`` is 1 (high) to 3 (low), as ServiceNow counts."""

    short_description: str
    description: str
    urgency: str = "2"
    caller: str | None = None
    correlation_id: str | None = None


class IncidentTable:
    """Looks up and files incidents; raises ``DeskError`` where the instance does not."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    async def find(self, number: str) -> Incident | None:
        """The incident with this number, or None where there is none.

        Raises:
            ValueError: a number that could not be one; it is not put into a query.
        """
        if not NUMBER.fullmatch(number):
            raise ValueError("Not an incident number")
        return await self._find("number", number.upper())

    async def create(self, draft: IncidentDraft) -> Incident:
        """File an incident; with a ``correlation_id``, one that exists already is returned instead.

        The platform does not see to that itself (section 14).
        """
        correlation_id = _correlate(draft.correlation_id)
        if correlation_id and (known := await self._find("correlation_id", correlation_id)):
            return known
        reply = await self._instance.post(PATH, _write(draft, correlation_id), query=_query())
        return _read(_result(reply))

    async def _find(self, field: str, value: str) -> Incident | None:
        query = _query(sysparm_query=f"{field}={value}", sysparm_limit="1")
        rows = _result(await self._instance.get(PATH, query=query))
        if not isinstance(rows, list):
            raise DeskUnavailable("The incident table answered without a list")
        if not rows:
            return None
        found = _read(rows[0])
        if _display(rows[0].get(field)).casefold() != value.casefold():
            # An instance drops a condition on a field that it hides from us, and finds just any incident.
            raise DeskRejected(HIDDEN)
        return found


def _query(**more: str) -> dict[str, str]:
    shape = {
        "sysparm_fields": FIELDS,
        "sysparm_display_value": "true",
        "sysparm_exclude_reference_link": "true",
    }
    return {**shape, **more}


def _correlate(given: str | None) -> str | None:
    """An id that a query or its column could not hold is known by its digest."""
    if not given or CORRELATION_ID.fullmatch(given):
        return given
    return hashlib.sha256(given.encode(errors="backslashreplace")).hexdigest()


def _write(draft: IncidentDraft, correlation_id: str | None) -> dict[str, str]:
    body = {
        "short_description": draft.short_description[:160],
        "description": draft.description,
        "urgency": draft.urgency,
        "impact": "3",
        "contact_type": "chat",
        "caller_id": draft.caller,
        "correlation_id": correlation_id,
    }
    return {key: value for key, value in body.items() if value}


def _result(reply: Reply) -> Any:
    if not isinstance(reply.body, Mapping) or "result" not in reply.body:
        raise DeskUnavailable("The incident table answered something that is not its API")
    return reply.body["result"]


def _read(row: Any) -> Incident:
    if not isinstance(row, Mapping) or not row.get("number"):
        raise DeskRejected(HIDDEN)
    return Incident(
        number=_display(row.get("number")),
        sys_id=_display(row.get("sys_id")),
        state=_display(row.get("state")),
        short_description=_display(row.get("short_description")),
        updated_at=_display(row.get("sys_updated_on")),
        assigned_to=_display(row.get("assigned_to")) or None,
    )


def _display(value: Any) -> str:
    """Reference fields may come as an object whatever was asked for."""
    if isinstance(value, Mapping):
        return str(value.get("display_value") or value.get("value") or "")
    return str(value or "")
