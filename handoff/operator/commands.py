"""The list of commands, and how one of them is run.

Importing SQLAlchemy takes longer than most commands themselves, so a command's module is imported
when that command is run, and ``--help`` imports none.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command as build

from handoff.errors import HandoffError
from handoff.operator.output import AS_JSON, print_error

# What is typed: the function, and what it does.
COMMANDS: dict[str, tuple[str, str]] = {
    "list": ("listing:list_open", "Show the open handoffs: conversation, state, since when, and with whom."),
    "show": (
        "conversation:show_conversation",
        "Show one handoff: state, deadline, messages, and what looks wrong.",
    ),
    "watch": ("watching:watch", "Show what is open and what waits, live."),
    "transcript": ("conversation:show_transcript", "Show everything that was said in a conversation."),
    "close": ("closing:close_handoff", "Give a conversation back to the bot."),
    "audit": (
        "auditing:audit_chats",
        "Compare chats with the desk's own transcripts; exit code 1 if something differs.",
    ),
    "dead-letters": (
        "dead_letters:show_dead_letters",
        "Show the messages that a REST client's address did not take in time, or post them once more.",
    ),
    "requeue": (
        "requeuing:requeue",
        "Post once more what was given up on its way to a REST client's address.",
    ),
    "report": (
        "reporting:write_report",
        "Write a page with plots of a period: volume, waits, durations, outcomes.",
    ),
    "backup": ("backing_up:back_up_ledger", "Copy the ledger while it is in use (SQLite)."),
    "forget": (
        "forgetting:forget_conversation",
        "Delete everything that is kept of a conversation: what was said, by whom, and its files.",
    ),
    "doctor": (
        "doctor:examine_all",
        "Check settings, ledger, instance, rights and callback; exit code 1 if something is wrong.",
    ),
    "settings": ("configuration:show_settings", "Check the settings and show them, secrets masked."),
    "migrate": ("migration:upgrade_ledger", "Bring the ledger's tables up to this version."),
}


class Commands(TyperGroup):
    """The commands by name; one is imported when it is run, its sentence stands here."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # typer has a copy of click's
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | None:  # type: ignore[override]
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1])

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in COMMANDS else command, rest


def load(name: str) -> TyperCommand:
    """Import a command."""
    where, sentence = COMMANDS[name]
    module, _, function = where.partition(":")
    alone = typer.Typer(add_completion=False)
    alone.command(name, help=sentence)(getattr(import_module(f"handoff.operator.{module}"), function))
    return build(alone)  # type: ignore[return-value]


app = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, help="Operate the handoff to ServiceNow."
)


@app.callback()
def _begin() -> None:
    """Nothing comes before a command."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a foreseen error is a sentence and exit code 1."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(given, prog_name="python -m handoff")
    except HandoffError as error:
        print_error(str(error), as_json=AS_JSON in given)
        return 1
    return 0
