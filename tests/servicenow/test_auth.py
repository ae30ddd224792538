import asyncio
import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qs

import aiohttp
import pytest
from pydantic import SecretStr

from handoff.errors import DeskBusy, DeskRejected, DeskUnavailable
from handoff.settings import Auth
from servicenow.auth import EXPIRY_MARGIN, FixedHeaders, OAuthToken, make_credentials, sign
from servicenow.bot_integration import PATH
from simulator import Simulator, SimulatorSettings
from tests.support.clock import ManualClock
from tests.support.web_server import Answer

SECRET = "sEcReT"
CLIENT = {"client_id": "rasa", "client_secret": SECRET}
PASSWORD = {"grant_type": "password", "username": "u", "password": SECRET}
CREDENTIALS = {"grant_type": "client_credentials"}


def token(access="t1", refresh=None, expires_in=1799):
    answer = {
        "access_token": access,
        "refresh_token": refresh,
        "token_type": "Bearer",
        "expires_in": expires_in,
    }
    return Answer(body=json.dumps({key: value for key, value in answer.items() if value is not None}))


def refused(error="server_error", status=401):
    return Answer(status, json.dumps({"error": error, "error_description": "access_denied"}))


def forms(server):
    return [{key: value[0] for key, value in parse_qs(r.raw.decode()).items()} for r in server.requests]


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def make_token(server, clock):
    def make(form=PASSWORD):
        return OAuthToken(server.url, form, CLIENT, now=clock.timestamp)

    return make


async def authorization(credentials, session):
    return (await credentials.headers(session))["Authorization"]


# -- what never changes -----------------------------------------------------------------


async def test_basic_is_user_and_password_in_utf8(make_settings, session):
    settings = make_settings(servicenow_auth="basic", servicenow_user="jörg", servicenow_password="p:ä")
    header = await authorization(make_credentials(settings), session)
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == "jörg:p:ä"


async def test_a_static_token_travels_in_its_own_header(make_settings, session):
    settings = make_settings(servicenow_auth="token", servicenow_token=SECRET)
    assert await make_credentials(settings).headers(session) == {"token": SECRET}


async def test_none_sends_nothing(make_settings, session):
    assert await make_credentials(make_settings()).headers(session) == {}


def test_what_never_changes_is_not_worth_asking_again():
    assert not FixedHeaders({}).forget({})


@pytest.mark.parametrize("auth", Auth)
def test_no_credentials_show_their_secret(make_settings, auth):
    settings = make_settings(
        servicenow_auth=auth,
        servicenow_user="u",
        servicenow_password=SECRET,
        servicenow_client_id="c",
        servicenow_client_secret=SECRET,
        servicenow_token=SECRET,
    )
    credentials = make_credentials(settings)
    assert SECRET not in repr(credentials)
    assert base64.b64encode(f"u:{SECRET}".encode()).decode() not in repr(credentials)


# -- OAuth ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [PASSWORD, CREDENTIALS])
async def test_a_token_is_asked_for_with_a_form_and_kept(make_token, server, session, form):
    server.default = token("t1")
    credentials = make_token(form)
    for _ in range(3):
        assert await authorization(credentials, session) == "Bearer t1"
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/oauth_token.do")
    assert request.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert forms(server) == [{**CLIENT, **form}]


async def test_many_calls_at_once_ask_once(make_token, server, session):
    server.default = token("t1")
    credentials = make_token()
    headers = await asyncio.gather(*(authorization(credentials, session) for _ in range(5)))
    assert set(headers) == {"Bearer t1"}
    assert len(server.requests) == 1


async def test_a_token_is_replaced_a_minute_before_it_ends(make_token, server, session, clock):
    server.answer(token("t1", "r1", 1800), token("t2", "r1", 1800))
    credentials = make_token()
    await authorization(credentials, session)
    clock.advance(1800 - EXPIRY_MARGIN - 1)
    assert await authorization(credentials, session) == "Bearer t1"
    clock.advance(1)
    assert await authorization(credentials, session) == "Bearer t2"
    assert forms(server)[1] == {**CLIENT, "grant_type": "refresh_token", "refresh_token": "r1"}


async def test_without_a_refresh_token_the_client_asks_anew(make_token, server, session, clock):
    server.answer(token("t1"), token("t2"))
    credentials = make_token(CREDENTIALS)
    await authorization(credentials, session)
    clock.advance(1799)
    assert await authorization(credentials, session) == "Bearer t2"
    assert forms(server)[1]["grant_type"] == "client_credentials"


