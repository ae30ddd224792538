import pytest

from simulator import SimulatorSettings

CLIENT = {"client_id": "id", "client_secret": "secret"}
PASSWORD = {"grant_type": "password", "username": "bot", "password": "pass", **CLIENT}
CREDENTIALS = {"grant_type": "client_credentials", **CLIENT}


@pytest.fixture
def settings(receiver):
    return SimulatorSettings(
        callback_url=receiver.url, username="bot", password="pass", client_id="id", client_secret="secret"
    )


async def token(client, form, **kwargs):
    return await client.request("POST", "/oauth_token.do", data=form, **kwargs)


async def allowed(client, access):
    headers = {"Authorization": f"Bearer {access}"}
    status, _ = await client.request("GET", "/api/now/table/incident", headers=headers)
    return status == 200


async def test_the_answer_has_the_documented_fields(client):
    status, body = await token(client, PASSWORD)
    assert status == 200
    assert body.keys() == {"access_token", "refresh_token", "scope", "token_type", "expires_in"}
    assert (body["scope"], body["token_type"], body["expires_in"]) == ("useraccount", "Bearer", 1799)
    assert await allowed(client, body["access_token"])
    assert not await allowed(client, "made up")


async def test_repeating_the_password_grant_gives_the_same_token(client, simulator):
    first, again = [(await token(client, PASSWORD))[1] for _ in range(2)]
    assert first["access_token"] == again["access_token"]
    simulator.tokens.expire()
    _, later = await token(client, PASSWORD)
    assert later["access_token"] != first["access_token"]


async def test_refreshing_keeps_the_refresh_token(client, simulator):
    _, first = await token(client, PASSWORD)
    simulator.tokens.expire()
    assert not await allowed(client, first["access_token"])
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], **CLIENT}
    status, second = await token(client, refresh)
    assert status == 200
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] == first["refresh_token"]
    assert await allowed(client, second["access_token"])


async def test_client_credentials_give_no_refresh_token(client):
    status, body = await token(client, CREDENTIALS)
    assert status == 200
    assert "refresh_token" not in body
    assert await allowed(client, body["access_token"])


async def test_the_lifetime_is_kept(client, settings):
    settings.token_lifetime = 0
    _, body = await token(client, CREDENTIALS)
    assert body["expires_in"] == 0
    assert not await allowed(client, body["access_token"])


async def test_client_credentials_can_be_off_as_they_are_by_default_on_instances(client, settings):
    settings.client_credentials = False
    status, body = await token(client, CREDENTIALS)
    assert (status, body) == (401, {"error": "unauthorized_client", "error_description": "access_denied"})


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({**PASSWORD, "client_secret": "wrong"}, "invalid_client"),
        ({**CREDENTIALS, "client_id": "wrong"}, "invalid_client"),
        ({**PASSWORD, "password": "wrong"}, "server_error"),
        ({**PASSWORD, "username": "wrong"}, "server_error"),
        ({"grant_type": "refresh_token", "refresh_token": "wrong", **CLIENT}, "server_error"),
        ({"grant_type": "authorization_code", **CLIENT}, "server_error"),
        ({}, "server_error"),
    ],
)
async def test_refusals(client, form, error):
    assert await token(client, form) == (401, {"error": error, "error_description": "access_denied"})


async def test_json_is_not_understood(client):
    status, _ = await client.request("POST", "/oauth_token.do", json=CREDENTIALS)
    assert status == 401


async def test_the_log_keeps_no_secrets(client, simulator):
    await token(client, PASSWORD)
    form = simulator.requests[-1].body
    assert form["grant_type"] == "password"
    assert {form["password"], form["client_secret"]} == {"[redacted]"}


class TestOpenInstance:
    @pytest.fixture
    def settings(self, receiver):
        return SimulatorSettings(callback_url=receiver.url)

    async def test_any_client_gets_a_token_where_nothing_is_configured(self, client):
        assert (await token(client, {**CREDENTIALS, "client_id": "any"}))[0] == 200
        assert (await token(client, PASSWORD))[0] == 200
