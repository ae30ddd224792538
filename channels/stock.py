"""Rasa's own channels, diverted to the desk while a handoff is open.

In ``credentials.yml``, with the keys that Rasa's channel of that name takes::

    channels.stock.slack:
      slack_token: ${SLACK_TOKEN}
      slack_signing_secret: ${SLACK_SIGNING_SECRET}

and for a channel class of your own::

    channels.stock.HandoffChannel:
      channel: my_channels.MyInput      # its other keys follow

Which of Rasa's channels can be diverted, and what each can and cannot: ``docs/other-channels.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sanic import Blueprint, HTTPResponse, Request, Sanic

from channels.bridge import Bridge, Connect, follow_server, join_bridge, leave_bridge
from channels.credentials import check_settings
from channels.platform import Platform
from channels.rasa_api import (
    Bot,
    ChannelRefused,
    InputChannel,
    OutputChannel,
    RasaBot,
    RuntimeAgent,
    find_channel,
)
from channels.stock_drawing import StockDrawing
from channels.stock_intake import StockIntake
from channels.stock_output import StockOutput
from channels.stock_screen import StockPost, StockScreen
from handoff.letters import FIRST_WAIT, Letters
from handoff.message import Receipt
from servicenow.backend import backend

CAN_PUSH = ("facebook", "rocketchat", "slack", "telegram", "twilio", "webexteams")
CANNOT = {
    "rest": "use channels.rest.HandoffRest instead",
    "socketio": "use channels.webchat.WebChat instead",
    "callback": "use channels.rest.HandoffRest with webhook_url instead, which repeats what was not taken",
    "hangouts": "it can only speak in the answer to a message",
    "mattermost": "it cannot write first, as it offers no output channel outside a message",
    "botframework": "it cannot write first, as it offers no output channel outside a message",
}


class HandoffChannel(InputChannel):  # type: ignore[misc]  # Rasa ships no types
    """A stock channel with our fork in place of Rasa's agent; its routes, keys and name stay.

    ``connect`` makes the backend once the server runs; ``bot`` stands in for the agent that Rasa
    hands over. ``first_wait`` is in seconds.
    """

    kind: str | None = None  # Rasa's name of the stock channel, in the classes of ``__getattr__``

    def __init__(
        self,
        stock: InputChannel,
        *,
        connect: Connect = backend,
        bot: Bot | None = None,
        first_wait: float = FIRST_WAIT,
    ) -> None:
        self._platform = _find_platform(stock)
        self._connect = connect
        self._bot = bot
        self._first_wait = first_wait
        self._intake = StockIntake(self._platform)
        self._bridge: Bridge | None = None

    def name(self) -> str:
        """By instance, other than in Rasa: this class stands for many channels."""
        return str(self._platform.stock.name())

    @classmethod
    def from_credentials(cls, credentials: Mapping[str, Any] | None) -> HandoffChannel:
        """Made by Rasa from ``credentials.yml``; the settings are checked here, before the model loads.

        Raises:
            ChannelRefused: a setting is wrong, or the channel cannot be diverted; says why.
        """
        check_settings()
        options = dict(credentials or {})
        kind = cls.kind or options.pop("channel", None)
        if not isinstance(kind, str):
            raise ChannelRefused(
                "credentials.yml: channels.stock.HandoffChannel needs channel, a class's path."
            )
        return cls(_find_stock(kind).from_credentials(options or None))

    def url_prefix(self) -> str:
        return str(self._platform.stock.url_prefix())

    def conversation_blueprint(self, agent: RuntimeAgent) -> None:
        """Rasa hands the agent over here; returning None makes it ask for ``blueprint`` next."""
        self._bot = self._bot or RasaBot(agent)

    def blueprint(self, on_new_message: Any) -> Blueprint:
        blueprint: Blueprint = self._platform.stock.blueprint(self._intake.hear)
        _confirm_answers(blueprint, self._intake)
        follow_server(blueprint, self._start, self._stop)
        return blueprint

    def get_output_channel(self) -> OutputChannel | None:
        """The channel's own way to push, with no turn of the requester."""
        return StockOutput(self.name(), self._bridge.relay.delivery) if self._bridge else None

    async def _start(self, app: Sanic[Any, Any]) -> None:
        if self._bot is None:
            raise ChannelRefused(f"The channel {self.name()} was registered without Rasa's agent.")
        bridge = self._bridge = await join_bridge(app, self._connect, self._bot)
        bridge.before_stop(self._intake.close)
        letters = self._make_letters(bridge)
        bridge.connect(self.name(), StockScreen(self.name(), bridge.relay.delivery, letters))
        self._intake.open(bridge)

    def _make_letters(self, bridge: Bridge) -> Letters:
        drawing = StockDrawing(self._platform, bridge.bot)
        links = bridge.backend.cabinet.links
        post = StockPost(self._platform, bridge.backend.ledger, drawing, links)
        letters = Letters(
            bridge.backend.ledger,
            self.name(),
            post.post,
            lambda _conversation: False,
            bridge.backend.settings.handoff_channel_deadline,
            bridge.tasks,
            first_wait=self._first_wait,
            receipt=Receipt.SENT,
        )
        bridge.tasks.spawn(letters.watch(), "letters")
        return letters

    async def _stop(self, app: Sanic[Any, Any]) -> None:
        self._intake.close()
        await leave_bridge(app)
        await self._platform.close()
        self._bridge = None


def _confirm_answers(blueprint: Blueprint, intake: StockIntake) -> None:
    """In a function of its own, as Sanic keeps bound methods as middleware but does not call them."""

    async def confirm(request: Request[Any, Any], response: HTTPResponse) -> HTTPResponse | None:
        return await intake.confirm(request, response)

    blueprint.middleware(confirm, "response")


def __getattr__(name: str) -> type[HandoffChannel]:
    """``channels.stock.<name>``: the class for one of Rasa's channels, as ``credentials.yml`` names it."""
    if name not in CAN_PUSH and name not in CANNOT:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return type(name, (HandoffChannel,), {"kind": name, "__module__": __name__})


def _find_stock(kind: str) -> type[InputChannel]:
    """The channel's class, ours where it needs an option more.

    Raises:
        ChannelRefused: it cannot push, or is not there; says what to do.
    """
    if kind in CANNOT:
        raise ChannelRefused(f"credentials.yml: {kind} cannot be diverted: {CANNOT[kind]}.")
    found = find_channel(kind)
    if kind == "slack":
        from channels.platform_slack import SlackChannel

        return SlackChannel
    if kind == "telegram":
        from channels.platform_telegram import TelegramChannel

        return TelegramChannel
    return found


def _find_platform(stock: InputChannel) -> Platform:
    """Their packages are there only where the channel is used."""
    if stock.name() == "slack":
        from channels.platform_slack import SlackPlatform

        return SlackPlatform(stock)
    if stock.name() == "telegram":
        from channels.platform_telegram import TelegramPlatform

        return TelegramPlatform(stock)
    return Platform(stock)
