"""The calls of the Connect Support API by name, for the log and for failures on demand."""

import re

SUPPORT = "/api/now/connect/support"
CONVERSATIONS = "/api/now/connect/conversations"

_CALLS = {
    ("GET", rf"{SUPPORT}/queues(/[^/]+)?"): "queues",
    ("POST", rf"{SUPPORT}/queues/[^/]+/sessions"): "open",
    ("GET", rf"{SUPPORT}/queues/[^/]+/sessions|{SUPPORT}/sessions"): "sessions",
    ("POST", rf"{SUPPORT}/queues/[^/]+/accept"): "accept",
    ("POST", rf"{SUPPORT}/sessions/[^/]+/leave"): "leave",
    ("POST", rf"{SUPPORT}/sessions/[^/]+/close"): "close",
    ("POST", rf"{CONVERSATIONS}/[^/]+/messages"): "message",
    ("GET", rf"{CONVERSATIONS}/[^/]+/messages"): "thread",
}


def is_connect(path: str) -> bool:
    """Whether this path belongs to the Connect Support API."""
    return path.startswith("/api/now/connect/")


def name_call(method: str, path: str) -> str | None:
    """Return what a request asks for, as the `action` of a failure calls it; None for another API."""
    bare = path.partition("?")[0]
    return next(
        (name for (verb, form), name in _CALLS.items() if verb == method and re.fullmatch(form, bare)), None
    )
