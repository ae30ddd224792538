"""The web chat channel: Rasa's Socket.IO protocol, diverted to the desk while a handoff is open.

In ``credentials.yml``::

    channels.webchat.WebChat:
      cors_allowed_origins: [https://intranet.example.com]   # default: this server only
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sanic import Sanic

from channels.bridge import Bridge, Connect, follow_server, join_bridge, leave_bridge
from channels.browsers import Browsers
from channels.credentials import read_credentials
from channels.file_intake import WHOLE
from channels.file_routes import FileRoutes
from channels.page import add_page
from channels.rasa_api import (
    Bot,
    ChannelRefused,
    InputChannel,
    OutputChannel,
    RasaBot,
    RuntimeAgent,
)
from channels.sessions import SessionPolicy
from channels.socket_blueprint import SocketBlueprint
from channels.socket_server import make_socket_server
from channels.webchat_output import WebChatOutput
from channels.webchat_screen import WebChatScreen
from channels.webchat_sockets import WebChatSockets
from servicenow.backend import backend

NAME = "webchat"
OPTIONS = {"cors_allowed_origins", "socketio_path"}


class WebChat(InputChannel):  # type: ignore[misc]  # Rasa ships no types
    """Rasa's ``InputChannel`` for browsers; ``connect`` makes the backend once the server runs.

    ``bot`` stands in for the agent that Rasa hands over.
    """

    def __init__(
        self,
        *,
        socketio_path: str = "/socket.io",
        cors_allowed_origins: list[str] | str | None = None,
        connect: Connect = backend,
        bot: Bot | None = None,
        upload_patience: float = WHOLE,
    ) -> None:
        self.socketio_path = socketio_path
        self._connect = connect
        self._bot = bot
        self._bridge: Bridge | None = None
        self._server = make_socket_server(cors_allowed_origins)
        self._browsers = Browsers()
        self._sockets = WebChatSockets(NAME, self._server, self._browsers)
        self._files = FileRoutes(cors_allowed_origins, upload_patience)

    @classmethod
    def name(cls) -> str:
        return NAME

    @classmethod
    def from_credentials(cls, credentials: Mapping[str, Any] | None) -> WebChat:
        """Made by Rasa from ``credentials.yml``; the settings are checked here, before the model loads.

        Raises:
            ChannelRefused: a setting or an option is wrong; says which, and what to do.
        """
        options, _ = read_credentials(cls, credentials, OPTIONS)
        return cls(**options)

    def conversation_blueprint(self, agent: RuntimeAgent) -> None:
        """Rasa hands the agent over here; returning None makes it ask for ``blueprint`` next."""
        self._bot = self._bot or RasaBot(agent)

    def blueprint(self, on_new_message: Any) -> SocketBlueprint:
        """The routes: the socket, the page, the files, and Rasa's health check."""
        blueprint = SocketBlueprint(self._server, self.socketio_path, f"{NAME}_webhook", self._add_routes)
        blueprint.add_health_check(lambda: self._bridge is not None)
        follow_server(blueprint, self._start, self._stop)
        return blueprint

    def _add_routes(self, app: Sanic[Any, Any]) -> None:
        add_page(app)
        self._files.add(app)

    def get_output_channel(self) -> OutputChannel | None:
        """The channel's own way to push, with no turn of the requester."""
        return WebChatOutput(NAME, self._bridge.relay.delivery) if self._bridge else None

    async def _start(self, app: Sanic[Any, Any]) -> None:
        """After the agent has been loaded; a browser that connects earlier is told to come back."""
        if self._bot is None:
            raise ChannelRefused("The web chat was registered without Rasa's agent.")
        bridge = await join_bridge(app, self._connect, self._bot)
        screen = WebChatScreen(NAME, self._server, self._browsers, bridge)
        policy = SessionPolicy.from_settings(bridge.backend.settings, bridge.backend.ledger)
        self._sockets.open(bridge, screen, policy)
        self._files.open(bridge, screen, policy)
        bridge.connect(NAME, screen)
        self._bridge = bridge

    async def _stop(self, app: Sanic[Any, Any]) -> None:
        self._files.close()
        await self._sockets.close()
        await leave_bridge(app)
        self._bridge = None
