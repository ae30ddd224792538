"""Is there an instance at the address: its name, its certificate, its answer, its clock."""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC
from email.utils import parsedate_to_datetime

import aiohttp

from handoff.finding import Finding, failed, ok, skipped
from servicenow.incident import PATH
from servicenow.visit import Visit

SKEW = 60.0  # seconds; a token is renewed that long before its end
ASLEEP = (
    "A developer instance that hibernates answers like this: wake it up on ServiceNow's developer site. "
    "Otherwise a proxy or a login page stands in the way."
)


async def check_name(visit: Visit) -> Finding:
    """The host's name has an address."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(visit.host, visit.port, type=socket.SOCK_STREAM)
    except OSError as error:
        return failed(
            "address",
            f"{visit.host}: {error.strerror or error}",
            "Check SERVICENOW_URL, and this machine's name servers.",
        )
    return ok("address", f"{visit.host} is {found[0][4][0]}")


async def check_tls(visit: Visit) -> Finding:
    """A connection, and a certificate that this machine trusts."""
    context = ssl.create_default_context() if visit.is_encrypted else None
    try:
        async with asyncio.timeout(visit.settings.servicenow_request_timeout):
            _, writer = await asyncio.open_connection(visit.host, visit.port, ssl=context)
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or "no TLS"
        return failed(
            "connection",
            f"TLS with {visit.host}: {reason}",
            "A proxy that opens TLS needs its certificate in this machine's trust store (or SSL_CERT_FILE).",
        )
    except (OSError, TimeoutError) as error:
        return failed(
            "connection",
            f"{visit.host}:{visit.port}: {type(error).__name__}",
            "Check SERVICENOW_URL, and that a firewall lets this machine out to it.",
        )
    writer.close()
    return ok("connection", "TLS, certificate verified" if context else "without TLS, on this machine only")


async def check_answer(visit: Visit) -> Finding:
    """Any answer of the REST layer will do, even a refusal; a web page is none."""
    try:
        async with visit.session.get(visit.settings.servicenow_url + PATH, allow_redirects=False) as response:
            visit.date = response.headers.get("Date")
            status, kind = response.status, response.content_type
    except (aiohttp.ClientError, TimeoutError) as error:
        return failed("instance", f"no answer: {type(error).__name__}", "Try again; is the instance up?")
    if status < 400 and kind != "application/json":
        return failed("instance", f"answered {status} with {kind} instead of JSON", ASLEEP)
    if status >= 500:
        return failed("instance", f"answered {status}", "The instance or a proxy before it is down.")
    return ok("instance", f"answers ({status} without credentials)")


async def check_clock(visit: Visit) -> Finding:
    """Our messages carry our time, and tokens end by the clock."""
    try:
        theirs = parsedate_to_datetime(visit.date or "")
    except ValueError:
        return skipped("clock", "the instance sends no Date")
    aware = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    skew = (visit.clock() - aware).total_seconds()
    if abs(skew) > SKEW:
        direction = "ahead of" if skew > 0 else "behind"
        return failed(
            "clock",
            f"this machine is {abs(skew):.0f} s {direction} the instance",
            "Let this machine keep its time by NTP.",
        )
    return ok("clock", f"within {max(1, abs(skew)):.0f} s of the instance")
