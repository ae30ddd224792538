"""A step back of the tables is only made by somebody who knows what it drops."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BACK = ["migrate", "--to", "0008"]
FIRST = "Stepping back to revision 0008 drops for good"


@pytest.fixture
def migrate(database_url):
    """Runs the command; ``typed`` is what somebody at a terminal answers."""
    environment = {**os.environ, "HANDOFF_ENV_FILE": os.devnull, "HANDOFF_DATABASE_URL": database_url}

    def run(*arguments, typed=None):
        terminal, theirs = pty.openpty()
        stdin = subprocess.DEVNULL if typed is None else theirs
        os.write(terminal, f"{typed}\n".encode())
        try:
            return subprocess.run(
                [sys.executable, "-m", "handoff", *arguments],
                cwd=ROOT,
                env=environment,
                stdin=stdin,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            os.close(terminal)
            os.close(theirs)

    yield run
    assert run("migrate").returncode == 0  # other tests have the same server


def test_without_a_terminal_it_has_to_be_said_that_it_may(migrate):
    refused = migrate(*BACK)
    assert refused.returncode == 1
    assert refused.stderr.startswith(FIRST)
    assert "the table files: 0 rows" in refused.stderr
    assert "handoffs.rating: 0 values" in refused.stderr
    assert "Make a copy first" in refused.stderr
    assert "python -m handoff migrate --to 0008 --yes" in refused.stderr
    assert "No handoff is open." in migrate("list").stdout  # nothing was changed
    done = migrate(*BACK, "--yes", "--json")
    assert json.loads(done.stdout) == {"revision": "0008"}
    assert "do not fit" in migrate("list").stderr


def test_the_copy_is_made_by_what_the_database_has(migrate, database_url):
    wanted = "python -m handoff backup FILE" if "sqlite" in database_url else "Backup of PostgreSQL"
    assert wanted in migrate(*BACK).stderr


def test_programs_are_told_in_json(migrate):
    refused = migrate(*BACK, "--json", typed="y")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"].startswith(FIRST)


def test_at_a_terminal_it_is_asked(migrate):
    kept = migrate(*BACK, typed="n")
    assert kept.returncode == 1
    assert FIRST in kept.stderr
    assert "No handoff is open." in migrate("list").stdout
    done = migrate(*BACK, typed="y")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "The ledger is at revision 0008."


def test_what_drops_nothing_is_not_asked_about(migrate):
    assert migrate("migrate", "--to", "0014", "--yes").returncode == 0
    done = migrate("migrate", "--to", "0013")
    assert done.returncode == 0, done.stderr
    assert migrate("migrate").stdout == "The ledger is up to date.\n"
