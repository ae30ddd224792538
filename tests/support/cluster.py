"""Two servers in processes of their own behind nginx, on a PostgreSQL and a Redis of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chaos.history import read_events
from chaos.labels import Sentence
from chaos.lives import Lives
from chaos.run import migrate
from chaos.services import Services, find_missing, find_port
from chaos.stage import CLIENT, SECRET, Stage
from simulator import Simulator, SimulatorSettings
from tests.support.chat_client import ChatClient
from tests.support.chromium import give_up
from tests.support.waiting import eventually

TRACKERS = "trackers"  # the database of Rasa's tracker store
FOREVER = 60.0  # seconds until a life has to end by itself


@dataclass
class Server:
    """One of the processes, which lives, dies and is born again."""

    stage: Stage
    lives: Lives
    is_alive: bool = False

    @property
    def url(self) -> str:
        return self.stage.url

    @property
    def callback_url(self) -> str:
        return f"{self.url}/webhooks/servicenow/callback"

    async def begin(self, label: str | None = None) -> None:
        """A life that dies at a label, or stays; an earlier one ends."""
        await self.kill()
        assert await self.lives.begin(Sentence(label=label))
        self.is_alive = True

    async def kill(self) -> None:
        if self.is_alive:
            self.lives.kill()
            await self.wait_for_death()

    async def wait_for_death(self) -> None:
        assert await self.lives.wait(FOREVER), "nobody died"
        self.is_alive = False


@dataclass
class Cluster:
    """What a story is played with."""

    services: Services
    servers: list[Server]
    simulator: Simulator
    folder: Path
    clients: list[ChatClient] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where nginx listens."""
        return self.services.nginx.url

    async def join(self, url: str, session_id: str | None = None, last_seen: int = 0) -> ChatClient:
        client = ChatClient(url)
        self.clients.append(client)
        return await client.connect(session_id, last_seen)

    async def go_live(self, client: ChatClient, agent: str = "Dana"):
        before = len(self.simulator.chats)
        await client.say("agent please")
        await eventually(lambda: len(self.simulator.chats) > before, within=15)
        chat = self.simulator.chats[-1]
        await eventually(lambda: chat.state == "QUEUED", within=15)
        await self.simulator.accept(chat, agent=agent)
        await client.expect(agent)
        return chat

    def heard_by_bot(self, text: str) -> list[dict]:
        events = read_events([self.folder / "server.jsonl"])
        return [event for event in events if event["kind"] == "bot_heard" and event["text"] == text]


def connect_rasa(services: Services) -> dict[str, str]:
    """What endpoints.cluster.yml asks for: a tracker store in a database of its own, and the lock store."""
    services.postgres.make_database(TRACKERS)
    return {
        "RASA_DB_HOST": "127.0.0.1",
        "RASA_DB_PORT": str(services.postgres.port),
        "RASA_DB_NAME": TRACKERS,
        "RASA_DB_USER": "postgres",
        "RASA_DB_PASSWORD": "",
        "RASA_REDIS_HOST": "127.0.0.1",
        "RASA_REDIS_PORT": str(services.redis.port),
        "RASA_REDIS_DB": "0",
        "RASA_REDIS_PASSWORD": "",
    }


@asynccontextmanager
async def open_cluster(folder: Path, model: Path | None = None, **variables: str) -> AsyncIterator[Cluster]:
    """Skipped where a program is not installed. With a model, Rasa is in each process, else a simple bot."""
    if missing := find_missing():
        give_up(f"Not installed: {', '.join(missing)}")
    simulator = Simulator(
        SimulatorSettings(
            callback_secret=SECRET,
            client_id=CLIENT,
            client_secret=SECRET,
            callback_retries=600,
            callback_retry_delay=0.2,
        )
    )
    ports = [find_port(), find_port()]
    async with AsyncExitStack() as stack:
        desk_url = await stack.enter_async_context(simulator.serve())
        services = await Services.start(folder, ports, stack)
        urls = {"database_url": services.postgres.url, "redis_url": services.redis.url}
        more = {**(connect_rasa(services) if model else {}), **variables}
        stages = [Stage(folder, port, desk_url, model=model, more=more, **urls) for port in ports]
        await migrate(stages[0])
        servers = []
        for stage in stages:
            servers.append(Server(stage, await Lives.start(stage)))
            stack.push_async_callback(servers[-1].lives.stop)
        yield Cluster(services, servers, simulator, folder)
