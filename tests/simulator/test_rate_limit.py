import pytest

from simulator import SimulatorSettings
from simulator.credentials import encode_basic

TABLE = "/api/now/table/incident"


@pytest.fixture
def settings(receiver):
    return SimulatorSettings(callback_url=receiver.url, rate_limit=2, speed=0)


@pytest.fixture
def ask(client):
    """Return a function that asks as a user and returns status, headers and answer."""

    async def get(user="integration"):
        headers = {"Authorization": encode_basic(user, "x")}
        async with client.session.get(client.url + TABLE, headers=headers) as response:
            return response.status, response.headers, await response.json()

    return get


async def test_too_many_requests_in_an_hour(ask, simulator):
    for _ in range(2):
        status, headers, _ = await ask()
        assert (status, headers["X-RateLimit-Limit"], "Retry-After" in headers) == (200, "2", False)
    status, headers, answer = await ask()
    left = int(headers["X-RateLimit-Reset"]) - simulator.clock.timestamp()
    assert (status, answer["error"]["message"]) == (429, "Rate limit exceeded")
    assert answer["error"]["detail"] == "Rate limit of 2 requests per hour for Table API exceeded"
    assert 0 <= int(headers["Retry-After"]) - left < 1
    assert 0 < left <= 3600
    assert len(headers["X-RateLimit-Rule"]) == 32
    assert (await ask("somebody else"))[0] == 200
    await simulator.advance(int(headers["Retry-After"]))
    assert (await ask())[0] == 200


async def test_every_api_counts_but_the_desk_does_not(client):
    for _ in range(2):
        await client.send(text="hi")
    for _ in range(3):
        assert (await client.request("GET", "/simulator/state"))[0] == 200
    assert (await client.request("GET", TABLE))[0] == 429


async def test_without_a_limit_there_are_no_headers(ask, settings):
    settings.rate_limit = None
    _, headers, _ = await ask()
    assert not [name for name in headers if name.startswith("X-RateLimit")]
