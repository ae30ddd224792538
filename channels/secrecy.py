"""Secrets that others send, compared with ours."""

from __future__ import annotations

import hmac


def is_same_secret(given: str, expected: str) -> bool:
    """In a time that tells nothing of where they differ; ``given`` may be made of any bytes.

    Sanic decodes headers with ``surrogateescape``, and JSON may hold half an emoji.
    """
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())
