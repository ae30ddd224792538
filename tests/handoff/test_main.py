"""The operator's commands, in a process of their own."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from handoff.ledger import Ledger
from handoff.message import Sender
from tests.support.ledger_rows import write

ROOT = Path(__file__).resolve().parents[2]
WHOLE = {
    "SERVICENOW_URL": "https://example.service-now.com",
    "SERVICENOW_USER": "integration",
    "SERVICENOW_PASSWORD": "very-hidden",
    "SERVICENOW_CALLBACK_SECRET": "also-hidden",
}


@pytest.fixture
def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HANDOFF_ENV_FILE": os.devnull, **variables}
    command = [sys.executable, "-m", "handoff", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_settings_are_shown_with_secrets_masked():
    shown = run("settings", **WHOLE)
    assert shown.returncode == 0
    assert "SERVICENOW_USER=integration" in shown.stdout
    assert "hidden" not in shown.stdout


def test_settings_are_shown_as_their_variables_hold_them():
    shown = run("settings", **WHOLE, HANDOFF_MASK_IN="tracker, log", SERVICENOW_TICKS="1").stdout.splitlines()
    assert {"HANDOFF_MASK_IN=log, tracker", "SERVICENOW_TICKS=true", "SERVICENOW_QUEUE="} <= {*shown}


def test_wrong_settings_are_explained_without_a_traceback():
    shown = run("settings", SERVICENOW_URL="http://example.com")
    assert shown.returncode == 1
    assert "SERVICENOW_URL" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_the_ledger_is_migrated(tmp_path):
    ledger = tmp_path / "new" / "ledger.db"
    for _ in range(2):  # again does no harm
        done = run("migrate", **WHOLE, HANDOFF_DATABASE_URL=f"sqlite:///{ledger}")
        assert done.returncode == 0, done.stderr
    assert ledger.exists()


def test_without_a_command_the_commands_are_listed():
    assert "migrate" in run().stdout + run().stderr


def test_open_handoffs_are_listed(database_url):
    assert "No handoff is open." in run("list", **WHOLE, HANDOFF_DATABASE_URL=database_url).stdout


def test_a_conversation_without_a_handoff_cannot_be_closed(database_url):
    refused = run("close", "nobody", **WHOLE, HANDOFF_DATABASE_URL=database_url)
    assert refused.returncode == 1
    assert "nobody" in refused.stderr


def test_the_doctor_stops_at_wrong_settings():
    told = run("doctor", SERVICENOW_URL="http://example.com")
    assert told.returncode == 1
    assert "failed" in told.stdout
    assert "SERVICENOW_URL" in told.stdout
    assert "Traceback" not in told.stderr


def test_the_doctor_talks_to_programs(tmp_path, unused_port):
    nobody = f"http://127.0.0.1:{unused_port}"
    addresses = {"SERVICENOW_URL": nobody, "HANDOFF_PUBLIC_URL": nobody}
    ledger = f"sqlite:///{tmp_path}/ledger.db"
    told = run("doctor", "--json", **WHOLE | addresses, HANDOFF_DATABASE_URL=ledger)
    assert told.returncode == 1
    verdicts = {finding["check"]: finding["verdict"] for finding in json.loads(told.stdout)["findings"]}
    assert verdicts["settings"] == verdicts["ledger"] == "ok"
    assert verdicts["connection"] == verdicts["callback"] == "failed"
    assert "very-hidden" not in told.stdout
    assert "also-hidden" not in told.stdout


def test_dead_letters_are_listed_and_put_back(database_url):
    url = database_url
    assert "no dead letters" in run("dead-letters", **WHOLE, HANDOFF_DATABASE_URL=url).stdout
    message_id = asyncio.run(bury_one(url))
    listed = run("dead-letters", **WHOLE, HANDOFF_DATABASE_URL=url).stdout
    assert message_id in listed
    assert "c1" in listed
    assert "Answered 500" in listed
    assert " UTC " in listed
    assert "python -m handoff requeue" in listed
    refused = run("dead-letters", "--requeue", "another", **WHOLE, HANDOFF_DATABASE_URL=url)
    assert refused.returncode == 1
    put_back = run("dead-letters", "--requeue", "all", **WHOLE, HANDOFF_DATABASE_URL=url).stdout
    assert "1 will be posted again" in put_back
    assert "no dead letters" in run("dead-letters", **WHOLE, HANDOFF_DATABASE_URL=url).stdout


async def bury_one(url):
    ledger = await Ledger.connect(url)
    message = await write(ledger, "hello", sender=Sender.BOT)
    async with ledger.entry() as entry:
        letter = await entry.letters.write(message, within=60)
        await entry.letters.fail(letter, "Answered 500", again=None)
    await ledger.close()
    return message.id
