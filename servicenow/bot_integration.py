"""ServiceNow's Virtual Agent Bot Integration API as a desk.

One endpoint takes everything we say; what the live agent says comes back as callbacks
(``servicenow/callback.py``). Sections 2 to 8 and 21 of the reference in ``docs/servicenow.md``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO
from uuid import uuid4

import structlog

from handoff.content import read_question
from handoff.desk import Attachment, Confirming, DeskEvent, Line, Opened, Said, Utterance
from handoff.errors import DeskUnavailable, FileNotTaken
from handoff.handoff import Handoff
from handoff.settings import DeskFiles, History, Start
from servicenow.callback import parse_callback, read_identifiers
from servicenow.context_variables import write_person, write_variables
from servicenow.history import write_brief, write_items, write_object
from servicenow.http import Instance, Reply
from servicenow.instance_files import find_path
from servicenow.media import upload_file
from servicenow.patterns import PATTERNS, TextPatterns
from servicenow.requester import name_requester
from servicenow.transcript import TranscriptTables

log = structlog.get_logger(__name__)

PATH = "/api/sn_va_as_service/bot/integration"
FILES = "/api/now/v1/cs/media"  # the API whose budget fetching a file uses
OPENING_STEPS = 4  # requests that START_THEN_AGENT may send before it must have got through
TYPING_PAUSE = 3.0  # seconds between two "is typing" of one handoff (reference section 21, rule 10)


class BotIntegrationDesk:
    """Implements ``AgentDesk``, ``InformedDesk``, ``RecordedDesk`` and ``FileDesk`` (``handoff/desk.py``)."""

    def __init__(
        self,
        instance: Instance,
        *,
        start: Start = Start.CREATE_START,
        history: History = History.ITEMS,
        app_inbound_id: str | None = None,
        wants_ticks: bool = False,
        files: DeskFiles = DeskFiles.SIGNED_URL,
        provider_application: str | None = None,
        variables: Mapping[str, str] | None = None,
        patterns: TextPatterns = PATTERNS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._instance = instance
        self._start = start
        self._history = history
        self._app_inbound_id = app_inbound_id
        self.wants_ticks = wants_ticks
        self._files = files
        self._provider_application = provider_application
        self._variables = variables or {}
        self._patterns = patterns
        self._now = now
        self._typed_at: dict[str, float] = {}

    def name_requester(self, conversation: str) -> str:
        return name_requester(conversation)

    async def open(self, handoff: Handoff, history: Sequence[Utterance]) -> Opened:
        lines = self._write_history(handoff, history)
        person = write_person(handoff.context)
        variables = write_variables(handoff.context, self._variables)
        at_once = {**person, "contextVariables": {**variables, **_live_agent_only(handoff)}}
        match self._start:
            case Start.CREATE_START:
                return await self._create_and_start(handoff, lines, at_once)
            case Start.LIVE_AGENT_ONLY:
                # On a synchronous channel the answer has what would be called back (section 5).
                started = await self._ask(handoff, "START_CONVERSATION", **at_once, **lines)
                return Opened(chat_id=read_identifiers(started.body), events=self._read_events(started.body))
            case Start.START_THEN_AGENT:
                asked = {**person, "contextVariables": variables or None, **lines}
                await self._ask(handoff, "START_CONVERSATION", **asked)
        return Opened()

    def answers(self, handoff: Handoff, event: DeskEvent) -> bool:
        """What Virtual Agent greets with, whatever it is, and whether a live agent is wanted.

        Any other question, once it was asked for a live agent, is for the requester.
        """
        if self._start is not Start.START_THEN_AGENT or handoff.opening_step >= OPENING_STEPS:
            return False
        is_greeting = handoff.opening_step == 0
        is_question = isinstance(event, Said) and read_question(event.content or {}) is not None
        return isinstance(event, Confirming) or (isinstance(event, Said) and (is_greeting or not is_question))

    async def proceed(self, handoff: Handoff, event: DeskEvent) -> bool:
        """Answer Virtual Agent's greeting with AGENT, and its question with the choice it offers.

        A first AGENT may only bring another greeting (section 17, item 3), so it is repeated,
        a bounded number of times; the deadline of ``requested`` bounds the rest.
        """
        if not self.answers(handoff, event):
            return False
        match event:
            case Confirming(choice=choice):
                await self._ask(handoff, None, message={"text": choice, "typed": False})
            case Said():
                await self._ask(handoff, "AGENT", message={"text": "", "typed": True})
            case _:
                return False
        return True

    async def send(self, handoff: Handoff, message_id: str, text: str, *, typed: bool = True) -> None:
        self._typed_at.pop(handoff.id, None)
        message = {"text": text, "typed": typed, "clientMessageId": message_id}
        await self._ask(handoff, None, request_id=message_id, message=message)

    @property
    def takes_files(self) -> bool:
        return self._files is not DeskFiles.NONE

    async def hand_in(self, handoff: Handoff, attachment: Attachment) -> str | None:
        """Uploaded where that is chosen; else the instance fetches the file by its signed link."""
        if self._files is not DeskFiles.UPLOAD:
            return None
        return await upload_file(self._instance, handoff, attachment, self._provider_application)

    async def attach(self, handoff: Handoff, message_id: str, attachment: Attachment) -> None:
        """Section 9; no ``headers``, as every callback echoes them, and no text beside the file."""
        self._typed_at.pop(handoff.id, None)
        file = {
            "url": attachment.reference or attachment.url,
            "contentType": attachment.content_type,
            "fileName": attachment.name,
            "clientAttachmentId": attachment.id,
        }
        message = {"typed": True, "clientMessageId": message_id, "attachment": file}
        await self._ask(handoff, None, request_id=message_id, message=message)

    async def fetch_file(self, address: str, target: BinaryIO, limit: int) -> str | None:
        """From the instance only, with our credentials: where such a file needs none they do no harm."""
        path = find_path(address, self._instance.url)
        if path is None:
            raise FileNotTaken("not a file of the instance")
        return await self._instance.download(path, FILES, target, limit)

    async def type(self, handoff: Handoff, *, on: bool) -> None:
        """TYPING and VIEWING; dropped too soon after the last TYPING, and where the rate limit is near."""
        if not self._instance.budget(PATH).can_spare:
            return
        if on and self._now() - self._typed_at.get(handoff.id, 0.0) < TYPING_PAUSE:
            return
        if on:
            self._typed_at = {
                key: at for key, at in self._typed_at.items() if self._now() - at < TYPING_PAUSE
            }
            self._typed_at[handoff.id] = self._now()
        else:
            self._typed_at.pop(handoff.id, None)
        await self._ask(handoff, "TYPING" if on else "VIEWING")

    async def report(self, handoff: Handoff, shown: Sequence[str], failed: Sequence[str]) -> None:
        """UPDATE_MESSAGES: a double tick, or a mark of failure; needs ``third_party_chat`` (section 4)."""
        message = [{"id": desk_id, "status": "sent_to_user"} for desk_id in shown]
        message += [{"id": desk_id, "status": "external_error"} for desk_id in failed]
        request = self._write_request(handoff, "UPDATE_MESSAGES", None, {"message": message})
        reply = await self._instance.post(PATH, request)
        if not isinstance(reply.body, str):  # its answer is a sentence (section 3)
            _require_success(reply)

    async def read_transcript(self, handoff: Handoff) -> Sequence[Line]:
        return await TranscriptTables(self._instance).read(handoff)

    async def end(self, handoff: Handoff) -> None:
        """END_CONVERSATION; its text has to be empty."""
        self._typed_at.pop(handoff.id, None)
        await self._ask(handoff, "END_CONVERSATION", message={"text": "", "typed": True})

    async def close(self) -> None:
        await self._instance.close()

    # -- inside -----------------------------------------------------------------------

    async def _create_and_start(
        self, handoff: Handoff, lines: dict[str, Any], at_once: dict[str, Any]
    ) -> Opened:
        """The newest way: the ids come with the answers, before anything can be called back."""
        created = await self._ask(handoff, "CREATE_CONVERSATION", syncResponse=True, **at_once)
        if lines:
            await self._ask(handoff, "SEND_HISTORY", **lines)
        started = await self._ask(handoff, "START_CREATED_CONVERSATION", syncResponse=True, **at_once)
        events = self._read_events(started.body)
        return Opened(chat_id=read_identifiers(created.body) or read_identifiers(started.body), events=events)

    def _read_events(self, body: Any) -> tuple[DeskEvent, ...]:
        if not isinstance(body, dict):
            return ()
        return parse_callback(body, self._patterns, instance_url=self._instance.url).events

    async def _ask(
        self, handoff: Handoff, action: str | None, *, request_id: str | None = None, **fields: Any
    ) -> Reply:
        reply = await self._instance.post(
            PATH, self._write_request(handoff, action, request_id, fields), chat=handoff.id
        )
        _require_success(reply)
        return reply

    def _write_request(
        self, handoff: Handoff, action: str | None, request_id: str | None, fields: dict[str, Any]
    ) -> dict[str, Any]:
        """Section 2.2. Absent keys are left out: an ``attachment`` of null once hid the text (section 17)."""
        body = {
            "requestId": request_id or str(uuid4()),
            "clientSessionId": handoff.id,
            "userId": handoff.live_chat_user,
            "timestamp": int(self._now() * 1000),
            "clientVariables": {"handoff": handoff.id},
            "appInboundId": self._app_inbound_id,
            "action": action,
            **fields,
        }
        return {key: value for key, value in body.items() if value is not None}

    def _write_history(self, handoff: Handoff, history: Sequence[Utterance]) -> dict[str, Any]:
        """Section 2.2, in the form that the settings name; nothing where nothing was said."""
        match self._history:
            case History.ITEMS:
                items = write_items(handoff.summary, history, self._now())
                return {"history": items} if items else {}
            case History.OBJECT:
                item = write_object(handoff.summary, history, self._now())
                return {"history": item} if item else {}
        text = write_brief(handoff.summary, history)
        return {"message": {"text": text, "typed": True}} if text else {}


def _live_agent_only(handoff: Handoff) -> dict[str, str]:
    """Section 2.3: route to Agent Chat at once, and put our id on the interaction."""
    return {"live_agent_only": "true", "interaction_client_session_id": handoff.id}


def _require_success(reply: Reply) -> None:
    """Section 3: success is 2xx *and* ``status`` success; synchronous answers carry no status.

    A ``failure`` means that the inbound queue did not take the request, which may pass. A web
    page instead of JSON is what a hibernating instance answers.
    """
    if isinstance(reply.body, str):
        if reply.body.lstrip().startswith("<"):
            raise DeskUnavailable("ServiceNow answered with a web page instead of JSON")
        log.info("desk.answer_unparsed", status=reply.status)
        return
    if isinstance(reply.body, dict) and reply.body.get("status", "success") != "success":
        error = reply.body.get("error")
        reason = error.get("message") if isinstance(error, dict) else None
        raise DeskUnavailable(f"ServiceNow did not queue the request: {reason}")
