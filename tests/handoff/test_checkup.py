import sqlite3

import pytest
from sqlalchemy import make_url

from handoff.checkup import check_ledger, check_settings
from handoff.finding import Verdict
from tests.support import postgres
from tests.support.processes import find_port

WHOLE = {
    "SERVICENOW_URL": "https://example.service-now.com",
    "SERVICENOW_USER": "integration",
    "SERVICENOW_PASSWORD": "very-secret",
    "SERVICENOW_CALLBACK_SECRET": "also-secret",
}


@pytest.fixture
def whole(monkeypatch):
    for name, value in WHOLE.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("whole")
def test_each_variable_that_is_set_is_named_and_no_secret_is():
    settings, (finding,) = check_settings()
    assert settings
    assert finding.verdict is Verdict.OK
    assert all(name in finding.detail for name in WHOLE)
    assert "-secret" not in str(finding)


@pytest.mark.usefixtures("whole")
def test_each_wrong_setting_is_a_finding(monkeypatch):
    monkeypatch.delenv("SERVICENOW_PASSWORD")
    monkeypatch.delenv("SERVICENOW_CALLBACK_SECRET")
    settings, findings = check_settings()
    assert settings is None
    assert [finding.verdict for finding in findings] == [Verdict.FAILED] * 2
    assert "SERVICENOW_PASSWORD" in findings[0].detail


async def test_a_current_ledger_is_ok_and_stays_as_it_is(database_url, ledger):
    await ledger.close()
    assert (await check_ledger(database_url)).verdict is Verdict.OK


async def test_a_ledger_that_is_not_there_yet_is_ok_and_not_made(tmp_path):
    finding = await check_ledger(f"sqlite+aiosqlite:///{tmp_path}/new/ledger.db")
    assert finding.verdict is Verdict.OK
    assert not (tmp_path / "new").exists()


async def test_a_ledger_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    finding = await check_ledger(f"sqlite+aiosqlite:///{tmp_path}/file/ledger.db")
    assert finding.verdict is Verdict.FAILED


async def test_an_older_ledger_is_to_be_migrated(tmp_path):
    with sqlite3.connect(tmp_path / "old.db") as old:
        old.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        old.execute("INSERT INTO alembic_version VALUES ('0001')")
    old.close()
    finding = await check_ledger(f"sqlite+aiosqlite:///{tmp_path}/old.db")
    assert finding.verdict is Verdict.FAILED
    assert "migrate" in finding.advice


async def test_what_is_no_database_is_told(tmp_path):
    (tmp_path / "notes.db").write_text("These are my notes, not a database. " * 100)
    finding = await check_ledger(f"sqlite+aiosqlite:///{tmp_path}/notes.db")
    assert finding.verdict is Verdict.FAILED
    assert "HANDOFF_DATABASE_URL" in finding.advice


async def test_a_server_is_in_order_and_its_password_is_not_shown(postgres_database):
    url = postgres_database.replace("postgres@", "postgres:sEcReT@")
    finding = await check_ledger(url)
    assert finding.verdict is Verdict.OK
    assert "sEcReT" not in finding.detail
    assert "is current" in finding.detail


async def test_a_server_without_our_tables_names_the_command_that_makes_them():
    with postgres.make_database(migrated=False) as url:
        finding = await check_ledger(url)
    assert finding.verdict is Verdict.FAILED
    assert "python -m handoff migrate" in finding.advice


@pytest.mark.parametrize("broken", ["port", "database"])
async def test_a_server_that_does_not_let_us_in_is_named(postgres_database, broken):
    wrong = {"port": {"port": find_port()}, "database": {"database": "no_such_database"}}[broken]
    finding = await check_ledger(make_url(postgres_database).set(**wrong).render_as_string(False))
    assert finding.verdict is Verdict.FAILED
    assert "HANDOFF_DATABASE_URL" in finding.advice
