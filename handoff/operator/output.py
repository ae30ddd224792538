"""What commands print: words for people, and with ``--json`` one JSON document for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

AS_JSON = "--json"

AsJson = Annotated[bool, typer.Option(AS_JSON, help="For programs: one JSON document.")]


def print_json(document: Mapping[str, Any]) -> None:
    """One object; times are ISO 8601 in UTC."""
    typer.echo(json.dumps(document, indent=2, default=make_plain, ensure_ascii=False))


def make_printable(text: str | None) -> str:
    """One line without control characters: what others wrote must not steer the operator's terminal."""
    return "".join(character if character.isprintable() else " " for character in text or "")


def write_count(number: int, name: str) -> str:
    """As ``1 chat`` or ``2 chats``."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def print_error(sentence: str, *, as_json: bool) -> None:
    """To standard error for people; ``{"error": ...}`` on standard output for programs."""
    if as_json:
        print_json({"error": sentence})
    else:
        print("\n".join(map(make_printable, sentence.splitlines())), file=sys.stderr)


def make_plain(value: Any) -> Any:
    """For ``json.dumps``: what it does not know by itself."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, StrEnum | frozenset):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")
