"""Posting to clients: what was not shown is posted in order, again and again, until it is given up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from handoff.concern import Concerning
from handoff.errors import LetterRefused
from handoff.instruments import LETTERS
from handoff.ledger import Ledger
from handoff.letter_rows import Letter
from handoff.message import Message, Receipt
from handoff.tasks import OnePerKey, Tasks

log = structlog.get_logger(__name__)

LANE = "letters"
AGAIN = 5.0  # seconds after an error that is not the client's, such as a database that is away
FIRST_WAIT = 1.0  # seconds after the first failure; doubled with jitter up to LONGEST_WAIT
LONGEST_WAIT = 300.0
SWEEP = 0.5  # seconds between two looks for letters that are due

Post = Callable[[Message], Awaitable[None]]


class Letters:
    """Posts what the conversations of one channel have not been shown, one letter at a time for each.

    ``post`` takes a message to the client or raises ``LetterRefused``; ``is_held`` says that a
    conversation's messages go another way at the moment. ``receipt`` is what the client's taking
    it proves: that it has it, or that it passes it on to the requester.
    """

    def __init__(
        self,
        ledger: Ledger,
        channel: str,
        post: Post,
        is_held: Callable[[str], bool],
        deadline: float,
        tasks: Tasks,
        *,
        first_wait: float = FIRST_WAIT,
        receipt: Receipt = Receipt.DELIVERED,
    ) -> None:
        self._ledger = ledger
        self._channel = channel
        self._post = post
        self._is_held = is_held
        self._deadline = deadline
        self._first_wait = first_wait
        self._receipt = receipt
        self._lane = f"{LANE} {channel}"
        self._runs = OnePerKey(
            self._post_all, self._lane, tasks, again=AGAIN, leases=ledger.leases, concern=Concerning
        )

    def kick(self, conversation: str) -> None:
        """Post soon what was written."""
        self._runs.kick(conversation)

    async def watch(self) -> None:
        """Take up what an earlier process left, then post what is due, again and again.

        In a cluster another process may be gone at any time, so that is looked for again and again too.
        """
        has_resumed = False
        while True:
            try:
                await self._look(resume=not has_resumed)
                has_resumed = self._ledger.leases is None
            except Exception:
                log.exception("letters.not_read")
            await asyncio.sleep(SWEEP)

    async def _look(self, *, resume: bool) -> None:
        async with self._ledger.entry() as entry:
            due = set(await entry.letters.due())
            waiting = set(await entry.letters.waiting_in(self._channel)) if resume else set()
        if self._ledger.leases and (due or waiting):
            due -= (taken := await self._ledger.leases.taken(self._lane))
            waiting -= taken
        for conversation in due | waiting:
            self.kick(conversation)

    async def _post_all(self, conversation: str) -> None:
        while not self._is_held(conversation) and (found := await self._next(conversation)):
            await self._try(*found)

    async def _next(self, conversation: str) -> tuple[Letter, Message] | None:
        """The oldest message that the client has not got; None until its time has come."""
        async with self._ledger.entry() as entry:
            if await entry.conversations.channel(conversation) != self._channel:
                return None
            waiting = await entry.messages.unshown(conversation)
            if not waiting:
                return None
            letter = await entry.letters.write(waiting[0], within=self._deadline)
            return (letter, waiting[0]) if entry.letters.is_due(letter) else None

    async def _try(self, letter: Letter, message: Message) -> None:
        try:
            await self._post(message)
        except LetterRefused as error:
            await self._note_failure(letter, error)
            return
        async with self._ledger.entry() as entry:
            await entry.letters.arrive(letter, self._receipt)
            await entry.conversations.hand_out(letter.conversation, letter.seq)
            entry.notes.count(LETTERS, "taken")

    async def _note_failure(self, letter: Letter, error: LetterRefused) -> None:
        again = None if error.is_final else self._wait(letter, error)
        async with self._ledger.entry() as entry:
            is_dead = await entry.letters.fail(letter, str(error), again=again)
            entry.notes.count(LETTERS, "dead" if is_dead else "failed")
        log.warning(
            "letter.dead" if is_dead else "letter.failed", message=letter.message_id, reason=str(error)
        )

    def _wait(self, letter: Letter, error: LetterRefused) -> float:
        """The client's own ``Retry-After`` where it gave one, else growing pauses with jitter."""
        pause = min(self._first_wait * 2.0 ** min(letter.attempts, 20), LONGEST_WAIT)
        jittered = pause * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        return max(jittered, min(error.retry_after or 0, LONGEST_WAIT))
