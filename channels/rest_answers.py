"""The answer to a message: taken in, waited for, and counted as given once it was written.

What is promised is in ``docs/rest-channel.md``. An answer holds what was not in an answer yet.
It is noted with its numbers after it was written to the connection: one that could not be
written is part of the next, and a request that is repeated under its ``message_id`` gets the
same answer again and runs nothing.
"""

from __future__ import annotations

import asyncio
from typing import Any

from sanic import HTTPResponse, Request
from sanic.response import json

from channels.bridge import Bridge
from channels.rest_listeners import Kind, Listener, Listeners
from channels.rest_reader import Batch, RestReader
from channels.rest_requests import RestPost
from channels.rest_wire import name_state, write_json
from handoff.answer_rows import Span
from handoff.handoff import Exit, State
from handoff.locks import KeyedLocks
from handoff.message import Message, Receipt
from handoff.message_rows import Accepted
from handoff.tasks import Tasks

STATE_HEADER = "X-Handoff-State"
UNDECIDED = (State.ENDING, State.ENDED)


class RestAnswers:
    """Answers POSTs; ``patience`` is how many seconds an answer waits for the bot's turn."""

    def __init__(
        self, bridge: Bridge, reader: RestReader, listeners: Listeners, tasks: Tasks, patience: float
    ) -> None:
        self._bridge = bridge
        self._ledger = bridge.backend.ledger
        self._reader = reader
        self._listeners = listeners
        self._tasks = tasks
        self._patience = patience
        self._answering = KeyedLocks()

    async def accept(self, post: RestPost) -> HTTPResponse:
        """Answer 202 once the message is committed; what is said about it comes another way."""
        message, state = await self._tasks.finish(self._accept(post), "take")
        body = {"message_id": message.public_id, "seq": message.seq}
        return json(body, status=202, headers={STATE_HEADER: state})

    async def answer(self, request: Request[Any, Any], post: RestPost) -> None:
        """Answer with a list of what was said, once the bot has had its turn."""
        conversation = post.incoming.conversation
        with self._listeners.listen(conversation, Kind.ANSWER) as listener:
            message = (await self._tasks.finish(self._take(post), "take")).message
            await asyncio.shield(self._tasks.spawn(self._wait(listener, message), "wait"))
            async with self._answering.hold(conversation):
                batch = await self._tasks.finish(self._read(message, post.last_seen), "read")
                await self._send(request, batch)
                await self._tasks.finish(self._note(message, batch.span), "note")

    async def stream(self, request: Request[Any, Any], post: RestPost) -> None:
        """The same, with a line of JSON for each message as it comes, as Rasa's ``?stream=true``."""
        conversation = post.incoming.conversation
        with (
            self._listeners.listen(conversation, Kind.ANSWER) as listener,
            self._listeners.listen(conversation, Kind.POLL) as news,
        ):
            message = (await self._tasks.finish(self._take(post), "take")).message
            waiting = self._tasks.spawn(self._wait(listener, message), "wait")
            waiting.add_done_callback(lambda _: news.ring())
            async with self._answering.hold(conversation):
                span = await self._write_lines(request, message, post.last_seen, news, waiting)
                await self._tasks.finish(self._note(message, span), "note")

    # -- in ---------------------------------------------------------------------------

    async def _accept(self, post: RestPost) -> tuple[Message, str]:
        """The message, and who has the conversation by then."""
        message = (await self._take(post)).message
        async with self._ledger.entry() as entry:
            return message, name_state(await entry.handoffs.newest_for(message.conversation))

    async def _take(self, post: RestPost) -> Accepted:
        conversation = post.incoming.conversation
        async with self._ledger.entry() as entry:
            await entry.answers.begin(conversation)
            if post.last_seen is not None:
                await entry.answers.acknowledge(conversation, post.last_seen)
        accepted = await self._bridge.diversion.take(post.incoming)
        if accepted.is_new:
            async with self._ledger.entry() as entry:
                await entry.answers.come_back(conversation)
        return accepted

    async def _wait(self, listener: Listener, message: Message) -> None:
        """Until it is known what becomes of the message, or the patience is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        while not listener.is_closed:
            listener.listen()
            settled = self._tasks.spawn(self._bridge.diversion.settle(message.conversation), "settle")
            await asyncio.wait([settled], timeout=deadline - loop.time())
            if await self._is_decided(message) or loop.time() >= deadline:
                return
            await listener.wait(deadline - loop.time())

    async def _is_decided(self, message: Message) -> bool:
        """The bot has answered, or a live agent is asked; and no return to the bot is on its way."""
        async with self._ledger.entry() as entry:
            current = await entry.messages.find(message.id)
            newest = await entry.handoffs.newest_for(message.conversation)
        if current and current.receipt is Receipt.ACCEPTED and current.handoff_id is None:
            return False
        return newest is None or newest.exit is Exit.DONE or newest.state not in UNDECIDED

    # -- out --------------------------------------------------------------------------

    async def _read(self, message: Message, last_seen: int | None) -> Batch:
        span = await self._find_span(message, last_seen)
        return await self._reader.read(message.conversation, *span)

    async def _find_span(self, message: Message, last_seen: int | None) -> tuple[int, int | None]:
        """The numbers of the answer: from where, and up to where if it was given before."""
        async with self._ledger.entry() as entry:
            if known := await entry.answers.find(message.id):
                return known.since, known.upto
            since = await entry.answers.begin(message.conversation)
        return (since if last_seen is None else min(last_seen, message.seq)), None

    async def _send(self, request: Request[Any, Any], batch: Batch) -> None:
        """Cancelled where the connection is gone."""
        headers = {STATE_HEADER: batch.state}
        response = await request.respond(json(list(batch.messages), headers=headers))
        assert response
        await response.send(end_stream=True)

    async def _write_lines(
        self,
        request: Request[Any, Any],
        message: Message,
        last_seen: int | None,
        news: Listener,
        waiting: asyncio.Task[None],
    ) -> Span:
        """Write what comes until the bot has had its turn; returns the numbers that were written."""
        since, upto = first, _ = await self._tasks.finish(self._find_span(message, last_seen), "span")
        response: Any = None
        while True:
            is_over = waiting.done() or upto is not None
            news.listen()
            batch = await self._tasks.finish(self._reader.read(message.conversation, since, upto), "read")
            response = response or await request.respond(
                headers={STATE_HEADER: batch.state}, content_type="text/event-stream"
            )
            for line in batch.messages:
                await response.send(write_json(line) + "\n")
            since = batch.span.upto
            if is_over:
                await response.eof()
                return Span(first, since)
            await news.wait(self._patience)

    async def _note(self, message: Message, span: Span) -> None:
        async with self._ledger.entry() as entry:
            await entry.answers.note(message, span)
