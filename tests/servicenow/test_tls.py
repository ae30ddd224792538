"""Our credentials go to nobody but the instance: its certificate is looked at before anything is said."""

import asyncio
import os
import sys

import pytest
from cryptography import x509

from handoff.errors import DeskUnavailable
from tests.support.certificates import serve_with_certificate, serve_with_own_certificate, write_certificate
from tests.support.processes import ROOT
from tests.support.web_server import Answer

CALL = """
import asyncio, sys
from handoff.errors import DeskUnavailable
from handoff.settings import read_settings
from servicenow.auth import make_credentials
from servicenow.http import Instance

async def main():
    settings = read_settings()
    instance = Instance(settings.servicenow_url, make_credentials(settings))
    try:
        print((await instance.get("/api/now/table/incident")).status)
    except DeskUnavailable as error:
        print(error)
    finally:
        await instance.close()

asyncio.run(main())
"""
BASIC = {
    "SERVICENOW_AUTH": "basic",
    "SERVICENOW_USER": "integration",
    "SERVICENOW_PASSWORD": "sEcReT",
    "SERVICENOW_CALLBACK_SECRET": "callback",
}


async def call(url: str, authority) -> str:
    """What a process says that trusts this authority only; trust is read once per process."""
    environment = {**os.environ, **BASIC, "SERVICENOW_URL": url, "SSL_CERT_FILE": str(authority)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CALL, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    return said.decode().strip()


@pytest.mark.parametrize("auth", ["basic", "oauth_client_credentials"])
async def test_a_certificate_that_nobody_vouches_for_is_told_nothing(make_instance, tmp_path, auth):
    heard: list[str] = []
    async with serve_with_own_certificate(tmp_path, heard) as url:
        known = {"servicenow_user": "u", "servicenow_password": "p"}
        client = {"servicenow_client_id": "c", "servicenow_client_secret": "s"}
        with pytest.raises(DeskUnavailable, match="Certificate"):
            await make_instance(url, servicenow_auth=auth, **known, **client).get("/api/now/x")
    assert heard == []


async def test_a_company_may_vouch_for_its_own_instance(tmp_path):
    """By SSL_CERT_FILE, as everywhere in Python: the way where a proxy opens TLS."""
    heard: list[str] = []
    own = write_certificate(tmp_path / "own.pem")
    async with serve_with_certificate(own, heard) as url:
        assert await call(url, own) == "200"
    assert "Basic" in heard[0]


@pytest.mark.parametrize(
    ("host", "expired"),
    [(x509.DNSName("other.service-now.com"), False), (None, True)],
    ids=["of another host", "expired"],
)
async def test_a_certificate_that_is_not_the_instances_is_told_nothing(tmp_path, host, expired):
    heard: list[str] = []
    wrong = write_certificate(tmp_path / "wrong.pem", host, expired=expired)
    async with serve_with_certificate(wrong, heard) as url:
        assert "Certificate" in await call(url, wrong)
    assert heard == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_takes_no_token_request_elsewhere(make_instance, server, status):
    """Neither the client's secret, nor the user's password."""
    server.default = Answer(status, "", {"Location": f"{server.url}/elsewhere"})
    instance = make_instance(
        server.url,
        servicenow_auth="oauth_password",
        servicenow_client_id="client",
        servicenow_client_secret="sEcReT",
        servicenow_user="user",
        servicenow_password="pAsS",
    )
    with pytest.raises(DeskUnavailable):
        await instance.get("/api/now/x")
    assert [request.path for request in server.requests] == ["/oauth_token.do"]
