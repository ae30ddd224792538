import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.errors import DeskBusy, DeskRejected, DeskUnavailable
from servicenow.http import minify, refuse
from simulator.envelope import minified
from tests.support.web_server import Answer

PATH = "/api/x"
HTML = {"Content-Type": "text/html"}


def refusal(status, message="No", detail="Because", **headers):
    body = json.dumps({"error": {"message": message, "detail": detail}, "status": "failure"})
    return Answer(status, body, {"Content-Type": "application/json", **headers})


@pytest.fixture
def instance(make_instance, server):
    return make_instance(server.url)


# -- what is sent -----------------------------------------------------------------------


async def test_json_is_posted_minified(instance, server):
    await instance.post(PATH, {"text": "hëllo 🙂", "n": 1, "on": True, "list": [1, {}]}, query={"q": "a b"})
    (request,) = server.requests
    assert request.raw == '{"text":"hëllo 🙂","n":1,"on":true,"list":[1,{}]}'.encode()
    assert (request.method, request.path, request.query) == ("POST", PATH, {"q": "a b"})
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Accept"] == "application/json"


async def test_a_query_is_encoded(instance, server):
    await instance.get(PATH, query={"sysparm_query": "number=INC1^x=å&b"})
    assert server.requests[0].query == {"sysparm_query": "number=INC1^x=å&b"}


async def test_nothing_is_signed_without_a_signing_secret(instance, server):
    await instance.post(PATH, {})
    assert "x-b2b-signature" not in {name.lower() for name in server.requests[0].headers}


async def test_no_cookie_is_kept(instance, server):
    server.default = Answer(headers={"Set-Cookie": "JSESSIONID=1"})
    await instance.get(PATH)
    await instance.get(PATH)
    assert "Cookie" not in server.requests[1].headers


# -- what is answered -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "parsed"),
    [
        ('{"status":"success"}', {"status": "success"}),
        ("[1]", [1]),
        ("Message Processed Successfully", "Message Processed Successfully"),
        ("", ""),
        (b"caf\xe9", "caf\N{REPLACEMENT CHARACTER}"),
    ],
)
@pytest.mark.parametrize("status", [200, 201])
async def test_a_success_is_parsed_whatever_it_is(instance, server, status, body, parsed):
    server.default = Answer(status, body, {"Content-Type": "application/json; charset=utf-8"})
    reply = await instance.get(PATH)
    assert (reply.status, reply.body) == (status, parsed)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 415])
async def test_a_refusal_carries_its_status_and_the_instances_words(instance, server, status):
    server.default = refusal(status, "User Not Authorized")
    with pytest.raises(DeskRejected, match=f"{status}: User Not Authorized") as error:
        await instance.post(PATH, {})
    assert error.value.status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_broken_instance_is_worth_another_try(instance, server, status):
    server.default = refusal(status)
    with pytest.raises(DeskUnavailable, match=str(status)):
        await instance.post(PATH, {})
    assert len(server.requests) == 1  # that try is somebody else's


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-5", 0.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        (None, None),
    ],
)
async def test_a_rate_limit_says_how_long_to_wait(instance, server, header, seconds):
    server.default = refusal(429, "Rate limit exceeded", **({"Retry-After": header} if header else {}))
    with pytest.raises(DeskBusy, match="Rate limit exceeded") as error:
        await instance.post(PATH, {})
    assert error.value.retry_after == seconds


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<html><body>Hibernating</body></html>", "ServiceNow answered 503"),
        ('{"error":"invalid_client"}', "ServiceNow answered 503: invalid_client"),
        ('{"error":null}', "ServiceNow answered 503"),
        ("[1]", "ServiceNow answered 503"),
        (b"\xff\xfe", "ServiceNow answered 503"),
    ],
)
async def test_an_error_of_any_shape_has_a_readable_reason(instance, server, body, reason):
    server.default = Answer(503, body, HTML)
    with pytest.raises(DeskUnavailable) as error:
        await instance.get(PATH)
    assert str(error.value) == reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(instance, server, status):
    """It would take the credentials along."""
    server.default = Answer(status, "", {"Location": f"{server.url}/elsewhere"})
    with pytest.raises(DeskUnavailable, match=str(status)):
        await instance.post(PATH, {})
    assert [request.path for request in server.requests] == [PATH]


