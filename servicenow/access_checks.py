"""May we do what we need: credentials, the Bot Integration endpoint, the incident table."""

from __future__ import annotations

from uuid import uuid4

from handoff.errors import DeskError, DeskRejected
from handoff.finding import Finding, failed, ok, skipped
from handoff.handoff import Handoff, State
from handoff.settings import Auth
from servicenow.bot_integration import BotIntegrationDesk
from servicenow.incident import PATH
from servicenow.visit import Visit

GUIDE = "docs/servicenow-setup.md"
LOGIN_ADVICE = {
    Auth.BASIC: "Check SERVICENOW_USER and SERVICENOW_PASSWORD, and that the user is active and not locked.",
    Auth.OAUTH_CLIENT_CREDENTIALS: (
        "Check SERVICENOW_CLIENT_ID and SERVICENOW_CLIENT_SECRET; on the instance the property "
        "glide.oauth.inbound.client.credential.grant_type.enabled must be true and the registry record "
        "must name an OAuth application user."
    ),
    Auth.OAUTH_PASSWORD: (
        "Check SERVICENOW_CLIENT_ID, SERVICENOW_CLIENT_SECRET, SERVICENOW_USER and SERVICENOW_PASSWORD; the "
        "user may log in interactively, and glide.oauth.inbound.ropc.grant_type.disabled is not true."
    ),
}
ENDPOINT_ADVICE = {
    401: "Check SERVICENOW_TOKEN or SERVICENOW_SIGNING_SECRET, and what the resource asks for.",
    403: "Give the user the role sn_va_as_service.integration_user.",
    404: "Install the store application Virtual Agent API (sn_va_as_service).",
    405: "The API is switched off on the instance.",
}
SILENT = (
    "An instance may take a wrong token or signature and log it on its side only "
    "(System Logs, source sn_va_as_service)."
)


async def check_authentication(visit: Visit) -> Finding:
    """Basic and OAuth by a read that any user may try: 403 is an answer to somebody who is known."""
    auth = visit.settings.servicenow_auth
    if auth not in LOGIN_ADVICE:
        return skipped("authentication", f"SERVICENOW_AUTH={auth} logs nobody in; see the next checks")
    try:
        await visit.instance.get(PATH, query={"sysparm_limit": "1", "sysparm_fields": "number"})
    except DeskRejected as error:
        if error.status != 403:
            return failed("authentication", str(error), LOGIN_ADVICE[auth])
    except DeskError as error:
        return failed("authentication", str(error), "Try again when the instance answers.")
    return ok("authentication", f"{auth}: accepted")


async def check_integration(visit: Visit) -> Finding:
    """END_CONVERSATION for a user whom nobody knows: it passes all checks, and there is nothing to end.

    A request that lacks something would be refused before its credentials are looked at, and
    any other action would open a conversation (reference sections 3 and 4).
    """
    settings = visit.settings
    desk = BotIntegrationDesk(visit.instance, app_inbound_id=settings.servicenow_app_inbound_id)
    try:
        await desk.end(_stand_in(visit))
    except DeskRejected as error:
        advice = ENDPOINT_ADVICE.get(error.status or 0, f"See {GUIDE}.")
        return failed("bot integration", str(error), advice)
    except DeskError as error:
        return failed("bot integration", str(error), "The instance is busy or broken; try again.")
    is_message_checked = settings.servicenow_auth is Auth.TOKEN or settings.servicenow_signing_secret
    return ok("bot integration", "takes requests", SILENT if is_message_checked else "")


async def check_incidents(visit: Visit) -> Finding:
    """A read of one record; what is hidden from us is left out of it without an error (section 14)."""
    name = "incidents: read"
    advice = "Give the user itil, or a role with read access to the table incident and its fields."
    try:
        reply = await visit.instance.get(
            PATH, query={"sysparm_limit": "1", "sysparm_fields": "sys_id,number"}
        )
    except DeskError as error:
        if visit.settings.servicenow_auth not in LOGIN_ADVICE:
            advice = "The incident table knows neither token nor signature: use basic or OAuth."
        return failed(name, str(error), advice)
    rows = reply.body.get("result") if isinstance(reply.body, dict) else None
    if not isinstance(rows, list):
        return failed(name, "something answers that is not the Table API", f"See {GUIDE}.")
    if not rows:
        return ok(name, "no incident to be seen", f"If there are some, a role is missing. {advice}")
    if not isinstance(rows[0], dict) or not rows[0].get("number"):
        return failed(name, "the records' fields are hidden from us", advice)
    return ok(name, "one record read")


async def check_creating(visit: Visit) -> Finding:
    """The Table API says nothing of a right to create except by creating."""
    return skipped(
        "incidents: create", "cannot be seen without filing one", "File one in the chat: “report a problem”."
    )


def _stand_in(visit: Visit) -> Handoff:
    now = visit.clock()
    return Handoff(
        id=str(uuid4()),
        conversation="doctor",
        channel="doctor",
        state=State.ENDING,
        epoch=0,
        opened_at=now,
        last_updated=now,
        live_chat_id="",
        live_chat_user=f"rasa-doctor-{uuid4().hex}",
    )
