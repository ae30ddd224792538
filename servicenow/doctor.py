"""``python -m handoff doctor``: every check against an instance, one after another.

Nothing is written to the instance, and no chat is opened there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from handoff.checkup import LEDGER, check_ledger
from handoff.finding import Finding, Verdict, skipped
from handoff.handoff import Clock, utc_now
from handoff.settings import Settings
from servicenow.access_checks import check_authentication, check_creating, check_incidents, check_integration
from servicenow.auth import make_credentials
from servicenow.availability_check import AVAILABILITY, check_availability
from servicenow.callback_check import check_callback
from servicenow.file_check import FILES, check_files
from servicenow.http import Instance
from servicenow.instance_checks import check_answer, check_clock, check_name, check_tls
from servicenow.transcript_check import TRANSCRIPTS, check_transcripts
from servicenow.visit import Visit


@dataclass(frozen=True)
class Check:
    """A check by name, and the checks without which it means nothing."""

    name: str
    run: Callable[[Visit], Awaitable[Finding]]
    needs: tuple[str, ...] = ()


async def _check_ledger(visit: Visit) -> Finding:
    return await check_ledger(visit.settings.handoff_database_url)


CHECKS = (
    Check(LEDGER, _check_ledger),
    Check("address", check_name),
    Check("connection", check_tls, ("address",)),
    Check("instance", check_answer, ("connection",)),
    Check("clock", check_clock, ("instance",)),
    Check("authentication", check_authentication, ("instance",)),
    Check("bot integration", check_integration, ("authentication",)),
    Check("incidents: read", check_incidents, ("authentication",)),
    Check("incidents: create", check_creating, ("incidents: read",)),
    Check(AVAILABILITY, check_availability, ("authentication",)),
    Check(TRANSCRIPTS, check_transcripts, ("authentication",)),
    Check("callback", check_callback),
    Check(FILES, check_files),
)


async def examine(settings: Settings, clock: Clock = utc_now) -> AsyncIterator[Finding]:
    """The findings, as they come; a check whose condition is broken is skipped."""
    timeout = aiohttp.ClientTimeout(total=settings.servicenow_request_timeout)
    instance = Instance(
        settings.servicenow_url,
        make_credentials(settings),
        signing_secret=settings.servicenow_signing_secret,
        request_timeout=settings.servicenow_request_timeout,
    )
    try:
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
            visit = Visit(settings, instance, session, clock)
            broken: set[str] = set()
            for check in CHECKS:
                missing = [name for name in check.needs if name in broken]
                finding = _pass_over(check, missing) if missing else await check.run(visit)
                if missing or finding.verdict is Verdict.FAILED:
                    broken.add(check.name)
                yield finding
    finally:
        await instance.close()


def _pass_over(check: Check, missing: list[str]) -> Finding:
    return skipped(check.name, f"needs: {', '.join(missing)}")
