"""The REST channel: Rasa's ``/webhooks/rest/webhook``, diverted to the desk while a handoff is open.

In ``credentials.yml``::

    channels.rest.HandoffRest:
      webhook_url: https://helpdesk.example.com/rasa   # optional: where to POST what is said

How clients use it: ``docs/rest-channel.md``. Every request and answer: ``docs/openapi/rest.yml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sanic import Blueprint, Sanic

from channels.bridge import Bridge, Connect, follow_server, join_bridge, leave_bridge
from channels.credentials import read_credentials
from channels.rasa_api import Bot, ChannelRefused, InputChannel, OutputChannel, RasaBot, RuntimeAgent
from channels.rest_access import RestAccess
from channels.rest_answers import RestAnswers
from channels.rest_events import HEART_BEAT, RestEvents
from channels.rest_files import RestFiles
from channels.rest_listeners import Kind, Listeners
from channels.rest_output import RestOutput
from channels.rest_reader import RestReader
from channels.rest_routes import RestDesk, RestRoutes
from channels.rest_screen import RestScreen
from channels.rest_webhook import RestWebhook, find_url_problem
from handoff.flood import Buckets
from handoff.handoff import utc_now
from handoff.letters import FIRST_WAIT, Letters
from handoff.message import Message
from handoff.settings import Settings
from servicenow.backend import backend

NAME = "rest"
OPTIONS = {"webhook_url"}
LOOKS_PER_MESSAGE = 10  # polls, streams and other questions of a sender, for each message it may write


class HandoffRest(InputChannel):  # type: ignore[misc]  # Rasa ships no types
    """Rasa's ``InputChannel`` for systems that hold the conversation themselves.

    ``connect`` makes the backend once the server runs; ``bot`` stands in for the agent that Rasa
    hands over. ``heart_beat`` and ``first_wait`` are seconds.
    """

    def __init__(
        self,
        *,
        webhook_url: str | None = None,
        connect: Connect = backend,
        bot: Bot | None = None,
        heart_beat: float = HEART_BEAT,
        first_wait: float = FIRST_WAIT,
    ) -> None:
        self._webhook_url = webhook_url
        self._connect = connect
        self._bot = bot
        self._heart_beat = heart_beat
        self._first_wait = first_wait
        self._bridge: Bridge | None = None
        self._webhook: RestWebhook | None = None
        self._listeners = Listeners()
        self._routes = RestRoutes()

    @classmethod
    def name(cls) -> str:
        return NAME

    @classmethod
    def from_credentials(cls, credentials: Mapping[str, Any] | None) -> HandoffRest:
        """Made by Rasa from ``credentials.yml``; the settings are checked here, before the model loads.

        Raises:
            ChannelRefused: a setting or an option is wrong; says which, and what to do.
        """
        options, settings = read_credentials(cls, credentials, OPTIONS)
        _check_webhook(options.get("webhook_url"), settings)
        return cls(**options)

    def conversation_blueprint(self, agent: RuntimeAgent) -> None:
        """Rasa hands the agent over here; returning None makes it ask for ``blueprint`` next."""
        self._bot = self._bot or RasaBot(agent)

    def blueprint(self, on_new_message: Any) -> Blueprint:
        blueprint = self._routes.blueprint(f"{NAME}_webhook")
        follow_server(blueprint, self._start, self._stop)
        return blueprint

    def get_output_channel(self) -> OutputChannel | None:
        """The channel's own way to push, with no turn of the requester."""
        return RestOutput(NAME, self._bridge.relay.delivery) if self._bridge else None

    async def _start(self, app: Sanic[Any, Any]) -> None:
        if self._bot is None:
            raise ChannelRefused("The REST channel was registered without Rasa's agent.")
        bridge = self._bridge = await join_bridge(app, self._connect, self._bot)
        settings, ledger = bridge.backend.settings, bridge.backend.ledger
        reader = RestReader(ledger, bridge.bot, NAME, bridge.backend.cabinet.links)
        letters = self._make_letters(bridge, reader)
        answers = RestAnswers(bridge, reader, self._listeners, bridge.tasks, settings.handoff_rest_patience)
        events = RestEvents(bridge, reader, self._listeners, bridge.tasks, heart_beat=self._heart_beat)
        bridge.before_stop(self._leave)
        bridge.connect(NAME, RestScreen(NAME, bridge.relay.delivery, self._listeners, letters))
        access = RestAccess.from_settings(settings, ledger)
        self._routes.open(
            RestDesk(
                name=NAME,
                ledger=ledger,
                access=access,
                answers=answers,
                files=RestFiles(bridge, NAME),
                events=events,
                letters=letters,
                tasks=bridge.tasks,
                message_limit=settings.handoff_message_limit,
                words=Buckets(settings.handoff_sender_limit),
                looks=Buckets(settings.handoff_sender_limit * LOOKS_PER_MESSAGE),
            )
        )

    def _make_letters(self, bridge: Bridge, reader: RestReader) -> Letters | None:
        secret = bridge.backend.settings.handoff_rest_webhook_secret
        if not self._webhook_url or not secret:
            return None
        webhook = self._webhook = RestWebhook(self._webhook_url, secret.get_secret_value(), utc_now)

        async def post(message: Message) -> None:
            await webhook.post(message.id, await reader.write(message))

        letters = Letters(
            bridge.backend.ledger,
            NAME,
            post,
            lambda conversation: self._listeners.has(conversation, Kind.ANSWER),
            bridge.backend.settings.handoff_rest_webhook_deadline,
            bridge.tasks,
            first_wait=self._first_wait,
        )
        bridge.tasks.spawn(letters.watch(), "letters")
        return letters

    async def _stop(self, app: Sanic[Any, Any]) -> None:
        await leave_bridge(app)
        if self._webhook:
            await self._webhook.close()
        self._bridge = None

    def _leave(self) -> None:
        """Take nothing more in, and let those go who wait."""
        self._routes.close()
        self._listeners.close()


def _check_webhook(url: Any, settings: Settings) -> None:
    """An address needs a secret, as its receiver has to know who speaks as a live agent.

    Raises:
        ChannelRefused: saying what is wrong.
    """
    if url is None:
        return
    if problem := find_url_problem(url):
        raise ChannelRefused(f"credentials.yml: webhook_url of {HandoffRest.__module__} {problem}.")
    if not settings.handoff_rest_webhook_secret:
        raise ChannelRefused(
            "HANDOFF_REST_WEBHOOK_SECRET is not set, but webhook_url in credentials.yml needs it: "
            "what is posted there is signed with it."
        )
