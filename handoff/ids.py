"""Ids of what we write down: UUIDs, as text."""

from __future__ import annotations

import time
from os import urandom

VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}  # RFC 9562, section 4.1


def make_id() -> str:
    """As ``str(uuid4())``, without the object in between, which takes longer than the random bits."""
    bits = urandom(16).hex()
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{VARIANT[bits[16]]}{bits[17:20]}-{bits[20:]}"


def make_timed_id() -> str:
    """A UUID of version 7: the millisecond, then 74 random bits.

    For what is written all the time, and whose id guards nothing: an index by it grows at its end, so that
    those written at about the same time share a page.
    """
    begin, bits = f"{time.time_ns() // 1_000_000:012x}", urandom(10).hex()
    return f"{begin[:8]}-{begin[8:]}-7{bits[:3]}-{VARIANT[bits[3]]}{bits[4:7]}-{bits[7:19]}"
