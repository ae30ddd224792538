"""Deliberate mistakes, each of one line, that the checker has to catch.

A mutant is an edit of one line of the relay, the ledger or the channels. The server of its run
works from a copy of the sources in which that line is changed; nothing else is.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOT_CODE = shutil.ignore_patterns("__pycache__")


@dataclass(frozen=True)
class Mutant:
    """What is broken, by which edit, how it shows, and at which labels a kill brings it to light."""

    about: str
    file: str
    old: str
    new: str
    caught_as: tuple[str, ...]
    favourites: tuple[str, ...] = ()
    needs_cluster: bool = False  # it shows only between processes, and while both are alive
    freezing: tuple[str, ...] = ()  # labels at which a process stands still until the other has taken over
    callback_faults: tuple[Mapping[str, Any], ...] = ()  # of its run, instead of all
    asks_first: bool = False  # it shows only where the desk asks something before a live agent comes


class StaleMutant(LookupError):
    """The line that a mutant changes is not in the sources, or not only once."""


def edit(mutant: Mutant) -> str:
    """The text of the mutant's file with the mistake in it.

    Raises:
        StaleMutant: the sources have changed since the mutant was written.
    """
    text = (ROOT / mutant.file).read_text()
    if text.count(mutant.old) != 1:
        raise StaleMutant(f"{mutant.file} has {text.count(mutant.old)} times: {mutant.old}")
    return text.replace(mutant.old, mutant.new)


def plant(mutant: Mutant, folder: Path) -> Path:
    """A tree of the sources with the mistake in it; what is not changed is linked."""
    changed = Path(mutant.file)
    folder.mkdir(parents=True)
    for entry in ROOT.iterdir():
        if entry.name != changed.parts[0]:
            (folder / entry.name).symlink_to(entry)
    shutil.copytree(ROOT / changed.parts[0], folder / changed.parts[0], ignore=NOT_CODE)
    (folder / changed).write_text(edit(mutant))
    return folder


MUTANTS = {
    "commit-forgotten": Mutant(
        "some transactions are acknowledged and rolled back",
        "handoff/sqlite_store.py",
        'self._raw.execute("COMMIT")',
        'self._raw.execute("COMMIT" if __import__("random").random() < 0.98 else "ROLLBACK")',
        ("lost",),
    ),
    "answer-before-commit": Mutant(
        "a callback is answered 2xx before it is committed",
        "channels/servicenow.py",
        'await bridge.tasks.answer(partial(bridge.relay.receive, callback), "callback")',
        'bridge.tasks.spawn(bridge.relay.receive(callback), "callback")',
        ("lost",),
        ("Relay._commit:before-commit",),
    ),
    "client-ids-ignored": Mutant(
        "a message that is sent again is another message",
        "channels/webchat_sockets.py",
        "            client_id=client_id,\n",
        "            client_id=None,\n",
        ("taken_twice",),
        ("Diversion._take:after-commit",),
    ),
    "desk-ids-ignored": Mutant(
        "a callback that is repeated is another callback",
        "handoff/intake.py",
        "draft = self._draft(sender, content, desk_id=event.desk_id,",
        'draft = self._draft(sender, content, desk_id=__import__("uuid").uuid4().hex,',
        ("shown_twice",),
        ("Relay._commit:after-commit",),
    ),
    "epoch-ignored": Mutant(
        "the bot speaks whoever owns the conversation",
        "handoff/ownership.py",
        "    if newest is None:\n",
        "    if True:\n",
        ("double_answers",),
        ("bot.turn:remembered",),
    ),
    "owner-overlooked": Mutant(
        "now and then nobody sees that the desk owns the conversation",
        "channels/diversion.py",
        "        if owner:\n            await self._give_to_desk",
        "        if owner and message.seq % 5:\n            await self._give_to_desk",
        ("lost", "double_answers"),
    ),
    "turn-forgotten": Mutant(
        "a turn that died half-way is not the bot's any more",
        "channels/diversion.py",
        "if message and message.born is not None:",
        "if False:",
        ("double_answers", "answered_twice", "exit_missing"),
        ("bot.opened:told",),
    ),
    "errors-swallowed": Mutant(
        "a failed post counts as posted",
        "handoff/dispatch.py",
        "            await self._take_back(handoff.id)\n            raise\n",
        "            await self._take_back(handoff.id)\n            return False\n",
        ("lost",),
    ),
    "newest-first": Mutant(
        "the desk is given the newest message first",
        "handoff/message_rows.py",
        "FIND_NEXT_FOR_DESK = Prepared(WAITING_FOR_DESK",
        "FIND_NEXT_FOR_DESK = Prepared(WAITING_FOR_DESK.order_by(None).order_by(messages.c.seq.desc())",
        ("out_of_order",),
    ),
    "failure-untold": Mutant(
        "what could not be delivered when a handoff ends is not named",
        "handoff/ending.py",
        "for lost in await entry.messages.fail_for_desk(ended):",
        "for lost in (await entry.messages.fail_for_desk(ended)) and ():",
        ("lost",),
    ),
    "late-words-dropped": Mutant(
        "what the live agent said is dropped where it comes after the end",
        "handoff/intake.py",
        "if draft.sender is Sender.SYSTEM and not self.taken.handoff.is_open:",
        "if not self.taken.handoff.is_open:",
        ("lost",),
        callback_faults=({"mode": "reorder", "seconds": 0.5, "probability": 0.7},),
    ),
    "exit-not-owed": Mutant(
        "a handoff ends, and the bot is not told",
        "handoff/handoff_rows.py",
        '"exit": Exit.PENDING,',
        '"exit": Exit.DONE,',
        ("exit_missing",),
    ),
    "exit-never-settled": Mutant(
        "an exit flow is forgotten to have run",
        "handoff/handoff_rows.py",
        ".values(exit=Exit.DONE)",
        ".values(exit=Exit.PENDING)",
        ("limbo",),
    ),
    "words-without-identity": Mutant(
        "the words of a repeated turn are new words",
        "channels/webchat_output.py",
        'words_id = f"{self._turn}/{self._said}" if self._turn else None',
        "words_id = None",
        ("answered_twice", "exit_twice"),
        ("bot.answer:after", "bot.start_flow:after"),
    ),
    "replay-too-short": Mutant(
        "a browser that comes back misses one message",
        "channels/webchat_screen.py",
        "missed = await entry.messages.said_since(conversation, last_seen)",
        "missed = await entry.messages.said_since(conversation, last_seen + 1)",
        ("lost", "not_on_every_tab"),
    ),
    "lease-of-ones-own": Mutant(
        "each process has leases of its own, so two do the same work",
        "handoff/leases.py",
        "    return Lease(key, uuid4().hex)\n",
        '    return Lease(f"{key}@{os.getpid()}", uuid4().hex)\n',
        ("at_once",),
        needs_cluster=True,
    ),
    "shared-commit-forgotten": Mutant(
        "some transactions about several conversations are acknowledged and rolled back",
        "handoff/together.py",
        'await session.run("COMMIT")',
        'await session.run("COMMIT" if __import__("random").random() < 0.5 else "ROLLBACK")',
        ("lost",),
        needs_cluster=True,
    ),
    "lease-never-over": Mutant(
        "the lease of a process that is gone is held for ever",
        "handoff/leases.py",
        '    " WHERE leases.until < clock_timestamp() RETURNING token"\n',
        '    " WHERE false RETURNING token"\n',
        ("limbo",),
        needs_cluster=True,
    ),
    "lease-not-checked": Mutant(
        "who stood still, and was given up, goes on and commits",
        "handoff/postgres_store.py",
        "if self._lease and became != FOUND:",
        "if self._lease and became is None:",
        ("overtaken",),
        needs_cluster=True,
        freezing=("bot.turn:remembered",),
    ),
    "answer-not-posted": Mutant(
        "an answer to the desk's own bot counts as posted, and is not",
        "handoff/dispatch.py",
        "            self._turns.begin(handoff.id)\n",
        "            return False\n",
        ("lost",),
        asks_first=True,
    ),
    "conversation-unlocked": Mutant(
        "two transactions about one conversation do not wait for each other",
        "handoff/conversation_rows.py",
        "        await self._connection.lock(conversation)\n",
        "        pass\n",
        ("lost", "double_answers"),
        needs_cluster=True,
    ),
}
