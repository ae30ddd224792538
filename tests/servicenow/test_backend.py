import asyncio
from dataclasses import replace

import pytest

from handoff.errors import SettingsError
from servicenow.backend import backend, close_backend, make_backend
from servicenow.bot_integration import BotIntegrationDesk
from servicenow.connect_support import ConnectSupportDesk
from servicenow.incident import IncidentTable


@pytest.fixture
def environment(monkeypatch, tmp_path):
    monkeypatch.setenv("SERVICENOW_URL", "https://example.service-now.com")
    monkeypatch.setenv("SERVICENOW_AUTH", "none")
    monkeypatch.setenv("SERVICENOW_CALLBACK_SECRET", "callback")
    monkeypatch.setenv("HANDOFF_DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")


@pytest.fixture
async def closing():
    yield
    await close_backend()


async def test_the_parts_are_made_from_the_settings(make_settings, tmp_path):
    settings = make_settings(
        handoff_database_url=f"sqlite:///{tmp_path}/a/ledger.db", handoff_ending_timeout=3
    )
    made = await make_backend(settings)
    assert made.settings is settings
    assert isinstance(made.desk, BotIntegrationDesk)
    assert isinstance(made.incidents, IncidentTable)
    assert made.timeouts.ending == 3
    assert (tmp_path / "a" / "ledger.db").exists()
    await made.close()


async def test_the_desk_is_the_one_of_the_settings(make_settings, tmp_path):
    settings = make_settings(
        servicenow_desk="connect_support",
        servicenow_queue="0123456789abcdef0123456789abcdef",
        handoff_database_url=f"sqlite:///{tmp_path}/ledger.db",
    )
    made = await make_backend(settings)
    assert isinstance(made.desk, ConnectSupportDesk)
    await made.close()


@pytest.mark.usefixtures("environment", "closing")
async def test_one_event_loop_has_one_backend():
    made = await asyncio.gather(*(backend() for _ in range(5)))
    assert len({id(each) for each in made}) == 1


@pytest.mark.usefixtures("environment")
def test_another_event_loop_has_its_own():
    async def make():
        made = await backend()
        await close_backend()
        return id(made.ledger), made

    first, second = asyncio.run(make()), asyncio.run(make())
    assert first[1] is not second[1]


@pytest.mark.usefixtures("closing")
async def test_wrong_settings_are_told_and_can_be_mended(environment, monkeypatch):
    monkeypatch.delenv("SERVICENOW_URL")
    with pytest.raises(SettingsError, match="SERVICENOW_URL is not set"):
        await backend()
    monkeypatch.setenv("SERVICENOW_URL", "https://example.service-now.com")
    assert (await backend()).settings.servicenow_url == "https://example.service-now.com"


@pytest.mark.usefixtures("environment", "closing")
async def test_a_database_that_cannot_be_opened_can_be_mended(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("HANDOFF_DATABASE_URL", f"sqlite:///{tmp_path}/file/ledger.db")
    with pytest.raises(OSError, match="file"):
        await backend()
    monkeypatch.setenv("HANDOFF_DATABASE_URL", f"sqlite:///{tmp_path}/ledger.db")
    assert await backend()


@pytest.mark.usefixtures("environment", "closing")
async def test_whoever_gives_up_waiting_does_not_take_the_backend_from_others():
    waiting = asyncio.create_task(backend())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await asyncio.wait_for(backend(), 5)


@pytest.mark.usefixtures("environment")
async def test_after_closing_a_new_one_is_made():
    first = await backend()
    await close_backend()
    second = await backend()
    assert second is not first
    await close_backend()


async def test_closing_what_was_never_made_is_fine():
    await close_backend()


@pytest.mark.usefixtures("environment")
async def test_closing_what_could_not_be_made_is_fine(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("HANDOFF_DATABASE_URL", f"sqlite:///{tmp_path}/file/ledger.db")
    with pytest.raises(OSError, match="file"):
        await backend()
    await close_backend()


class BrokenDesk:
    async def close(self):
        raise ConnectionError("a bug")


async def test_a_desk_that_cannot_be_closed_does_not_keep_the_ledger_open(make_settings, tmp_path):
    made = await make_backend(make_settings(handoff_database_url=f"sqlite:///{tmp_path}/ledger.db"))
    with pytest.raises(ConnectionError):
        await replace(made, desk=BrokenDesk()).close()
    (tmp_path / "ledger.db").rename(tmp_path / "moved.db")
    assert not list(tmp_path.glob("*-wal"))
