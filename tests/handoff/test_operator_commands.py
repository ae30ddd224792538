"""How commands are found, how fast they can be there, and how they tell what is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from handoff.operator.commands import COMMANDS, load

ROOT = Path(__file__).resolve().parents[2]
# What a command that looks at the ledger does not need, and what takes its time to import.
HEAVY = {"aiohttp", "alembic", "matplotlib", "numpy", "rasa", "rasa_sdk", "sanic", "socketio", "servicenow"}
SLOW = {
    *("structlog", "rich", "tenacity", "fsspec", "asyncpg"),
    *("sqlalchemy.orm", "sqlalchemy.ext.asyncio", "sqlalchemy.dialects.postgresql"),
    *("handoff.desk", "handoff.settings.whole", "handoff.settings.desk"),
}
LEDGER = {"sqlalchemy", "pydantic_settings"}
# What ``list`` does without, as it reads a file by itself.
SLOWEST = {"sqlalchemy", "opentelemetry", "handoff.ledger", "handoff.tables"}

PROGRAM = """
import sys
from handoff.operator.commands import run
try:
    run(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end
print("IMPORTED", *sys.modules)
"""


@pytest.fixture
def variables(database_url):
    return {**os.environ, "HANDOFF_ENV_FILE": os.devnull, "HANDOFF_DATABASE_URL": database_url}


def imported_by(*arguments, environment):
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("IMPORTED")[2].split())


@pytest.mark.parametrize("arguments", [["--help"], ["close", "--help"], ["list", "--help"]], ids=" ".join)
def test_help_imports_not_even_the_ledger(arguments, variables):
    assert not (HEAVY | LEDGER | {"structlog"}) & imported_by(*arguments, environment=variables)


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["dead-letters"]], ids=" ".join)
def test_a_look_at_the_ledger_imports_nothing_else_that_is_heavy(arguments, variables):
    imported = imported_by(*arguments, environment=variables)
    assert not HEAVY & imported
    assert "pydantic_settings" in imported


@pytest.fixture
def of_file(variables, template):
    return {**variables, "HANDOFF_DATABASE_URL": f"sqlite:///{template}"}


@pytest.mark.parametrize("arguments", [["dead-letters"], ["show", "nobody"]], ids=" ".join)
def test_a_look_at_a_file_imports_what_a_file_needs(arguments, of_file):
    """Each of these takes 10 to 80 ms, of the half second in which a command is to answer."""
    imported = imported_by(*arguments, environment=of_file)
    assert not SLOW & imported
    assert imported >= LEDGER


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"]], ids=" ".join)
def test_the_list_of_a_file_is_read_without_sqlalchemy(arguments, of_file):
    imported = imported_by(*arguments, environment=of_file)
    assert not (SLOW | SLOWEST) & imported
    assert imported >= {"sqlite3", "handoff.operator.glance"}


@pytest.mark.parametrize("chosen", [{}, {"PYDANTIC_DISABLE_PLUGINS": ""}], ids=["not", "if asked for"])
def test_plugins_of_pydantic_are_looked_for(chosen, of_file, tmp_path):
    """A search through all that is installed, which takes 30 ms."""
    (tmp_path / "loud-1.dist-info").mkdir()
    (tmp_path / "loud-1.dist-info/entry_points.txt").write_text("[pydantic]\nloud = loud")
    (tmp_path / "loud.py").write_text("raise SystemExit('found')")
    ended = run("list", environment={**of_file, **chosen, "PYTHONPATH": str(tmp_path)})
    assert (ended.stderr.strip() == "found") is bool(chosen), ended.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded_and_speaks_json(name):
    command = load(name)
    assert command.help == COMMANDS[name][1]
    assert any("--json" in parameter.opts for parameter in command.params)


def run(*arguments, environment):
    command = [sys.executable, "-m", "handoff", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_an_unknown_command_is_refused(variables):
    refused = run("lost", environment=variables)
    assert refused.returncode == 2
    assert "No such command 'lost'" in refused.stderr


def test_a_ledger_that_is_not_there_is_not_made(variables, tmp_path):
    elsewhere = {**variables, "HANDOFF_DATABASE_URL": f"sqlite:///{tmp_path}/typo.db"}
    refused = run("list", environment=elsewhere)
    assert refused.returncode == 1
    assert "typo.db" in refused.stderr
    assert "HANDOFF_DATABASE_URL" in refused.stderr
    assert not (tmp_path / "typo.db").exists()


def test_programs_are_told_of_errors_in_json(variables):
    refused = run("close", "nobody", "--json", environment=variables)
    assert refused.returncode == 1
    assert "nobody" in json.loads(refused.stdout)["error"]


def test_the_ledger_can_be_looked_at_while_other_settings_are_wrong(variables):
    broken = {**variables, "SERVICENOW_URL": "http://example.com"}
    assert "No handoff is open." in run("list", environment=broken).stdout
