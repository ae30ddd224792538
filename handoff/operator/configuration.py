"""``settings``: what is in force."""

from __future__ import annotations

import typer

from handoff.operator.output import AsJson, print_json
from handoff.settings import hide_password, read_settings


def show_settings(as_json: AsJson = False) -> None:
    settings = dict(read_settings())
    settings["handoff_database_url"] = hide_password(settings["handoff_database_url"])
    shown = {name.upper(): "" if value is None else str(value) for name, value in settings.items()}
    if as_json:
        print_json({"settings": shown})
        return
    for name, value in shown.items():
        typer.echo(f"{name}={value}")
