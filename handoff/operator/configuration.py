"""``settings``: what is in force."""

from __future__ import annotations

import typer

from handoff.operator.output import AsJson, print_json
from handoff.settings import read_settings


def show_settings(as_json: AsJson = False) -> None:
    shown = {name.upper(): "" if value is None else str(value) for name, value in read_settings()}
    if as_json:
        print_json({"settings": shown})
        return
    for name, value in shown.items():
        typer.echo(f"{name}={value}")
