"""The doctor's checks of what is ours: the settings and the ledger."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from handoff.engine import create_engine
from handoff.errors import LedgerAway, LedgerOutdated, SettingsError
from handoff.finding import Finding, failed, ok
from handoff.postgres import begin
from handoff.schema import require_current
from handoff.settings import Settings, hide_password, read_settings

SETTINGS = "settings"
LEDGER = "ledger"
MIGRATE = "Run `python -m handoff migrate`."
SERVER = "Check HANDOFF_DATABASE_URL, that the server runs, and that this user may use the database."
PERMISSIONS = "Check HANDOFF_DATABASE_URL, and that this user may write the file and its folder."


def check_settings() -> tuple[Settings | None, list[Finding]]:
    """The settings, where they are whole, and one finding for each that is missing or wrong."""
    try:
        settings = read_settings()
    except SettingsError as error:
        return None, [failed(SETTINGS, problem, "See .env.example.") for problem in error.problems]
    given = ", ".join(sorted(name.upper() for name in settings.model_fields_set))
    return settings, [ok(SETTINGS, f"{given}; all others have their defaults")]


async def check_ledger(url: str) -> Finding:
    """Whether the ledger can be written and has the tables of this version; it is not changed."""
    if make_url(url).get_backend_name() == "postgresql":
        return await _check_server(url)
    file = Path(make_url(url).database or "")
    if new := _check_new(file):
        return new
    engine = create_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(require_current)
    except LedgerOutdated as error:
        return failed(LEDGER, f"{file}: {error}", MIGRATE)
    except (SQLAlchemyError, OSError) as error:
        return failed(LEDGER, f"{file}: {getattr(error, 'orig', None) or error}", PERMISSIONS)
    finally:
        await engine.dispose()
    return ok(LEDGER, f"{file} is current and can be written")


async def _check_server(url: str) -> Finding:
    """Whether the server lets us in, and has the tables of this version."""
    name = hide_password(url)
    engine = create_engine(url)
    try:
        async with begin(engine, patience=0) as connection:
            await connection.run_sync(require_current)
    except LedgerOutdated as error:
        return failed(LEDGER, f"{name}: {error}", MIGRATE)
    except (LedgerAway, SQLAlchemyError, OSError) as error:
        return failed(LEDGER, f"{name}: {getattr(error, 'orig', None) or error}", SERVER)
    except Exception as error:  # what the driver says of a login, it says in errors of its own
        return failed(LEDGER, f"{name}: {error}", SERVER)
    finally:
        await engine.dispose()
    return ok(LEDGER, f"{name} is current and can be reached")


def _check_new(file: Path) -> Finding | None:
    """A file that is not there yet is made when the assistant starts; None where there is one."""
    if file.exists():
        return None
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        return failed(LEDGER, f"{file} cannot be made in {folder}", PERMISSIONS)
    return ok(LEDGER, f"{file} is not there yet; the assistant makes it when it starts")
