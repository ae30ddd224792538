"""The routes of the REST channel: authenticate, check, hand on, and answer every refusal as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from channels.bodies import BodyTooLarge, BodyTooSlow, read_body, skip_body
from channels.rest_access import RestAccess
from channels.rest_answers import STATE_HEADER, RestAnswers
from channels.rest_events import RestEvents
from channels.rest_files import RestFiles
from channels.rest_refusals import (
    RestRefused,
    refuse_early,
    refuse_fault,
    refuse_guessing,
    refuse_pace,
    refuse_size,
    refuse_slow_body,
    refuse_unknown_conversation,
)
from channels.rest_requests import read_number, read_post, read_sender, read_wait
from channels.rest_strays import RestBlueprint
from channels.rest_wire import name_state, write_handoff
from handoff.concern import Concerning, note_concern
from handoff.errors import FileRefused
from handoff.flood import Buckets
from handoff.ledger import Ledger
from handoff.letters import Letters
from handoff.tasks import Tasks

log = structlog.get_logger(__name__)

Answer = HTTPResponse | None
Handler = Callable[..., Awaitable[Answer]]

GUESSES = 60  # refused tokens per minute and address that are answered and logged one by one
ENVELOPE = 64 * 1024  # bytes of a body besides its message
BYTES_PER_CHARACTER = 12  # an escaped emoji in JSON, which counts as one character
DEFAULT_WAIT = 25.0  # seconds of a long poll that does not say


@dataclass(frozen=True)
class RestDesk:
    """What the routes work with, once the assistant is loaded."""

    name: str
    ledger: Ledger
    access: RestAccess
    answers: RestAnswers
    files: RestFiles
    events: RestEvents
    letters: Letters | None
    tasks: Tasks
    message_limit: int
    words: Buckets
    looks: Buckets


class RestRoutes:
    """Answers 503 until it is opened."""

    def __init__(self) -> None:
        self._desk: RestDesk | None = None
        self._guesses = Buckets(GUESSES)

    def open(self, desk: RestDesk) -> None:
        """Begin to serve."""
        self._desk = desk

    def close(self) -> None:
        self._desk = None

    def blueprint(self, name: str) -> Blueprint:
        """The routes; functions of their own, as Sanic wants a name for each."""
        blueprint = RestBlueprint(name)

        @blueprint.get("/")
        async def report_health(_: Request[Any, Any]) -> HTTPResponse:
            return json({"status": "ok"}) if self._desk else refuse_early().answer()

        # Streamed, so that an oversized body is refused instead of being read whole.
        @blueprint.post("/webhook", stream=True)
        async def take_message(request: Request[Any, Any]) -> Answer:
            return await self._guard(self._take_message, request)

        @blueprint.get("/conversations/<sender:str>", unquote=True)
        async def show_conversation(request: Request[Any, Any], sender: str) -> Answer:
            return await self._guard(self._show_conversation, request, sender)

        @blueprint.post("/conversations/<sender:str>/files", unquote=True, stream=True)
        async def take_file(request: Request[Any, Any], sender: str) -> Answer:
            return await self._guard(self._take_file, request, sender)

        @blueprint.get("/conversations/<sender:str>/events", unquote=True)
        async def push(request: Request[Any, Any], sender: str) -> Answer:
            return await self._guard(self._push, request, sender)

        return blueprint

    async def _guard(self, handler: Handler, request: Request[Any, Any], *more: str) -> Answer:
        """Turn refusals into answers; once an answer has begun, an error only ends the connection."""
        with Concerning():
            return await self._try(handler, request, *more)

    async def _try(self, handler: Handler, request: Request[Any, Any], *more: str) -> Answer:
        try:
            if self._desk is None:
                raise refuse_early()
            return await handler(self._desk, request, *more)
        except RestRefused as refused:
            await skip_body(request)
            return self._refuse(request, refused)
        except Exception:
            log.exception("rest.failed")
            if request.stream and request.stream.response:
                raise
            return refuse_fault().answer()

    def _refuse(self, request: Request[Any, Any], refused: RestRefused) -> HTTPResponse:
        if refused.status == 401 and (wait := self._guesses.spend(request.ip)):
            return refuse_guessing(wait).answer()
        log.info("rest.refused", code=refused.code)
        return refused.answer()

    async def _take_message(self, desk: RestDesk, request: Request[Any, Any]) -> Answer:
        subject = desk.access.authenticate(request.headers.get("authorization", ""))
        limit = ENVELOPE + BYTES_PER_CHARACTER * desk.message_limit
        try:
            body = await read_body(request, limit)
        except BodyTooLarge:
            raise refuse_size(limit) from None
        except BodyTooSlow:
            raise refuse_slow_body() from None
        post = read_post(body, desk.name, desk.message_limit)
        await self._admit(desk, post.incoming.conversation, subject)
        _keep_pace(desk.words, post.incoming.conversation)
        try:
            if "respond-async" in request.headers.get("prefer", ""):
                return await desk.answers.accept(post)
            is_stream = request.args.get("stream", "").lower() == "true"
            await (desk.answers.stream if is_stream else desk.answers.answer)(request, post)
        except FileRefused as refused:
            raise await desk.files.explain(refused) from None
        finally:
            if desk.letters:
                desk.letters.kick(post.incoming.conversation)
        return None

    async def _take_file(self, desk: RestDesk, request: Request[Any, Any], sender: str) -> Answer:
        conversation = await self._enter(desk, request, sender)
        return json(await desk.files.take(request, conversation), status=201)

    async def _show_conversation(self, desk: RestDesk, request: Request[Any, Any], sender: str) -> Answer:
        conversation = await self._enter(desk, request, sender)
        return await desk.tasks.finish(_describe(desk.ledger, conversation), "describe")

    async def _push(self, desk: RestDesk, request: Request[Any, Any], sender: str) -> Answer:
        conversation = await self._enter(desk, request, sender)
        wait = read_wait(request.args.get("wait"))
        after = read_number(request.args.get("after"), "after")
        last = read_number(request.headers.get("last-event-id"), "Last-Event-ID")
        after = after if last is None else last
        if wait is not None or _wants_json(request):
            return await desk.events.poll(conversation, after, DEFAULT_WAIT if wait is None else wait)
        await desk.events.stream(request, conversation, after)
        return None

    async def _enter(self, desk: RestDesk, request: Request[Any, Any], sender: str) -> str:
        subject = desk.access.authenticate(request.headers.get("authorization", ""))
        conversation = read_sender(sender)
        await self._admit(desk, conversation, subject)
        _keep_pace(desk.looks, conversation)
        return conversation

    async def _admit(self, desk: RestDesk, conversation: str, subject: str | None) -> None:
        note_concern(conversation=conversation)
        await desk.tasks.finish(desk.access.admit(conversation, subject), "admit")


def _keep_pace(buckets: Buckets, conversation: str) -> None:
    if wait := buckets.spend(conversation):
        raise refuse_pace(wait)


def _wants_json(request: Request[Any, Any]) -> bool:
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/event-stream" not in accept


async def _describe(ledger: Ledger, conversation: str) -> HTTPResponse:
    async with ledger.entry() as entry:
        last = await entry.conversations.last_seq(conversation)
        newest = await entry.handoffs.newest_for(conversation)
    if not last:
        raise refuse_unknown_conversation()
    body = {"sender": conversation, "last_seq": last, "handoff": write_handoff(newest)}
    return json(body, headers={STATE_HEADER: name_state(newest)})
