import pytest

from tests.support.stage import play


@pytest.fixture
async def stage(tmp_path):
    async with play(tmp_path) as running:
        yield running
