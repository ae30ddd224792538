"""A channel that answers its platform only after the message was handled: Telegram's, against a Bot API."""

from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import count

import aiohttp
import pytest
from aiohttp import web

from channels.platform_telegram import TelegramChannel
from channels.stock import HandoffChannel
from tests.support.stage import play
from tests.support.waiting import eventually

TOKEN = "123456:AAtest"


class FakeTelegram:
    """A Bot API server: `getMe` and `sendMessage`; `failures` come first."""

    def __init__(self) -> None:
        self.posts: list[dict] = []
        self.failures: list[web.Response] = []
        self.url = ""

    @asynccontextmanager
    async def serve(self):
        app = web.Application()
        app.router.add_post(f"/bot{TOKEN}/{{method}}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        if request.match_info["method"] == "getMe":
            me = {"id": 1, "is_bot": True, "first_name": "Help", "username": "helpbot"}
            return web.json_response({"ok": True, "result": me})
        if self.failures:
            return self.failures.pop(0)
        posted = dict(await request.post())
        self.posts.append(posted)
        chat = {"id": int(posted["chat_id"]), "type": "private"}
        sent = {"message_id": len(self.posts), "date": 1, "chat": chat, "text": posted["text"]}
        return web.json_response({"ok": True, "result": sent})

    @property
    def texts(self) -> list[str]:
        return [post["text"] for post in self.posts]


class TelegramUser:
    channel = "telegram"
    session_id = "4711"

    def __init__(self, telegram: FakeTelegram, url: str) -> None:
        self._telegram = telegram
        self._url = f"{url}/webhooks/telegram/webhook"
        self._numbers = count(1)

    async def say(self, text: str, update_id: int | None = None) -> int:
        number = update_id or next(self._numbers)
        chat = {"id": int(self.session_id), "type": "private"}
        message = {"message_id": number, "date": 1, "chat": chat, "text": text}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._url, json={"update_id": number, "message": message}) as answer,
        ):
            return answer.status

    async def expect(self, text: str) -> None:
        await eventually(lambda: any(text in said for said in self._telegram.texts), within=20)


@pytest.fixture
async def telegram():
    async with FakeTelegram().serve() as server:
        yield server


@pytest.fixture
async def stage(tmp_path, telegram):
    keys = {"access_token": TOKEN, "verify": "helpbot", "webhook_url": "https://example.com/x"}

    def make(connect, bot):
        stock = TelegramChannel.from_credentials({**keys, "telegram_api_url": telegram.url})
        return [HandoffChannel(stock, connect=connect, bot=bot, first_wait=0.05)]

    async with play(tmp_path, stock=make) as running:
        yield running


@pytest.fixture
def user(stage, telegram):
    return TelegramUser(telegram, stage.url)


async def test_from_the_bot_to_a_live_agent_and_back(stage, user):
    assert await user.say("hello") == 200
    await user.expect("echo: hello")
    chat = await stage.go_live(user)
    await user.say("It is a notebook")
    await stage.desk_heard(chat, "It is a notebook")
    await stage.simulator.say(chat, "Hold the power button")
    await user.expect("Dana: Hold the power button")
    await user.say("/end_chat")
    await user.expect("flow: live_agent_ended")
    await user.say("hello again")
    await user.expect("echo: hello again")


async def test_an_update_that_comes_again_is_handled_once(stage, user):
    for _ in range(2):
        assert await user.say("hello", update_id=7) == 200
    await user.say("done", update_id=8)
    await user.expect("echo: done")
    assert stage.bot.heard == ["hello", "done"]


async def test_restart_which_rasas_channel_says_in_two_messages_is_two(stage, user):
    await user.say("/restart", update_id=9)
    await eventually(lambda: stage.bot.heard == ["/restart", "start"])


async def test_a_flood_is_waited_for_and_a_blocked_bot_is_not(stage, user, telegram):
    flood = {"ok": False, "error_code": 429, "description": "Flood", "parameters": {"retry_after": 0}}
    blocked = {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}
    telegram.failures = [web.json_response(flood, status=429), web.json_response(blocked, status=403)]
    await user.say("first")
    await user.say("second")
    await user.expect("echo: second")
    assert telegram.texts == ["echo: second"]
    bridge = await stage.bridge()
    async with bridge.backend.ledger.entry() as entry:
        (dead,) = await entry.letters.dead()
    assert (dead.attempts, dead.problem) == (2, "Telegram: TelegramForbiddenError")
