"""Would a callback reach us: the doctor POSTs one to our own address, as the instance would."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp

from handoff.finding import Finding, failed, ok
from handoff.settings import LOOPBACK, Settings
from servicenow.auth import write_basic
from servicenow.visit import Visit

PATH = "/webhooks/servicenow/callback"
SECRET_HEADER = "x-handoff-secret"  # noqa: S105 - the name of a header


async def check_callback(visit: Visit) -> Finding:
    """An empty callback, which changes nothing: refused without our secret, taken with it."""
    url = visit.settings.handoff_public_url + PATH
    try:
        stranger = await _post(visit, url, {})
        known = await _post(visit, url, _write_credentials(visit.settings))
    except (aiohttp.ClientError, TimeoutError) as error:
        return failed(
            "callback",
            f"{url}: {type(error).__name__}",
            "Start the assistant, or set HANDOFF_PUBLIC_URL to the address at which the instance reaches it.",
        )
    if (stranger, known) == (401, 200):
        return ok(
            "callback", f"{url} takes our secret and refuses others", describe_connection(visit.settings)
        )
    return failed(
        "callback", f"{url}: {stranger} without our secret, {known} with it", _advise(stranger, known)
    )


def describe_connection(settings: Settings) -> str:
    """What an administrator enters on the instance, the secrets by their variables' names."""
    url = settings.handoff_public_url + PATH
    if settings.servicenow_callback_secret:
        proof = f"Attributes: header {SECRET_HEADER} with the value of SERVICENOW_CALLBACK_SECRET"
    else:
        user = settings.servicenow_callback_user
        proof = f"Credential: Basic, user {user}, with the value of SERVICENOW_CALLBACK_PASSWORD"
    told = f"Enter on the instance: Connection URL {url}; {proof}."
    if urlsplit(url).hostname in LOOPBACK:
        told += " An instance elsewhere cannot reach this machine's loopback: set HANDOFF_PUBLIC_URL."
    return told


def _advise(stranger: int, known: int) -> str:
    if 503 in (stranger, known):
        return "The assistant is still starting; try again in a moment."
    if known == 401:
        return "The assistant that runs there has another secret: start it with these settings."
    if stranger == 404:
        return (
            "Another server answers there, or credentials.yml lacks channels.servicenow.ServiceNowCallback."
        )
    return "Something before the assistant answers, such as a proxy or a login page: let this path through."


def _write_credentials(settings: Settings) -> Mapping[str, str]:
    if settings.servicenow_callback_secret:
        return {SECRET_HEADER: settings.servicenow_callback_secret.get_secret_value()}
    return write_basic(settings.servicenow_callback_user or "", settings.servicenow_callback_password)


async def _post(visit: Visit, url: str, headers: Mapping[str, str]) -> int:
    """The status; redirects are not followed, as they would take the secret elsewhere."""
    async with visit.session.post(url, data=b"{}", headers=headers, allow_redirects=False) as response:
        await response.read()
        return response.status
