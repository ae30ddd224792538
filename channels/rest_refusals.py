"""Every refusal of the REST channel: its status, a code for programs, and a sentence for their authors.

Requesters never read these; what they read are responses of ``domain/``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from sanic import HTTPResponse
from sanic.response import json


class RestRefused(Exception):
    """A request is answered with ``status`` and ``{"error": code, "detail": ...}``."""

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})

    def answer(self) -> HTTPResponse:
        body = {"error": self.code, "detail": self.detail}
        return json(body, status=self.status, headers=self.headers)


def refuse_body(problem: str) -> RestRefused:
    return RestRefused(400, "bad_request", problem)


def refuse_unauthenticated(problem: str | None = None) -> RestRefused:
    """``problem`` is what is wrong with a token that was sent."""
    return RestRefused(
        401,
        "not_authenticated",
        f"{problem or 'No token came with the request.'} Send the header 'Authorization: Bearer <token>' "
        "with the token of HANDOFF_REST_TOKEN, or an HS256 token that HANDOFF_REST_JWT_KEY signs, with a "
        "'sub', and not expired.",
        {"WWW-Authenticate": 'Bearer error="invalid_token"' if problem else "Bearer"},
    )


def refuse_closed() -> RestRefused:
    return RestRefused(
        403,
        "channel_closed",
        "The REST channel lets nobody in until HANDOFF_REST_TOKEN or HANDOFF_REST_JWT_KEY is set, or "
        "HANDOFF_REST_TRUSTED_NETWORK=true where only systems that you trust can reach it.",
    )


def refuse_sender() -> RestRefused:
    return RestRefused(
        403,
        "other_sender",
        "A token speaks for the sender that is its 'sub' only, and this is another one, or its conversation "
        "belongs to another subject since a web chat.",
    )


def refuse_unknown_conversation() -> RestRefused:
    return RestRefused(
        404, "unknown_conversation", "Nothing was said in this conversation. POST a message to begin it."
    )


def refuse_path() -> RestRefused:
    return RestRefused(
        404, "unknown_path", "The REST channel has nothing here. docs/openapi/rest.yml lists what it has."
    )


def refuse_method(allowed: str) -> RestRefused:
    return RestRefused(405, "other_method", f"This path is for {allowed} only.", {"Allow": allowed})


def refuse_size(limit: int) -> RestRefused:
    return RestRefused(413, "body_too_large", f"The body may have {limit} bytes at most.")


def refuse_length(limit: int) -> RestRefused:
    return RestRefused(
        413,
        "message_too_long",
        f"'message' may have {limit} characters at most (HANDOFF_MESSAGE_LIMIT). Shorten or split it.",
    )


def refuse_crowd(most: int) -> RestRefused:
    return RestRefused(
        429,
        "too_many_waiting",
        f"{most} requests of this sender are waiting already. Let one end before the next.",
        {"Retry-After": "1"},
    )


def refuse_pace(wait: float) -> RestRefused:
    return RestRefused(
        429,
        "too_fast",
        "This sender asks too often (HANDOFF_SENDER_LIMIT). Nothing of this request was kept: repeat it "
        "after so many seconds as 'Retry-After' says.",
        {"Retry-After": str(math.ceil(wait))},
    )


def refuse_guessing(wait: float) -> RestRefused:
    return RestRefused(
        429,
        "too_many_guesses",
        "Too many requests without a valid token came from this address.",
        {"Retry-After": str(math.ceil(wait))},
    )


def refuse_slow_body() -> RestRefused:
    return refuse_body("The body did not arrive in time. Send it at once.")


def refuse_fault() -> RestRefused:
    return RestRefused(
        500,
        "internal_error",
        "Something failed here; it is in the log. Repeat the request with the same 'message_id'.",
    )


def refuse_early() -> RestRefused:
    return RestRefused(
        503, "starting", "The assistant is being loaded. Try again in a moment.", {"Retry-After": "2"}
    )
