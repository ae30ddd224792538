"""``python -m benchmarks.ours SPEC``: our channels, relay and ledger in a process of their own.

As ``local/server.py`` and ``rasa run`` build them, with a bot that is no Rasa. SPEC is JSON: the port,
the desk's address, the ledger's address, and settings that differ from ``configuration.py``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from rasa.core.channels.channel import register
from sanic import Sanic

from benchmarks.configuration import make_settings
from benchmarks.stage import PATIENT
from channels.rasa_api import OutputChannel, ReadRecord, ReadSlots
from channels.servicenow import ServiceNowCallback
from channels.webchat import WebChat
from local.server import run_app
from servicenow.backend import Backend, make_backend


class PlainBot:
    """Implements ``channels.rasa_api.Bot`` without Rasa; in a handoff nobody asks it anything but slots."""

    async def answer(
        self,
        conversation: str,
        text: str,
        *,
        output: OutputChannel,
        message_id: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        await output.send_response(conversation, {"text": f"echo: {text}"})

    async def start_flow(
        self, conversation: str, flow: str, *, output: OutputChannel, message_id: str
    ) -> None:
        await output.send_response(conversation, {"text": f"flow: {flow}"})

    async def set_slots(self, conversation: str, read: ReadSlots) -> None:
        await read({})

    async def add_record(self, conversation: str, record_id: str, read: ReadRecord) -> None:
        await read()

    def is_ready(self) -> bool:
        return True

    async def render(self, response: str, values: Mapping[str, str], channel: str) -> dict[str, Any]:
        return {"text": f"[{response}] {json.dumps(dict(values))}"}


async def main(spec: Mapping[str, Any]) -> None:
    """Serve until the orchestrator ends the process."""
    settings = make_settings(spec["desk"], spec["ledger"], spec["settings"])

    async def connect() -> Backend:
        return await make_backend(settings)

    app: Any = Sanic("ours", configure_logging=False)
    app.update_config(PATIENT)
    bot = PlainBot()
    register(
        [WebChat(connect=connect, bot=bot), ServiceNowCallback(connect=connect, bot=bot)], app, "/webhooks/"
    )
    async with run_app(app, spec["port"], is_alone=True):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    asyncio.run(main(json.loads(sys.argv[1])))
