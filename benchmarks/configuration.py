"""The settings of ours in a run, by the names of the variables."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.stage import PASSWORD, SECRET, USER
from handoff.settings import Settings, read_settings


def make_settings(desk_url: str, ledger_url: str, changed: Mapping[str, str] | None = None) -> Settings:
    variables = environment(desk_url, ledger_url) | dict(changed or {})
    return read_settings(**{name.lower(): value for name, value in variables.items()})


def environment(desk_url: str, ledger_url: str) -> dict[str, str]:
    return {
        "SERVICENOW_URL": desk_url,
        "SERVICENOW_AUTH": "basic",
        "SERVICENOW_USER": USER,
        "SERVICENOW_PASSWORD": PASSWORD,
        "SERVICENOW_CALLBACK_SECRET": SECRET,
        "HANDOFF_DATABASE_URL": ledger_url,
        "HANDOFF_SENDER_LIMIT": "0",  # its requesters are no people
    }
