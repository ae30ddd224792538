"""Secrets are planted everywhere, and looked for in everything that anybody could read afterwards."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import jwt
import pytest
import socketio

from handoff.digest import digest
from simulator import Simulator, SimulatorSettings
from tests.scenarios.conftest import heard
from tests.support.chat_client import ChatClient
from tests.support.collector import Collector, collect, write_endpoints
from tests.support.processes import ROOT, find_port
from tests.support.scraping import Page, scrape
from tests.support.waiting import eventually

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(240)]

PLANTED = {
    "SERVICENOW_PASSWORD": "planted-password-5f1c",
    "SERVICENOW_CLIENT_SECRET": "planted-client-5f1c",
    "SERVICENOW_SIGNING_SECRET": "planted-signing-5f1c",
    "SERVICENOW_CALLBACK_SECRET": "planted-callback-5f1c",
    "HANDOFF_WEBCHAT_JWT_KEY": "planted-chat-key-5f1c-of-at-least-32-bytes",
    "HANDOFF_REST_TOKEN": "planted-rest-token-5f1c-of-32-characters",
    "HANDOFF_REST_JWT_KEY": "planted-rest-key-5f1c-of-at-least-32-bytes",
    "HANDOFF_REST_WEBHOOK_SECRET": "whsec_" + base64.b64encode(b"planted-webhook-5f1c-key").decode(),
}
PERSONAL = ["sam.planted@example.com", "+41 79 123 45 67", "4111 1111 1111 1111"]
SECURE = "planted-answer-5f1c"
SHOWN = "planted-by-the-desk-5f1c"
PATHS = [
    "/",
    "/status",
    "/version",
    "/metrics",
    "/health",
    "/webhooks/webchat/",
    "/webhooks/rest/",
    "/webhooks/servicenow/",
    "/webhooks/operations/live",
    "/webhooks/operations/ready",
]
METRICS = "/webhooks/operations/metrics"
# Lines of ours that concern no conversation: the process, or somebody of whom we know nothing.
OF_NOBODY = {"rest.refused", "callback.refused", "callback.unresolved", "webchat.token_refused"}
OURS = re.compile(r"(handoff|dispatch|message|bot|exit_flow|record|desk|callback|rest|webchat)[.][a-z_]+")


@dataclass
class Evidence:
    """Everything that was printed, answered or kept, by where it was found."""

    folder: Path
    found: dict[str, str] = field(default_factory=dict)

    def search(self, *secrets: str) -> list[tuple[str, str]]:
        """Where something of a secret stands, as it is or in base64."""
        forms = {form: secret for secret in secrets for form in (secret, *_encode(secret))}
        texts = self.found | {path.name: path.read_bytes().decode(errors="replace") for path in self.files}
        return [
            (name, secret) for name, text in texts.items() for form, secret in forms.items() if form in text
        ]

    @property
    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


def _encode(secret: str) -> Iterator[str]:
    """Base64 at each of the three places that it may have in a longer text, without its edges."""
    for shift in range(3):
        yield base64.b64encode(b" " * shift + secret.encode()).decode()[4:-4]


@asynccontextmanager
async def run_assistant(folder: Path, environment: dict[str, str], *options: str) -> AsyncIterator[str]:
    """``python -m local.server`` with its output in a file, as loud as it can be."""
    command = [sys.executable, "-m", "local.server", *options]
    port = options[options.index("--port") + 1]
    with (folder / "assistant.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            await eventually(lambda: is_ready(f"http://127.0.0.1:{port}/webhooks/webchat/"), within=120)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), 60)


async def is_ready(url: str) -> bool:
    await asyncio.sleep(0.2)  # it needs the processor more than we do
    with suppress(aiohttp.ClientError):
        return (await ask("GET", url)).startswith("200")
    return False


async def ask(method: str, url: str, **more) -> str:
    async with aiohttp.ClientSession() as session, session.request(method, url, **more) as answer:
        return f"{answer.status} {dict(answer.headers)} {await answer.text()}"


async def knock_at_every_door(url: str, evidence: Evidence) -> None:
    """Wrong secrets, right ones where they are not wanted, and bodies that nobody can read."""
    callback, rest = f"{url}/webhooks/servicenow/callback", f"{url}/webhooks/rest/webhook"
    secret, token = PLANTED["SERVICENOW_CALLBACK_SECRET"], PLANTED["HANDOFF_REST_TOKEN"]
    tries = {
        "right secret in the query": ask("POST", f"{callback}?secret={secret}", data=b"{"),
        "nearly": ask("POST", f"{callback}?secret={secret}x", data=b"{}"),
        "odd bytes": ask("POST", callback, headers={"x-handoff-secret": "\udcff"}, data=b"{}"),
        "no JSON": ask("POST", rest, headers={"Authorization": f"Bearer {token}"}, data=b"{"),
        "no token": ask("POST", rest, headers={"Authorization": f"Bearer {token}x"}, data=b"{}"),
        "elsewhere": ask(
            "GET", f"{url}/nowhere?secret={secret}", headers={"Authorization": f"Bearer {token}"}
        ),
    }
    tries |= {path: ask("GET", url + path) for path in PATHS}
    for name, asked in tries.items():
        evidence.found[name] = await asked
    stranger = socketio.AsyncClient(reconnection=False)
    for key in ("k" * 32, PLANTED["HANDOFF_WEBCHAT_JWT_KEY"]):
        with pytest.raises(socketio.exceptions.ConnectionError):
            await stranger.connect(url, auth={"token": write_token(key, exp=1)})


def write_token(key: str, **claims) -> str:
    return jwt.encode({"sub": "sam", "exp": int(time.time()) + 600, **claims}, key, algorithm="HS256")


async def live_through_everything(url: str, simulator: Simulator, evidence: Evidence) -> str:
    """Returns the id of a chat with a secret in each direction, and a desk that fails in the middle of it."""
    client = ChatClient(url, token=write_token(PLANTED["HANDOFF_WEBCHAT_JWT_KEY"]))
    await client.connect()
    await client.say("I want to talk to a person")
    await client.expect("Shall I ask a person", within=30)
    await client.say("/SetSlots(confirm_handoff=true)")
    await client.expect("In one sentence")
    await client.say(f"My laptop does not start: {', '.join(PERSONAL)}")
    await client.expect("A live agent will join you")
    chat = await eventually(lambda: simulator.chats and simulator.chats[-1], within=15)
    await simulator.accept(chat, agent="Dana")
    await client.expect("Dana has joined")
    await simulator.say_item(chat, {"uiType": "OutputText", "value": SHOWN, "maskType": "SECURE"})
    await simulator.say_item(chat, "Secret question")
    asked = await client.expect("What is the recovery code?")
    await client.say(f"/answer {asked['question']['id']} {SECURE}", metadata={"title": SECURE})
    await eventually(lambda: SECURE in heard(chat), within=15)
    simulator.fail("403", times=1)
    await client.say("This one is refused")
    await client.expect("did not reach the live agent", within=30)
    evidence.found["what the browser was sent"] = str([client.messages, client.states])
    await client.leave()
    return client.session_id


def print_all(environment: dict[str, str], evidence: Evidence) -> None:
    for command in (["settings"], ["list"], ["doctor"], ["dead-letters"]):
        told = subprocess.run(
            [sys.executable, "-m", "handoff", *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        evidence.found[f"python -m handoff {command[0]}"] = told.stdout + told.stderr
    broken = {
        **environment,
        "HANDOFF_REST_JWT_KEY": "planted-too-short",
        "SERVICENOW_URL": "https://u:planted-5f1c@x",
    }
    told = subprocess.run(
        [sys.executable, "-m", "handoff", "settings"],
        cwd=ROOT,
        env=broken,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 1
    evidence.found["wrong settings"] = told.stdout + told.stderr


async def test_no_secret_is_in_any_log_error_page_or_table(model_path, tmp_path):
    port = find_port()
    simulator = Simulator(
        SimulatorSettings(
            username="handoff",
            password=PLANTED["SERVICENOW_PASSWORD"],
            client_id="client",
            client_secret=PLANTED["SERVICENOW_CLIENT_SECRET"],
            hash_secret=PLANTED["SERVICENOW_SIGNING_SECRET"],
            callback_secret=PLANTED["SERVICENOW_CALLBACK_SECRET"],
            callback_url=f"http://127.0.0.1:{port}/webhooks/servicenow/callback",
        )
    )
    evidence = Evidence(tmp_path)
    async with simulator.serve() as desk, collect() as collector:
        environment = {
            **os.environ,
            **PLANTED,
            "SERVICENOW_URL": desk,
            "SERVICENOW_AUTH": "oauth_password",
            "SERVICENOW_USER": "handoff",
            "SERVICENOW_CLIENT_ID": "client",
            "HANDOFF_DATABASE_URL": f"sqlite:///{tmp_path}/ledger.db",
            "HANDOFF_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "HANDOFF_DELIVERY_DEADLINE": "2",
            "LOG_LEVEL": "DEBUG",
            "FORCE_JSON_LOGGING": "true",
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            "PYTHONUNBUFFERED": "1",
        }
        endpoints = tmp_path / "endpoints.yml"
        endpoints.write_text(write_endpoints(collector, (ROOT / "endpoints.yml").read_text()))
        options = ("--port", str(port), "--model", str(model_path), "--endpoints", str(endpoints))
        async with run_assistant(tmp_path, environment, *options) as url:
            session = await live_through_everything(url, simulator, evidence)
            await knock_at_every_door(url, evidence)
            page = await scrape(url)
            evidence.found[METRICS] = page.text
            print_all(environment, evidence)
        # It has flushed what it had to export before its end.
        evidence.found["exported"] = collector.text
    log = (tmp_path / "assistant.log").read_text()
    assert re.search("callback.refused", log), "nothing was logged"
    assert "My laptop does not start" in log, "the log was not as loud as it can be"
    assert not [one for one in PERSONAL if one in log]
    assert "[email], [phone], [card]" in log
    assert evidence.search(*PLANTED.values(), SECURE, SHOWN, "planted-too-short", "planted-5f1c@x") == []
    check_lines(log, session)
    check_metrics(page, collector, session)
    check_trace(collector, session)


def check_lines(log: str, session: str) -> None:
    """Each line of ours says whom it concerns, by a name that opens no chat; so does Rasa's each turn."""
    assert session not in log
    assert digest(session) in log
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    ours = [line for line in lines if OURS.fullmatch(line["event"]) and line["event"] not in OF_NOBODY]
    assert {"handoff.ended", "dispatch.failed"} <= {line["event"] for line in ours}
    assert [line for line in ours if line.get("conversation") != digest(session)] == []
    failed = next(line for line in ours if line["event"] == "dispatch.failed")
    assert failed["handoff"]


def check_metrics(page: Page, collector: Collector, session: str) -> None:
    assert page.read("handoff_ended_total", reason="desk_error") == 1
    assert page.read("handoff_relay_to_desk_seconds_count") == 1
    assert session not in page.text
    wanted = {"handoff.ended", "handoff.relay.to_desk", "handoff.open"}
    assert not wanted - collector.metrics.names


def check_trace(collector: Collector, session: str) -> None:
    """From the requester's message, by the bot's turn with Rasa's own spans in it, to the live agent."""
    ours = [span for span in collector.spans if span.name.startswith(("handoff.", "ledger."))]
    assert session not in "".join(map(str, ours))