async def test_a_refused_refresh_falls_back_to_the_password(make_token, server, session, clock):
    server.answer(token("t1", "r1"), refused(), token("t2", "r2"), token("t3", "r2"))
    credentials = make_token()
    await authorization(credentials, session)
    clock.advance(1799)
    assert await authorization(credentials, session) == "Bearer t2"
    clock.advance(1799)
    assert await authorization(credentials, session) == "Bearer t3"
    assert [form["grant_type"] for form in forms(server)] == [
        "password",
        "refresh_token",
        "password",
        "refresh_token",
    ]


async def test_a_refresh_that_keeps_its_token_silent_is_kept_by_us(make_token, server, session, clock):
    server.answer(token("t1", "r1"), token("t2"), token("t3"))
    credentials = make_token()
    for _ in range(3):
        await authorization(credentials, session)
        clock.advance(1799)
    assert [form.get("refresh_token") for form in forms(server)] == [None, "r1", "r1"]


async def test_a_forgotten_token_is_asked_for_again(make_token, server, session):
    server.answer(token("t1"), token("t2"))
    credentials = make_token(CREDENTIALS)
    used = await credentials.headers(session)
    assert credentials.forget(used)
    assert await authorization(credentials, session) == "Bearer t2"


async def test_two_requests_that_are_refused_with_one_token_renew_it_once(make_token, server, session):
    server.answer(token("t1"), token("t2"))
    credentials = make_token(CREDENTIALS)
    used = await credentials.headers(session)
    for _ in range(2):
        assert credentials.forget(used)
        assert await authorization(credentials, session) == "Bearer t2"


@pytest.mark.parametrize("lifetime", ["1800", 1800.0, "soon", None, [], "nan"])
async def test_a_lifetime_of_any_type_is_survived(make_token, server, session, lifetime):
    server.default = token("t1", expires_in=lifetime)
    assert await authorization(make_token(), session) == "Bearer t1"


@pytest.mark.parametrize(
    "answer",
    [
        refused("unauthorized_client"),
        refused("invalid_client", 400),
        Answer(403, "{}"),
        Answer(200, "{}"),
        Answer(200, '{"access_token":null}'),
        Answer(200, "[]"),
        Answer(401, ""),
    ],
)
async def test_a_token_endpoint_that_refuses_is_not_asked_again(make_token, server, session, answer):
    server.default = answer
    with pytest.raises(DeskRejected) as error:
        await authorization(make_token(), session)
    assert SECRET not in str(error.value)
    assert error.value.status == answer.status


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, "{}"),
        Answer(503, "<html>"),
        Answer(200, "<html>Hibernating</html>"),
        Answer(401, "<html>"),
        Answer(302, "", {"Location": "/login.do"}),
        Answer(307, "", {"Location": "/login.do"}),
        Answer(drop=True),
    ],
)
async def test_a_token_endpoint_in_trouble_has_not_refused_us(make_token, server, session, answer):
    server.default = answer
    with pytest.raises(DeskUnavailable):
        await authorization(make_token(), session)
    assert {request.path for request in server.requests} == {"/oauth_token.do"}  # no redirect was followed


async def test_a_busy_token_endpoint_says_when_to_come_back(make_token, server, session):
    server.default = Answer(429, "{}", {"Retry-After": "7"})
    with pytest.raises(DeskBusy) as error:
        await authorization(make_token(), session)
    assert error.value.retry_after == 7


async def test_a_token_endpoint_in_trouble_keeps_the_refresh_token(make_token, server, session, clock):
    server.answer(token("t1", "r1"), Answer(503, "{}"), token("t2"))
    credentials = make_token()
    await authorization(credentials, session)
    clock.advance(1799)
    with pytest.raises(DeskUnavailable):
        await authorization(credentials, session)
    assert await authorization(credentials, session) == "Bearer t2"
    assert forms(server)[2]["grant_type"] == "refresh_token"


# -- a 401 of the instance --------------------------------------------------------------


@pytest.fixture
def oauth(make_instance, server):
    return make_instance(
        server.url,
        servicenow_auth="oauth_client_credentials",
        servicenow_client_id="rasa",
        servicenow_client_secret=SECRET,
    )


def paths(server):
    return [request.path for request in server.requests]


async def test_a_401_renews_the_token_and_tries_once_more(oauth, server):
    server.answer(token("t1"), refused(), token("t2"), Answer())
    assert (await oauth.post("/api/x", {"n": 1})).status == 200
    assert paths(server) == ["/oauth_token.do", "/api/x", "/oauth_token.do", "/api/x"]
    first, second = (r for r in server.requests if r.path == "/api/x")
    assert (first.headers["Authorization"], second.headers["Authorization"]) == ("Bearer t1", "Bearer t2")
    assert first.raw == second.raw


