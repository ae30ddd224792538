"""A life ends, or stands still, where it was told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from chaos.history import History, read_events
from chaos.labels import Fuse, FusedLedger, Sentence
from chaos.stage import ROOT

LIFE = """
import sys
from pathlib import Path
from chaos.history import History
from chaos.labels import Fuse, Sentence

fuse = Fuse(Sentence("here", hit=2, freezes=sys.argv[2] == "freezes"), History(Path(sys.argv[1])))
for label in ("here", "there", "here", "here", "here"):
    fuse.pass_by(label)
"""


@pytest.fixture
def begin(tmp_path):
    """Lets a life pass by its labels; returns its process."""
    processes = []

    def beginning(how):
        command = [sys.executable, "-c", LIFE, str(tmp_path / "history.jsonl"), how]
        processes.append(subprocess.Popen(command, cwd=ROOT))
        return processes[-1]

    yield beginning
    for process in processes:
        process.kill()
        process.wait()


def read_kinds(tmp_path):
    return [event["kind"] for event in read_events([tmp_path / "history.jsonl"]) if event["kind"] != "label"]


def test_it_dies_at_the_second_passing(begin, tmp_path):
    assert begin("dies").wait(60) == -signal.SIGKILL
    assert read_kinds(tmp_path) == ["died"]


def test_it_stands_still_once_and_goes_on_when_it_is_let(begin, tmp_path):
    life = begin("freezes")
    _, status = os.waitpid(life.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    life.send_signal(signal.SIGCONT)
    assert life.wait(60) == 0
    assert read_kinds(tmp_path) == ["frozen"]


class Committing:
    """Whose methods commit in the two ways that there are."""

    def __init__(self, ledger):
        self.ledger = ledger

    async def enter(self):
        async with self.ledger.entry() as entry:
            await entry.conversations.last_seq("c1")

    async def run(self):
        return await self.ledger.run("c1", lambda entry: entry.conversations.last_seq("c1"))


@pytest.mark.parametrize("way", ["enter", "run"])
async def test_a_transaction_is_named_after_the_function_that_opens_it(tmp_path, way):
    path = tmp_path / "history.jsonl"
    ledger = await FusedLedger.connect(f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}")
    ledger.fuse = Fuse(Sentence(), History(path))
    try:
        await getattr(Committing(ledger), way)()
    finally:
        await ledger.close()
    passed = [event["label"] for event in read_events([path])]
    assert f"Committing.{way}:before-commit" in passed
    assert passed[-1] == f"Committing.{way}:after-commit"
