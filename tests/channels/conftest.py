import os

import pytest

from tests.support.stage import play


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for name in os.environ:
        if name.startswith(("SERVICENOW_", "HANDOFF_", "SIMULATOR_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
async def stage(tmp_path):
    async with play(tmp_path) as running:
        yield running
