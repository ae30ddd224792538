"""Ids of what we write down: random UUIDs, as text."""

from __future__ import annotations

from os import urandom

VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}  # RFC 9562, section 4.1


def make_id() -> str:
    """As ``str(uuid4())``, without the object in between, which takes longer than the random bits."""
    bits = urandom(16).hex()
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{VARIANT[bits[16]]}{bits[17:20]}-{bits[20:]}"