async def test_a_second_401_is_believed(oauth, server):
    server.answer(token("t1"), refused(), token("t2"), refused())
    with pytest.raises(DeskRejected) as error:
        await oauth.post("/api/x", {})
    assert error.value.status == 401
    assert len(server.requests) == 4


async def test_credentials_that_the_token_endpoint_refuses_are_offered_once(oauth, server):
    """Repeating a wrong password locks accounts."""
    server.default = refused()
    with pytest.raises(DeskRejected):
        await oauth.post("/api/x", {})
    assert paths(server) == ["/oauth_token.do"]


async def test_a_401_for_basic_is_believed_at_once(make_instance, server):
    server.default = refused()
    instance = make_instance(
        server.url, servicenow_auth="basic", servicenow_user="u", servicenow_password=SECRET
    )
    with pytest.raises(DeskRejected):
        await instance.post("/api/x", {})
    assert len(server.requests) == 1


# -- against the simulator --------------------------------------------------------------

LOGIN = {"username": "integration", "password": SECRET}
CLIENT_OF_SIMULATOR = {"client_id": "rasa", "client_secret": SECRET}
OURS = {
    "servicenow_user": "integration",
    "servicenow_password": SECRET,
    "servicenow_client_id": "rasa",
    "servicenow_client_secret": SECRET,
    "servicenow_token": "static",
    "servicenow_signing_secret": "sign-me",
}


@pytest.mark.parametrize(
    ("auth", "asked_for"),
    [
        ("basic", LOGIN),
        ("oauth_password", {**LOGIN, **CLIENT_OF_SIMULATOR}),
        ("oauth_client_credentials", CLIENT_OF_SIMULATOR),
        ("token", {"message_token": "static"}),
        ("none", {}),
    ],
)
async def test_the_simulated_instance_lets_us_in(make_instance, receiver, auth, asked_for):
    """With a signature on top, which the instance computes over its own rendering of the body."""
    settings = SimulatorSettings(
        callback_url=receiver.url, hash_secret="sign-me", message_auth_failure="reject", **asked_for
    )
    simulator = Simulator(settings)
    body = {"userId": "u1", "message": {"text": "hällo 🙂 \ud83d", "typed": True}, "timestamp": 1}
    async with simulator.serve() as url:
        reply = await make_instance(url, servicenow_auth=auth, **OURS).post(PATH, body)
        assert reply.body == {"status": "success"}
        await simulator.wait_until_sent()


@pytest.mark.parametrize("wrong", [{"servicenow_password": "x"}, {"servicenow_signing_secret": "x"}])
async def test_the_simulated_instance_keeps_others_out(make_instance, receiver, wrong):
    settings = SimulatorSettings(
        callback_url=receiver.url, hash_secret="sign-me", message_auth_failure="reject", **LOGIN
    )
    async with Simulator(settings).serve() as url:
        with pytest.raises(DeskRejected, match="401: User Not Authenticated"):
            await make_instance(url, servicenow_auth="basic", **OURS | wrong).post(PATH, {"userId": "u"})


async def test_an_expired_token_is_renewed_without_anybody_noticing(make_instance, receiver):
    settings = SimulatorSettings(callback_url=receiver.url, **LOGIN, **CLIENT_OF_SIMULATOR)
    simulator = Simulator(settings)
    async with simulator.serve() as url:
        instance = make_instance(url, servicenow_auth="oauth_password", **OURS)
        for _ in range(2):
            reply = await instance.post(PATH, {"userId": "u1", "action": "TYPING"})
            assert reply.body == {"status": "success"}
            simulator.tokens.expire()
        grants = [r.body["grant_type"] for r in simulator.requests if r.path == "/oauth_token.do"]
    assert grants == ["password", "refresh_token"]


# -- the signature ----------------------------------------------------------------------


def test_the_signature_is_lower_case_hex_of_hmac_sha1():
    body = '{"text":"hëllo"}'.encode()
    expected = hmac.new(b"key", body, hashlib.sha1).hexdigest()
    assert sign(body, SecretStr("key")) == expected
    assert len(expected) == 40


async def test_what_is_signed_is_what_is_sent(make_instance, server):
    instance = make_instance(server.url, servicenow_signing_secret="clé")
    await instance.post("/api/x", {"text": "a b", "n": 1})
    (request,) = server.requests
    assert request.headers["x-b2b-signature"] == hmac.new("clé".encode(), request.raw, "sha1").hexdigest()