# -- no answer --------------------------------------------------------------------------


async def test_a_connection_refused_means_that_nothing_was_done(make_instance, unused_port):
    with pytest.raises(DeskUnavailable, match="No connection") as error:
        await make_instance(f"http://127.0.0.1:{unused_port}").post(PATH, {})
    assert not error.value.possibly_done


async def test_a_connection_lost_after_the_request_may_have_done_it(instance, server):
    server.default = Answer(drop=True)
    with pytest.raises(DeskUnavailable, match="no answer") as error:
        await instance.post(PATH, {})
    assert error.value.possibly_done


async def test_an_answer_that_does_not_come_may_have_done_it(make_instance, server):
    server.default = Answer(hang=True)
    instance = make_instance(server.url, servicenow_request_timeout=0.1)
    with pytest.raises(DeskUnavailable, match="TimeoutError") as error:
        await instance.post(PATH, {})
    assert error.value.possibly_done


async def test_after_a_failure_the_next_call_works(instance, server):
    server.answer(Answer(drop=True))
    with pytest.raises(DeskUnavailable):
        await instance.post(PATH, {})
    assert (await instance.post(PATH, {})).status == 200
    assert len(server.requests) == 2  # nothing was repeated behind our back


async def test_calls_run_side_by_side(instance, server):
    server.answer(Answer(hang=True))
    slow = asyncio.create_task(instance.get("/slow"))
    await asyncio.wait_for(instance.get("/quick"), 5)
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)


async def test_an_instance_that_was_never_called_can_be_closed(make_instance):
    await make_instance("https://example.service-now.com").close()


# -- secrets ----------------------------------------------------------------------------


async def test_neither_repr_nor_errors_show_a_secret(make_instance, server):
    instance = make_instance(
        server.url,
        servicenow_auth="basic",
        servicenow_user="integration",
        servicenow_password="sEcReT",
        servicenow_signing_secret="sIgN",
    )
    server.default = refusal(403)
    with pytest.raises(DeskRejected) as error:
        await instance.post(PATH, {"text": "private words"})
    for shown in (repr(instance), str(error.value), repr(error.value)):
        assert not any(word in shown for word in ("sEcReT", "sIgN", "private"))


# -- minified JSON ----------------------------------------------------------------------

names = st.text("abcXYZ_", min_size=1)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec=None, exclude_categories=[])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcXYZ_", min_size=1), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(names, json_values, max_size=4))
def test_it_is_what_javascript_would_write(body):
    """The simulator's own rendering of JSON.stringify is the judge."""
    assert minify(body) == minified(body)


def test_half_an_emoji_is_escaped():
    assert minify({"t": "a\ud83d"}) == b'{"t":"a\\ud83d"}'
    assert json.loads(minify({"t": "a\ud83d"})) == {"t": "a\ud83d"}


# -- statuses that are answers ----------------------------------------------------------


async def test_an_expected_refusal_is_an_answer(instance, server):
    server.answer(refusal(503))
    reply = await instance.post(PATH, {}, expected=(403, 503))
    assert (reply.status, reply.body["error"]["message"]) == (503, "No")
    assert isinstance(refuse(reply), DeskUnavailable)


async def test_any_other_is_an_error_all_the_same(instance, server):
    server.answer(refusal(404))
    with pytest.raises(DeskRejected):
        await instance.post(PATH, {}, expected=(403, 503))


async def test_the_result_is_taken_out_of_its_wrapping(instance, server):
    server.answer(Answer(body='{"result": [1]}'))
    assert (await instance.get(PATH)).result == [1]


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"status": "success"}'])
async def test_an_answer_without_a_result_is_not_of_the_api(instance, server, body):
    server.answer(Answer(body=body))
    reply = await instance.get(PATH)
    with pytest.raises(DeskUnavailable, match="not its API"):
        assert reply.result
