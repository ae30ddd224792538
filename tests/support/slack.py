"""Slack for tests: a server with its Web API, and people who write and press buttons, signed as by Slack."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from tests.support.waiting import eventually

SIGNING_SECRET = "signing secret of the test"
CREDENTIALS = {"slack_token": "xoxb-test", "slack_signing_secret": SIGNING_SECRET}


class FakeSlack:
    """`posts` is what `chat.postMessage` was asked and has answered with ok; `failures` come first."""

    def __init__(self) -> None:
        self.posts: list[dict] = []
        self.refused: list[dict] = []
        self.failures: deque[tuple[int, dict, dict]] = deque()
        self.url = ""
        self._numbers = count(1)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[FakeSlack]:
        app = web.Application()
        app.router.add_post("/api/chat.postMessage", self._post_message)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _post_message(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer xoxb-test"
        posted = await request.json()
        if self.failures:
            status, body, headers = self.failures.popleft()
            self.refused.append(posted)
            return web.json_response(body, status=status, headers=headers)
        self.posts.append(posted)
        return web.json_response({"ok": True, "channel": posted["channel"], "ts": str(next(self._numbers))})

    @property
    def credentials(self) -> dict:
        return {**CREDENTIALS, "slack_api_url": self.url}

    @property
    def texts(self) -> list[str]:
        return [post.get("text", "") for post in self.posts]

    async def expect(self, text: str, within: float = 20.0) -> dict:
        def find() -> dict | None:
            return next((post for post in self.posts if text in post.get("text", "")), None)

        try:
            return await eventually(find, within=within)
        except AssertionError:
            raise AssertionError(f"{text!r} is not among {self.texts}") from None


class SlackUser:
    """One person in a direct message with the app; `url` is our server's."""

    channel = "slack"

    def __init__(
        self,
        slack: FakeSlack,
        url: str,
        name: str = "U0ALEX",
        im: str = "D0ALEX",
        secret: str = SIGNING_SECRET,
    ) -> None:
        self.expect = slack.expect
        self._webhook = f"{url}/webhooks/slack/webhook"
        self._secret = secret
        self.session_id = name
        self._im = im
        self._numbers = count(1)

    async def say(self, text: str, *, event_id: str | None = None, **more: str) -> int:
        number = next(self._numbers)
        event = {"type": "message", "channel_type": "im", "user": self.session_id, "channel": self._im}
        body = {
            "type": "event_callback",
            "event_id": event_id or f"Ev{self.session_id}{number}",
            "event": {**event, "text": text, "ts": f"{number}.0", **more},
        }
        return await self._post(json.dumps(body).encode(), "application/json")

    async def press(self, post: dict, title: str) -> int:
        """A button of a message as it was posted to Slack."""
        (actions,) = [block for block in post["blocks"] if block["type"] == "actions"]
        (button,) = [e for e in actions["elements"] if e["text"]["text"].startswith(title)]
        payload = {
            "type": "block_actions",
            "trigger_id": f"{next(self._numbers)}.trigger",
            "user": {"id": self.session_id},
            "channel": {"id": self._im},
            "message": {"ts": "1.0"},
            "actions": [button],
        }
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return await self._post(body, "application/x-www-form-urlencoded")

    async def _post(self, body: bytes, content_type: str) -> int:
        now = str(int(time.time()))
        signed = hmac.new(self._secret.encode(), f"v0:{now}:".encode() + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": now,
            "X-Slack-Signature": f"v0={signed}",
        }
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._webhook, data=body, headers=headers) as answer,
        ):
            await answer.read()
            return answer.status
