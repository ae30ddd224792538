"""PostgreSQL, Redis and nginx of a run's own: on free ports, in folders of their own, ended with it.

Those of the machine are never touched.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import psycopg2

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "deploy" / "nginx" / "nginx.conf.template"
PATIENCE = 30.0  # seconds for a service to answer, or to stop
OWNER = "postgres"  # PostgreSQL refuses to run as root


class ServiceMissing(RuntimeError):
    """A program is not installed; says which."""


def find_program(name: str) -> str:
    """Its path; Debian keeps servers where only root's path leads.

    Raises:
        ServiceMissing: it is not installed.
    """
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/sbin")]
    found = shutil.which(name) or next((str(f / name) for f in folders if (f / name).exists()), None)
    if found is None:
        raise ServiceMissing(f"{name} is not installed")
    return found


def find_missing() -> list[str]:
    """The programs that a cluster needs and that are not installed."""
    missing = []
    for name in ("postgres", "initdb", "redis-server", "nginx"):
        try:
            find_program(name)
        except ServiceMissing:
            missing.append(name)
    return missing


class Service:
    """A program that is started, ended in one way or another, and started again with the same data."""

    def __init__(
        self, name: str, command: Sequence[str], port: int, log: Path, user: str | None = None
    ) -> None:
        self.name = name
        self.port = port
        self._command = command
        self._log = log
        self._identity: dict[str, Any] = {"user": user, "group": user, "extra_groups": []} if user else {}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns once it can be connected to."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL, **self._identity
            )
        deadline = time.monotonic() + PATIENCE
        while not await asyncio.to_thread(self._answers):
            if self._process.returncode is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start; see {self._log}")
            await asyncio.sleep(0.05)

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it by a signal of its choice, and kill it where it does not end."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(how)
        try:
            await asyncio.wait_for(self._process.wait(), PATIENCE)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def restart(self, how: signal.Signals, away: float = 0.0) -> None:
        """Stop and start again, with so many seconds in between."""
        await self.stop(how)
        await asyncio.sleep(away)
        await self.start()

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


class PostgresService(Service):
    """A server with one database, ``handoff``; SIGINT ends it in order, SIGQUIT as a crash."""

    def __init__(self, log: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="chaos-postgres-"))
        user = OWNER if os.getuid() == 0 else None
        if user:
            shutil.chown(self._folder, user, user)
        port = find_port()
        # A kill is no power cut, so what was written is there; fsync would only cost the run its pace.
        options = ("-c", "fsync=off", "-c", "max_connections=200", "-c", "listen_addresses=127.0.0.1")
        data = str(self._folder / "data")
        command = [find_program("postgres"), "-D", data, "-p", str(port), "-k", str(self._folder), *options]
        super().__init__("PostgreSQL", command, port, log, user)

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/handoff"

    async def make(self) -> None:
        """Make the data folder, start, make the database."""
        command = [
            find_program("initdb"),
            "-D",
            str(self._folder / "data"),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-N",
        ]
        making = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, cwd=self._folder, **self._identity
        )
        if await making.wait():
            raise RuntimeError("initdb failed")
        await self.start()
        await asyncio.to_thread(self.make_database, "handoff")

    def make_database(self, name: str) -> None:
        """One more, which is empty; ``name`` is a plain word."""
        connection = psycopg2.connect(self.url.replace("/handoff", "/postgres"))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        connection.close()

    async def remove(self) -> None:
        await self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        """It listens before it lets anybody in."""
        try:
            psycopg2.connect(self.url.replace("/handoff", "/postgres"), connect_timeout=1).close()
        except psycopg2.Error:
            return False
        return True


class RedisService(Service):
    """A server that keeps nothing."""

    def __init__(self, log: Path) -> None:
        port = find_port()
        options = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", tempfile.gettempdir())
        super().__init__("Redis", [find_program("redis-server"), "--port", str(port), *options], port, log)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


class NginxService(Service):
    """nginx with the configuration of ``deploy/``, before some servers."""

    def __init__(self, servers: Sequence[int], folder: Path, log: Path) -> None:
        port = find_port()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "nginx.conf"
        config.write_text(write_nginx_config(port, servers, folder))
        command = [
            find_program("nginx"),
            "-p",
            str(folder),
            "-e",
            str(folder / "error.log"),
            "-c",
            str(config),
        ]
        super().__init__("nginx", command, port, log)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Services:
    """What a cluster of servers needs around it."""

    def __init__(self, postgres: PostgresService, redis: RedisService, nginx: NginxService) -> None:
        self.postgres = postgres
        self.redis = redis
        self.nginx = nginx

    @classmethod
    async def start(cls, folder: Path, servers: Sequence[int], stack: AsyncExitStack) -> Services:
        """Start them all; they end with ``stack``, nginx first."""
        postgres, redis = PostgresService(folder / "postgres.log"), RedisService(folder / "redis.log")
        nginx = NginxService(servers, folder / "nginx", folder / "nginx.log")
        stack.push_async_callback(postgres.remove)
        await postgres.make()
        for service in (redis, nginx):
            stack.push_async_callback(service.stop, signal.SIGTERM)
            await service.start()
        return cls(postgres, redis, nginx)


def write_nginx_config(port: int, servers: Sequence[int], folder: Path) -> str:
    """A whole configuration around the template, in the foreground, which writes to one folder only."""
    upstreams = " ".join(f"server 127.0.0.1:{one} max_fails=1 fail_timeout=1s;" for one in servers)
    inner = TEMPLATE.read_text().replace("${HANDOFF_LISTEN}", f"127.0.0.1:{port}")
    inner = inner.replace("${HANDOFF_SERVERS}", upstreams)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "\n".join(f"    {kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;\n" if os.getuid() == 0 else ""
    return (
        f"{user}daemon off;\npid {folder}/nginx.pid;\nworker_processes 1;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{\n    access_log off;\n{folders}\n{inner}\n}}\n"
    )


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
