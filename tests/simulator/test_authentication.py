import base64
import hashlib
import hmac
import json

import pytest

from simulator import SimulatorSettings

INTEGRATION = "/api/sn_va_as_service/bot/integration"
BODY = {"userId": "u1", "action": "START_CONVERSATION"}


def basic(username, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def signature(text, secret="key"):
    return {"x-b2b-signature": hmac.new(secret.encode(), text.encode(), hashlib.sha1).hexdigest()}


async def post(client, body=None, **kwargs):
    data = json.dumps(BODY if body is None else body) if not isinstance(body, str) else body
    headers = {"Content-Type": "application/json", **kwargs.pop("headers", {})}
    return await client.request("POST", INTEGRATION, data=data, headers=headers)


async def test_without_configuration_everybody_is_let_in(client):
    headers = {**basic("any", "body"), "token": "x", "x-b2b-signature": "y"}
    assert (await post(client, headers=headers))[0] == 200


class TestBasic:
    @pytest.fixture
    def settings(self, receiver):
        return SimulatorSettings(callback_url=receiver.url, username="bot", password="pä:ss")

    async def test_right_credentials_are_let_in(self, client):
        assert (await post(client, headers=basic("bot", "pä:ss")))[0] == 200
        headers = {"Authorization": basic("bot", "pä:ss")["Authorization"].replace("Basic", "basic")}
        assert (await post(client, headers=headers))[0] == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            basic("bot", "wrong"),
            basic("wrong", "pä:ss"),
            {"Authorization": "Basic ???"},
            {"Authorization": "Basic " + base64.b64encode(b"\xff").decode()},
            {"Authorization": "Basic Ym90"},
            {"Authorization": "Bearer x"},
            {"Authorization": "Digest x"},
        ],
    )
    async def test_others_get_the_documented_401(self, client, simulator, headers):
        status, body = await post(client, headers=headers)
        error = {"message": "User Not Authenticated", "detail": "Required to provide Auth information"}
        assert (status, body) == (401, {"error": error, "status": "failure"})
        assert simulator.chats == []

    async def test_the_table_asks_for_them_too(self, client):
        path = "/api/now/table/incident"
        assert (await client.request("GET", path))[0] == 401
        assert (await client.request("GET", path, headers=basic("bot", "pä:ss")))[0] == 200

    async def test_nobody_gets_a_token_without_a_configured_client(self, client):
        form = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
        assert (await client.request("POST", "/oauth_token.do", data=form))[0] == 401


class TestToken:
    @pytest.fixture
    def settings(self, receiver):
        return SimulatorSettings(callback_url=receiver.url, message_token="secret")

    async def test_header_or_body_field_is_enough(self, client, simulator):
        for number, (body, headers) in enumerate(
            [
                (BODY, {"token": "secret"}),
                ({**BODY, "token": "secret"}, {}),
                ({**BODY, "token": 5}, {"token": "secret"}),
            ]
        ):
            await post(client, {**body, "userId": f"u{number}"}, headers=headers)
        assert len(simulator.chats) == 3

    @pytest.mark.parametrize(
        ("body", "headers"),
        [(BODY, {}), ({**BODY, "token": "secret"}, {"token": "wrong"}), ({**BODY, "token": ["secret"]}, {})],
    )
    async def test_a_bad_token_is_met_with_silence(self, client, simulator, receiver, body, headers):
        assert await post(client, body, headers=headers) == (200, {"status": "success"})
        await simulator.wait_until_sent()
        assert simulator.chats == []
        assert receiver.bodies == []

    async def test_or_with_401_where_configured(self, client, settings):
        settings.message_auth_failure = "reject"
        assert (await post(client))[0] == 401

    async def test_the_table_asks_for_no_message_token(self, client):
        assert (await client.request("GET", "/api/now/table/incident"))[0] == 200


class TestSignature:
    @pytest.fixture
    def settings(self, receiver):
        return SimulatorSettings(callback_url=receiver.url, hash_secret="key", message_auth_failure="reject")

    @pytest.mark.parametrize(
        ("sent", "signed"),
        [
            (
                '{"userId":"u1","message":{"text":"grüße 🙂"}}',
                '{"userId":"u1","message":{"text":"grüße 🙂"}}',
            ),
            (
                '{ "userId" : "u1",\n "message": {"text": "a\\/b"} }',
                '{"userId":"u1","message":{"text":"a/b"}}',
            ),
            ('{"userId":"u1","x":[1.0,2.5,true,null]}', '{"userId":"u1","x":[1,2.5,true,null]}'),
            ('{"userId":"u1","b":1,"10":1,"9":1,"01":1}', '{"9":1,"10":1,"userId":"u1","b":1,"01":1}'),
            ('{"userId":"u1","x":"\\ud800"}', '{"userId":"u1","x":"\\ud800"}'),
        ],
    )
    async def test_it_covers_the_reserialised_body(self, client, sent, signed):
        assert (await post(client, sent, headers=signature(signed)))[0] == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"x-b2b-signature": ""},
            signature(json.dumps(BODY)),  # with spaces: not minified
            signature(json.dumps(BODY, separators=(",", ":")), "other"),
            {
                "x-b2b-signature": signature(json.dumps(BODY, separators=(",", ":")))[
                    "x-b2b-signature"
                ].upper()
            },
        ],
    )
    async def test_others_are_refused(self, client, headers):
        assert (await post(client, headers=headers))[0] == 401
