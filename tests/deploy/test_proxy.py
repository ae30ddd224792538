"""nginx itself with the configuration of `deploy/`, in front of our channels."""

import asyncio
import re
import subprocess
import time
from contextlib import asynccontextmanager

import aiohttp
import pytest
import socketio

from chaos.services import NginxService, ServiceMissing, find_program
from tests.support.chromium import give_up
from tests.support.stage import play

SITE = "helpdesk.example.com"


@asynccontextmanager
async def behind_nginx(folder, stage, **instead: str):
    """``instead``: other values for directives of the configuration."""
    port = int(stage.url.rpartition(":")[2])
    nginx = NginxService([port], folder / "nginx", folder / "nginx.log")
    config = folder / "nginx" / "nginx.conf"
    for directive, value in instead.items():
        written, count = re.subn(rf"{directive} \S+;", f"{directive} {value};", config.read_text())
        assert count == 1, directive
        config.write_text(written)
    await nginx.start()
    try:
        yield nginx
    finally:
        await nginx.stop()


@pytest.fixture(autouse=True)
def _nginx():
    try:
        find_program("nginx")
    except ServiceMissing as missing:
        give_up(str(missing))


def test_nginx_takes_the_configuration(tmp_path):
    NginxService([5005, 5006], tmp_path / "nginx", tmp_path / "nginx.log")
    config = tmp_path / "nginx" / "nginx.conf"
    good = subprocess.run(look_at(config), capture_output=True, text=True)
    assert (good.returncode, "warn" in good.stderr) == (0, False), good.stderr
    config.write_text(config.read_text().replace("least_conn;", "least_con;"))
    assert subprocess.run(look_at(config), capture_output=True).returncode == 1


async def test_a_browser_is_let_in_where_tls_ends_in_front_of_nginx(tmp_path):
    async with play(tmp_path) as stage, behind_nginx(tmp_path, stage) as nginx:
        assert await may_connect(nginx.url, Origin=f"https://{SITE}", **{"X-Forwarded-Proto": "https"})
        assert await may_connect(nginx.url, Origin=f"http://{SITE}")
        assert not await may_connect(nginx.url, Origin=f"https://{SITE}")
        assert not await may_connect(
            nginx.url, Origin="https://elsewhere.example.com", **{"X-Forwarded-Proto": "https"}
        )


async def test_a_head_that_trickles_is_ended_though_each_byte_comes_in_time(tmp_path):
    async with play(tmp_path) as stage, behind_nginx(tmp_path, stage, client_header_timeout="1s") as nginx:
        reader, writer = await asyncio.open_connection("127.0.0.1", nginx.port)
        began = time.monotonic()
        trickle = asyncio.create_task(
            drip(writer, b"GET /chat/ HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * 600)
        )
        try:
            await asyncio.wait_for(reader.read(), 20)  # answered, or ended without a word
        finally:
            trickle.cancel()
            writer.close()
        assert 0.9 < time.monotonic() - began < 10


async def drip(writer: asyncio.StreamWriter, text: bytes) -> None:
    for byte in text:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def may_connect(url: str, **headers: str) -> bool:
    async with aiohttp.ClientSession() as session:
        socket = socketio.AsyncClient(reconnection=False, http_session=session)
        try:
            await socket.connect(url, headers={"Host": SITE, **headers}, transports=["websocket"])
        except socketio.exceptions.ConnectionError:
            return False
        await socket.disconnect()
        return True


def look_at(config) -> list[str]:
    log = config.with_name("error.log")
    return [find_program("nginx"), "-t", "-p", str(config.parent), "-e", str(log), "-c", str(config)]
