"""Incident records as the platform keeps them: every value is a string (reference section 14)."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from simulator.changes import Changes
from simulator.chat import new_id

Record = dict[str, str]

STATES = {"1": "New", "2": "In Progress", "3": "On Hold", "6": "Resolved", "7": "Closed", "8": "Canceled"}
LEVELS = {"1": "1 - High", "2": "2 - Medium", "3": "3 - Low"}
PRIORITIES = {"1": "1 - Critical", "2": "2 - High", "3": "3 - Moderate", "4": "4 - Low", "5": "5 - Planning"}
CHOICES = {"state": STATES, "impact": LEVELS, "urgency": LEVELS, "priority": PRIORITIES}
REFERENCES = ("caller_id", "opened_by", "assigned_to")
JOURNALS = ("comments", "work_notes")
# fmt: off
WRITABLE = (
    "short_description", "description", "impact", "urgency", "category", "contact_type", "caller_id",
    "opened_by", "opened_at", "assigned_to", "assignment_group", "correlation_id",
    "correlation_display", "comments", "work_notes", "state", "hold_reason", "close_code",
    "close_notes", "resolved_at", "closed_at",
)
# fmt: on
# fmt: off
READ_ONLY = (
    "sys_id", "number", "priority", "active", "sys_class_name", "sys_created_on", "sys_created_by",
    "sys_updated_on", "sys_updated_by", "sys_mod_count",
)
# fmt: on
FIELDS = (*READ_ONLY, *WRITABLE)

PEOPLE: dict[str, Record] = {
    "6816f79cc0a8016401c5a33be04be441": {"user_name": "admin", "name": "System Administrator", "email": ""},
    "62826bf03710200044e0bfc8bcbe5df1": {
        "user_name": "sam.reyes",
        "name": "Sam Reyes",
        "email": "sam.reyes@example.com",
    },
    "a8f98bb0eb32010045e1a5115206fe3a": {
        "user_name": "joan.okafor",
        "name": "Joan Okafor",
        "email": "joan.okafor@example.com",
    },
    "46d44a23a9fe19810012d100cca80666": {
        "user_name": "beth.lindqvist",
        "name": "Beth Lindqvist",
        "email": "beth.lindqvist@example.com",
    },
}
ADMIN = next(iter(PEOPLE))

PRELOADED: tuple[dict[str, str], ...] = (
    {
        "short_description": "Cannot connect to VPN from home office",
        "description": "The VPN client stops at 'Contacting gateway' since this morning.",
        "caller_id": "sam.reyes",
        "category": "network",
        "impact": "2",
        "urgency": "2",
    },
    {
        "short_description": "Outlook keeps asking for a password",
        "caller_id": "sam.reyes",
        "assigned_to": "beth.lindqvist",
        "category": "software",
        "state": "2",
        "urgency": "2",
        "comments": "We are renewing your account's certificate.",
    },
    {
        "short_description": "Replacement laptop: battery lasts twenty minutes",
        "caller_id": "joan.okafor",
        "assigned_to": "beth.lindqvist",
        "category": "hardware",
        "state": "3",
        "hold_reason": "3",
        "comments": "The battery is ordered; the supplier promises Thursday.",
    },
    {
        "short_description": "Printer on floor 3 prints blank pages",
        "caller_id": "joan.okafor",
        "assigned_to": "beth.lindqvist",
        "category": "hardware",
        "state": "6",
        "close_code": "Solution provided",
        "close_notes": "Toner replaced.",
    },
    {
        "short_description": "Password expired while on leave",
        "caller_id": "sam.reyes",
        "assigned_to": "beth.lindqvist",
        "category": "inquiry",
        "state": "7",
        "close_code": "Solution provided",
        "close_notes": "Password reset, caller signed in again.",
    },
)


class Incidents:
    """The incident table: five believable records from INC0009001 on, then new ones from INC0010001."""

    def __init__(self, changes: Changes, now: Callable[[], datetime]) -> None:
        self._changes = changes
        self._now = now
        self.records: list[Record] = []
        self.reset()

    def reset(self) -> None:
        """Go back to the preloaded records."""
        self.records.clear()
        self._next = 9001
        for age, values in zip(range(9, 0, -2), PRELOADED, strict=True):
            self.create(values, days_ago=age)
        self._next = 10001

    def create(self, values: Mapping[str, Any], user: str = "admin", *, days_ago: int = 0) -> Record:
        """Add a record; unknown and read-only fields are ignored (unverified, reference section 14)."""
        stamp = f"{self._now() - timedelta(days=days_ago):%Y-%m-%d %H:%M:%S}"
        record = dict.fromkeys(FIELDS, "")
        record |= {"sys_id": new_id(), "number": f"INC{self._next:07}", "state": "1", "impact": "3"}
        record |= {"urgency": "3", "opened_at": stamp, "opened_by": ADMIN, "sys_class_name": "incident"}
        record |= {"sys_created_on": stamp, "sys_created_by": user, "sys_mod_count": "0"}
        self._next += 1
        self._set(record, values, user, stamp)
        self.records.append(record)
        self._changes.tell()
        return record

    def update(self, record: Record, values: Mapping[str, Any], user: str = "admin") -> None:
        """Change a record in place, as PATCH does."""
        record["sys_mod_count"] = str(int(record["sys_mod_count"]) + 1)
        self._set(record, values, user, f"{self._now():%Y-%m-%d %H:%M:%S}")
        self._changes.tell()

    def find(self, sys_id: str) -> Record | None:
        return next((record for record in self.records if record["sys_id"] == sys_id), None)

    def _set(self, record: Record, values: Mapping[str, Any], user: str, stamp: str) -> None:
        for name, value in values.items():
            if name in WRITABLE:
                record[name] = _stored(name, _as_text(value), record[name], stamp)
        record["sys_updated_on"], record["sys_updated_by"] = stamp, user
        record["priority"] = _priority(record)
        record["active"] = "false" if record["state"] in ("7", "8") else "true"
        for state, field in (("6", "resolved_at"), ("7", "closed_at")):
            if record["state"] == state and not record[field]:
                record[field] = stamp


def _as_text(value: Any) -> str:
    """Return a JSON value as the platform stores it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def person(sys_id: str) -> Record:
    """Return the user a reference points to; an unknown one has only a name, the value itself."""
    return PEOPLE.get(sys_id, {"name": sys_id, "user_name": "", "email": ""}) | {"sys_id": sys_id}


