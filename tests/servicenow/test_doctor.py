"""Each failure happens for real: against the simulator, plain servers, and our own channel."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handoff.finding import Verdict
from handoff.handoff import utc_now
from servicenow.doctor import CHECKS, examine
from simulator import SimulatorSettings
from tests.support.certificates import serve_with_own_certificate
from tests.support.stage import SECRET, play
from tests.support.web_server import Answer

ROOT = Path(__file__).resolve().parents[2]
JSON = {"Content-Type": "application/json"}
LOGIN = {"servicenow_auth": "basic", "servicenow_user": "bot", "servicenow_password": "right"}
CLIENT = {"servicenow_client_id": "id", "servicenow_client_secret": "right"}


@pytest.fixture
def simulator_settings(receiver):
    return SimulatorSettings(
        callback_url=receiver.url, username="bot", password="right", client_id="id", client_secret="right"
    )


@pytest.fixture
def find(make_settings, instance_url, tmp_path):
    """All findings, by check."""

    async def find_all(clock=utc_now, **changes):
        kept = {
            "handoff_database_url": f"sqlite:///{tmp_path}/ledger.db",
            "handoff_files_url": f"{tmp_path}/files",
        }
        known = {"url": instance_url, **kept, **LOGIN}
        settings = make_settings(**known | changes)
        return {finding.check: finding async for finding in examine(settings, clock)}

    return find_all


def assert_failed(finding, *words):
    assert finding.verdict is Verdict.FAILED, finding
    assert finding.advice
    for word in words:
        assert word in finding.detail + finding.advice


def assert_skipped(found, *names):
    assert [name for name in names if found[name].verdict is not Verdict.SKIPPED] == []


# -- all is well ------------------------------------------------------------------------


async def test_against_a_whole_assistant_nothing_fails(tmp_path):
    async with play(tmp_path) as stage:
        changed = stage.settings.model_copy(update={"handoff_public_url": stage.url})
        found = {finding.check: finding async for finding in examine(changed)}

        assert {f.check: f.detail for f in found.values() if f.verdict is Verdict.FAILED} == {}
        assert found.keys() == {check.name for check in CHECKS}
        assert stage.callback_url in found["callback"].advice
        assert SECRET not in str(found)
        assert stage.simulator.chats == []


async def test_nothing_is_written_to_the_instance(find, simulator):
    before = len(simulator.incidents)
    await find()
    assert simulator.chats == []
    assert len(simulator.incidents) == before


def test_the_doctor_does_not_load_rasa():
    program = "import servicenow.doctor, handoff.__main__, sys; print('rasa' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "False"


# -- the instance -----------------------------------------------------------------------


async def test_a_name_without_an_address(find):
    found = await find(url="https://nowhere.invalid")
    assert_failed(found["address"], "nowhere.invalid", "SERVICENOW_URL")
    assert_skipped(found, "connection", "instance", "clock", "authentication", "bot integration")


async def test_nobody_listens(find, unused_port):
    found = await find(url=f"http://127.0.0.1:{unused_port}")
    assert_failed(found["connection"], str(unused_port))
    assert_skipped(found, "instance", "incidents: read", "incidents: create")


async def test_a_certificate_that_nobody_vouches_for(find, tmp_path):
    async with serve_with_own_certificate(tmp_path) as url:
        assert_failed((await find(url=url))["connection"], "TLS", "self")


async def test_a_server_without_tls(find, server):
    assert_failed((await find(url=server.url.replace("http:", "https:")))["connection"], "TLS")


async def test_an_instance_that_hibernates(find, simulator):
    simulator.fail("html", endpoint="all")
    assert_failed((await find())["instance"], "html", "hibernates")


async def test_an_instance_that_is_down(find, simulator):
    simulator.fail("outage", endpoint="all")
    assert_failed((await find())["instance"], "503")


async def test_an_instance_that_hangs_up(find, simulator):
    simulator.fail("reset", endpoint="all")
    assert_failed((await find())["instance"], "no answer")


@pytest.mark.parametrize(("hours", "word"), [(1, "ahead of"), (-1, "behind")])
async def test_a_clock_that_goes_wrong(find, hours, word):
    found = await find(clock=lambda: datetime.now(UTC) + timedelta(hours=hours))
    assert_failed(found["clock"], word)


async def test_an_unreadable_date_says_nothing_about_the_clock(find, server):
    server.default = Answer(401, "{}", {**JSON, "Date": "once upon a time"})
    assert_skipped(await find(url=server.url), "clock")


# -- access -----------------------------------------------------------------------------


async def test_a_wrong_password(find):
    found = await find(servicenow_password="wrong")
    assert_failed(found["authentication"], "401", "SERVICENOW_PASSWORD")
    assert "wrong" not in found["authentication"].detail
    assert_skipped(found, "bot integration", "incidents: read")


@pytest.mark.parametrize("auth", ["oauth_client_credentials", "oauth_password"])
async def test_oauth(find, auth):
    good = await find(servicenow_auth=auth, **CLIENT)
    assert good["authentication"].verdict is Verdict.OK
    bad = await find(servicenow_auth=auth, **CLIENT | {"servicenow_client_secret": "wrong"})
    assert_failed(bad["authentication"], "token endpoint", "SERVICENOW_CLIENT_SECRET")


async def test_a_grant_that_is_switched_off(find, simulator):
    simulator.settings.client_credentials = False
    found = await find(servicenow_auth="oauth_client_credentials", **CLIENT)
    assert_failed(found["authentication"], "grant_type.enabled")


async def test_a_token_that_is_refused(find, simulator):
    simulator.settings.username = simulator.settings.client_id = None
    simulator.settings.message_token = "right"
    simulator.settings.message_auth_failure = "reject"
    found = await find(servicenow_auth="token", servicenow_token="wrong")
    assert_skipped(found, "authentication")
    assert_failed(found["bot integration"], "401", "SERVICENOW_TOKEN")


async def test_a_signature_that_may_be_refused_in_silence(find, simulator):
    simulator.settings.hash_secret = "right"
    found = await find(servicenow_signing_secret="wrong")
    assert found["bot integration"].verdict is Verdict.OK
    assert "sn_va_as_service" in found["bot integration"].advice


@pytest.mark.parametrize(
    ("status", "word"), [(403, "integration_user"), (404, "store application"), (405, "switched off")]
)
async def test_an_endpoint_that_is_closed_to_us(find, simulator, status, word):
    simulator.fail(str(status), endpoint="integration")
    assert_failed((await find())["bot integration"], str(status), word)


@pytest.mark.parametrize("mode", ["failure", "500"])
async def test_an_endpoint_that_is_busy(find, simulator, mode):
    simulator.fail(mode, endpoint="integration")
    assert_failed((await find())["bot integration"], "again")


async def test_an_incident_table_without_rights(find, simulator):
    simulator.fail("403", endpoint="table")
    found = await find()
    assert found["authentication"].verdict is Verdict.OK
    assert_failed(found["incidents: read"], "403", "itil")
    assert_skipped(found, "incidents: create")


async def test_an_incident_table_that_knows_no_token(find):
    found = await find(servicenow_auth="token", servicenow_token="any")
    assert_failed(found["incidents: read"], "401", "basic or OAuth")


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ('{"result":[{}]}', Verdict.FAILED),
        ('{"hello":"you"}', Verdict.FAILED),
        ('{"result":[]}', Verdict.OK),
        ('{"result":[{"number":"INC1"}]}', Verdict.OK),
    ],
)
async def test_what_the_incident_table_shows(find, server, body, verdict):
    server.default = Answer(200, body, JSON)
    assert (await find(url=server.url))["incidents: read"].verdict is verdict


# -- the callback -----------------------------------------------------------------------


async def test_no_assistant_runs(find, unused_port):
    found = await find(handoff_public_url=f"http://127.0.0.1:{unused_port}")
    assert_failed(found["callback"], "HANDOFF_PUBLIC_URL")


async def test_an_assistant_with_another_secret(find, tmp_path):
    async with play(tmp_path) as stage:
        found = await find(handoff_public_url=stage.url, servicenow_callback_secret="another")
    assert_failed(found["callback"], "401", "another secret")


async def test_a_user_and_a_password(find, tmp_path):
    login = {"servicenow_callback_user": "instance", "servicenow_callback_password": "pä:ss"}
    async with play(tmp_path, servicenow_callback_secret=None, **login) as stage:
        found = await find(handoff_public_url=stage.url, servicenow_callback_secret=None, **login)
    assert found["callback"].verdict is Verdict.OK
    assert "user instance" in found["callback"].advice
    assert "pä:ss" not in str(found)


@pytest.mark.parametrize(
    ("status", "word"),
    [(404, "another server"), (503, "starting"), (302, "proxy"), (200, "proxy"), (401, "secret")],
)
async def test_what_else_may_answer_there(find, server, status, word):
    server.default = Answer(status, "", {"Location": "https://login.example"} if status == 302 else {})
    finding = (await find(handoff_public_url=server.url))["callback"]
    assert_failed(finding)
    assert word in finding.advice.lower()


# -- files --------------------------------------------------------------------------------


async def test_a_store_that_cannot_be_written(find, tmp_path):
    (tmp_path / "files").write_text("not a folder")
    assert_failed((await find())["files"], "HANDOFF_FILES_URL")


async def test_links_that_lead_to_nobody_or_somebody_else(find, server, unused_port):
    found = await find(handoff_public_url=f"http://127.0.0.1:{unused_port}")
    assert_failed(found["files"], "HANDOFF_PUBLIC_URL")
    assert_failed((await find(handoff_public_url=server.url))["files"], "200", "403 was expected")


async def test_where_links_lead_to_us_the_host_to_be_trusted_is_named(find, tmp_path):
    async with play(tmp_path) as stage:
        finding = (await find(handoff_public_url=stage.url))["files"]
    assert finding.verdict is Verdict.OK
    assert "loopback" in finding.advice
    assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


async def test_where_files_are_uploaded_no_link_is_followed(find, unused_port):
    url = f"http://127.0.0.1:{unused_port}"
    found = await find(handoff_public_url=url, servicenow_files="upload")
    assert found["files"].verdict is Verdict.OK
    assert_skipped(await find(servicenow_files="none"), "files")


# -- what may be read, where it is wanted ------------------------------------------------


async def test_what_is_not_wanted_is_not_looked_at(find):
    found = await find()
    assert_skipped(found, "availability", "transcripts: read")


async def test_who_is_there_can_be_read(find, simulator):
    wanted = {
        "servicenow_availability": True,
        "servicenow_availability_queue": simulator.floor.queues[0].name,
        "servicenow_availability_presence": "current_presence_state.name=Available",
    }
    assert "are there" in (await find(**wanted))["availability"].detail
    simulator.change_agent("Alex Morgan", presence="Away")
    assert "nobody" in (await find(**wanted))["availability"].detail
    assert_failed((await find(**wanted | {"servicenow_availability_queue": "HR"}))["availability"], "HR")
    simulator.settings.denied_tables = ["awa_agent_presence"]
    assert_failed((await find(**wanted))["availability"], "403", "awa_agent_presence")


async def test_transcripts_can_be_read(find, simulator):
    assert (await find(handoff_audit=True))["transcripts: read"].verdict is Verdict.OK
    simulator.settings.denied_tables = ["sys_cs_conversation"]
    assert_failed((await find(handoff_audit=True))["transcripts: read"], "sys_cs_conversation", "403")


async def test_the_queue_of_the_older_chat_can_be_read(find, simulator):
    wanted = {"servicenow_desk": "connect_support", "servicenow_availability": True, "handoff_audit": True}
    found = await find(**wanted, servicenow_queue=simulator.settings.connect_queue_id)
    assert "are there" in found["availability"].detail
    assert_skipped(found, "transcripts: read")
