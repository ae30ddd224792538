"""Deliberate mistakes, made by wrapping in the server's process: each must be caught by the checker.

The driver reads their names only, so what they break is imported where it is broken.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chaos.labels import FusedLedger

ODDS = 0.2  # of a mistake where it may be made


@dataclass(frozen=True)
class Mutant:
    """What is broken, how, and at which labels a kill brings it to light."""

    about: str
    make: Callable[[FusedLedger], None]
    caught_as: tuple[str, ...]
    favourites: tuple[str, ...] = ()


def mutate(name: str, ledger: FusedLedger) -> None:
    MUTANTS[name].make(ledger)


def _chance() -> bool:
    return random.random() < ODDS  # noqa: S311 - nothing secret


def _replace(owner: Any, name: str, change: Callable[[Any], Any]) -> None:
    setattr(owner, name, change(getattr(owner, name)))


def _drop(label: str) -> Callable[[FusedLedger], None]:
    def make(ledger: FusedLedger) -> None:
        ledger.drops = lambda passed: passed == label and _chance()

    return make


def _forget_client_ids(_: FusedLedger) -> None:
    from channels.diversion import Diversion

    def change(take: Any) -> Any:
        return lambda self, incoming: take(self, replace(incoming, client_id=None))

    _replace(Diversion, "take", change)


def _forget_desk_ids(_: FusedLedger) -> None:
    from handoff.intake import Intake

    async def never(*_: Any) -> bool:
        return False

    def change(draft: Any) -> Any:
        return lambda self, *about, **more: draft(self, *about, **{**more, "desk_id": None})

    _replace(Intake, "_draft", change)
    _replace(Intake, "_is_repeated", lambda _: never)


def _leave_exit_owed(_: FusedLedger) -> None:
    from handoff.handoff_rows import HandoffRows

    seen: set[str] = set()

    def change(settle: Any) -> Any:
        async def settle_late(self: Any, handoff: Any) -> Any:
            if handoff.id in seen:
                return await settle(self, handoff)
            seen.add(handoff.id)
            return True

        return settle_late

    _replace(HandoffRows, "settle_exit", change)


def _overlook_owner(_: FusedLedger) -> None:
    from handoff.handoff_rows import HandoffRows

    def change(open_for: Any) -> Any:
        async def overlook(self: Any, conversation: str) -> Any:
            return None if _chance() else await open_for(self, conversation)

        return overlook

    _replace(HandoffRows, "open_for", change)


def _swallow_errors(_: FusedLedger) -> None:
    from handoff.errors import DeskUnavailable
    from servicenow.bot_integration import BotIntegrationDesk

    def change(send: Any) -> Any:
        async def swallow(*arguments: Any) -> None:
            try:
                await send(*arguments)
            except DeskUnavailable:
                return

        return swallow

    _replace(BotIntegrationDesk, "send", change)


def _replay_nothing(_: FusedLedger) -> None:
    from channels.webchat_screen import WebChatScreen

    async def nothing(*_: Any) -> None:
        return

    _replace(WebChatScreen, "_replay", lambda _: nothing)


MUTANTS = {
    "acknowledge-without-commit": Mutant(
        "some messages are acknowledged, their transaction is rolled back", _drop("Diversion.take"), ("lost",)
    ),
    "callback-without-commit": Mutant(
        "some callbacks are answered 2xx, their transaction is rolled back", _drop("Relay.receive"), ("lost",)
    ),
    "no-client-ids": Mutant(
        "a message that is sent again is another message",
        _forget_client_ids,
        ("taken_twice",),
        ("Diversion.take:after-commit",),
    ),
    "no-desk-ids": Mutant(
        "a callback that is repeated is another callback",
        _forget_desk_ids,
        ("shown_twice",),
        ("Relay.receive:after-commit",),
    ),
    "exit-not-settled": Mutant("an exit flow is forgotten to have run", _leave_exit_owed, ("exit_twice",)),
    "owner-overlooked": Mutant(
        "now and then nobody sees that the desk owns the conversation",
        _overlook_owner,
        ("lost", "double_answers"),
    ),
    "errors-swallowed": Mutant("a failed post counts as posted", _swallow_errors, ("lost",)),
    "nothing-replayed": Mutant(
        "a browser that comes back is told nothing of what it missed",
        _replay_nothing,
        ("lost", "not_on_every_tab"),
    ),
}
