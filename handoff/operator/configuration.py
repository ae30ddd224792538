"""``settings``: what is in force."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import typer

from handoff.operator.output import AsJson, print_json
from handoff.settings import hide_password, read_settings


def show_settings(as_json: AsJson = False) -> None:
    settings = dict(read_settings())
    settings["handoff_database_url"] = hide_password(settings["handoff_database_url"])
    shown = {name.upper(): write_value(value) for name, value in settings.items()}
    if as_json:
        print_json({"settings": shown})
        return
    for name, value in shown.items():
        typer.echo(f"{name}={value}")


def write_value(value: Any) -> str:
    """A setting as its variable would hold it; secrets are masked."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=str) if value else ""
    if isinstance(value, Collection) and not isinstance(value, str):
        return ", ".join(sorted(map(str, value)))
    return str(value)
