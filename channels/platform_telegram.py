"""Telegram: a bot's webhook in, the Bot API out (``rasa/core/channels/telegram.py``, rasa-pro 3.21)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramRetryAfter,
)
from rasa.core.channels.telegram import TelegramInput, TelegramOutput

from channels.platform import Platform
from handoff.errors import LetterRefused

API_URL = "telegram_api_url"  # of ours: a Bot API server of one's own has another, and so has a test


class TelegramChannel(TelegramInput):  # type: ignore[misc]  # Rasa ships no types
    """Rasa's channel with one output for all, as each has connections of its own that nobody closes."""

    api_url: str | None = None
    output: TelegramOutput | None = None

    @classmethod
    def from_credentials(cls, credentials: Mapping[str, Any] | None) -> TelegramChannel:
        options = dict(credentials or {})
        api_url = options.pop(API_URL, None)
        channel: TelegramChannel = super().from_credentials(options)
        channel.api_url = api_url
        return channel

    def get_output_channel(self) -> TelegramOutput:
        if self.output is None:
            self.output = TelegramOutput(self.access_token)
            if self.api_url:
                server = TelegramAPIServer.from_base(self.api_url)
                self.output.bot = Bot(self.access_token or "", session=AiohttpSession(api=server))
        return self.output


class TelegramPlatform(Platform):
    """The conversation is the chat, so nothing else is needed to write to it."""

    def judge(self, error: Exception) -> LetterRefused:
        """A bot that was blocked or a chat that is gone is final; a flood says how long to wait."""
        if not isinstance(error, TelegramAPIError):
            return super().judge(error)
        return LetterRefused(
            f"Telegram: {type(error).__name__}",
            retry_after=float(error.retry_after) if isinstance(error, TelegramRetryAfter) else None,
            is_final=isinstance(error, TelegramForbiddenError | TelegramBadRequest),
        )

    async def close(self) -> None:
        if self.stock.output is not None:
            await self.stock.output.bot.session.close()