def value_of(record: Record, path: str) -> str | None:
    """Return a field's value, `caller_id.email` included; None if there is no such field."""
    field, _, inner = path.partition(".")
    if field not in FIELDS:
        return None
    if not inner:
        return record[field]
    return person(record[field]).get(inner) if field in REFERENCES else None


def display(name: str, value: str) -> str:
    """Return what `sysparm_display_value=true` shows for a field."""
    if name in REFERENCES:
        return person(value)["name"] if value else ""
    return CHOICES.get(name, {}).get(value, value)


def _stored(name: str, value: str, before: str, stamp: str) -> str:
    if name in REFERENCES:
        return _resolve(value)
    if name in JOURNALS and value:
        return f"{stamp} - {value}\n\n{before}" if before else f"{stamp} - {value}"
    choices = {label.lower(): key for key, label in CHOICES.get(name, {}).items()}
    return choices.get(value.lower(), value)


def _resolve(value: str) -> str:
    """Turn a user name, e-mail address or full name into a sys_id; keep what nobody is called."""
    wanted = value.lower()
    for sys_id, names in PEOPLE.items():
        if wanted and wanted in (names["user_name"].lower(), names["name"].lower(), names["email"].lower()):
            return sys_id
    return value


def _priority(record: Record) -> str:
    """Return the priority of the default matrix: impact and urgency 1 to 3 give 1 to 5."""
    if record["impact"] in LEVELS and record["urgency"] in LEVELS:
        return str(int(record["impact"]) + int(record["urgency"]) - 1)
    return "5"
