"""Personal data and secrets in text, replaced by what kind they are. Pure, and in linear time.

What cannot be told from other words, such as a name or a street, is not found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What can be recognised by its form; the value stands in the text instead, in brackets."""

    SECRET = "secret"  # noqa: S105 - the name of a kind
    EMAIL = "email"
    IBAN = "iban"
    CARD = "card"
    PHONE = "phone"


ALL = frozenset(Kind)

# A text that a secret is said of: "password: x", "my PIN is x", "token=x"; the group is what it is.
ASSIGNED = re.compile(
    r"""(?ix)
    \b(?:pass(?:word|wort|wd|phrase|code)?|pwd|kennwort|secret|token|api[_\ -]?key|credentials?|pin|otp)
    ["']?\ {0,3}(?:[:=]|\bis\b|\bist\b|\blautet\b)\ {0,3}["']?([^\s"',;]{1,512})"""
)
SHAPES = re.compile(
    r"""(?x)
      \beyJ[\w-]{8,4096}\.[\w-]{4,4096}\.[\w-]{4,1024}          # JSON web tokens
    | \bwhsec_[\w+/=]{16,128}                                   # Standard Webhooks
    | \b(?:gh[pousr]|glpat|xox[abprs]|sk|pk|rk)[_-][\w-]{16,255}  # GitHub, GitLab, Slack, Stripe, OpenAI
    | \bA(?:KIA|SIA)[A-Z0-9]{16}\b                              # AWS
    | -----BEGIN\ [A-Z ]{0,32}PRIVATE\ KEY-----[\w+/=\s]{1,16384}(?:-----END\ [A-Z ]{0,32}PRIVATE\ KEY-----)?
    """
)
HEADER = re.compile(r"(?i)\b(?:bearer|basic)\s([\w+/=.~-]{8,4096})")
IN_ADDRESS = re.compile(r"(?<=://)[^\s/@:]{1,128}:([^\s/@]{1,256})(?=@)")
EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}", re.IGNORECASE)
CARD = re.compile(r"(?<![\w.])[2-6]\d(?:[ -]?\d){11,17}(?![\w])")
PHONE = re.compile(
    r"""(?x)(?<![\w./:-])(?:
      (?:\+|00)[1-9]\d{0,2}[ ()./-]{0,3}(?:\d[ ()./-]{0,2}){6,13}(?!\d)  # +41 79 123 45 67
    | \(?0[1-9]\d{0,3}\)?[ ./-]{0,2}(?:\d[ /-]{0,2}){6,9}(?!\d)          # 079 123 45 67
    | \(?[2-9]\d{2}\)?[ .-]{1,2}\d{3}[ .-]\d{4}                      # (555) 123-4567
    )(?!\w)"""
)
PHONE_DIGITS = 9  # fewer are a date, a room or a ticket as well
IBAN_LENGTHS = range(15, 35)
CARD_LENGTHS = range(13, 20)


def mask(text: str, kinds: Collection[Kind] = ALL) -> str:
    """The text with ``[email]``, ``[phone]`` ... where one stood."""
    for kind, hide in HIDING.items():
        if kind in kinds:
            text = hide(text)
    return text


def mask_all(value: Any, kinds: Collection[Kind] = ALL) -> Any:
    """The same for every text within JSON."""
    return change_texts(value, lambda text: mask(text, kinds))


def change_texts(value: Any, change: Callable[[str], str]) -> Any:
    """JSON with every text changed; keys stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: change_texts(inner, change) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [change_texts(inner, change) for inner in value]
    return value


def _hide_secrets(text: str) -> str:
    text = SHAPES.sub("[secret]", text)
    for pattern in (HEADER, IN_ADDRESS, ASSIGNED):
        text = pattern.sub(_hide_group, text)
    return text


def _hide_group(match: re.Match[str]) -> str:
    start, stop = match.start(1) - match.start(), match.end(1) - match.start()
    whole = match[0]
    return f"{whole[:start]}[secret]{whole[stop:]}"


def _hide_emails(text: str) -> str:
    return EMAIL.sub("[email]", text)


def _hide_ibans(text: str) -> str:
    return _scan(text, IBAN, _measure_iban, "[iban]")


def _measure_iban(found: str) -> int:
    """How long the longest beginning is whose checksum is right; words in capitals may follow it."""
    for stop in range(len(found), 0, -1):
        compact = found[:stop].replace(" ", "").upper()
        is_whole = len(compact) in IBAN_LENGTHS and found[stop - 1] != " "
        if is_whole and _is_iban(compact):
            return stop
    return 0


def _is_iban(compact: str) -> bool:
    """ISO 13616: moved around and read as a number, it leaves 1 when divided by 97."""
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1


def _hide_cards(text: str) -> str:
    return _scan(text, CARD, _measure_card, "[card]")


def _measure_card(found: str) -> int:
    """The same for a card; the digits of something else may follow it."""
    for stop in range(len(found), 0, -1):
        is_whole = found[stop - 1].isdigit() and not found[stop : stop + 1].isdigit()
        if is_whole and sum(map(str.isdigit, found[:stop])) in CARD_LENGTHS and _is_card(found[:stop]):
            return stop
    return 0


def _is_card(found: str) -> bool:
    """ISO/IEC 7812: the digits, every second doubled from the right, sum to a multiple of ten (Luhn)."""
    digits = [int(digit) for digit in found if digit.isdigit()][::-1]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _scan(text: str, pattern: re.Pattern[str], measure: Callable[[str], int], hidden: str) -> str:
    """Hide as much of each match as ``measure`` says; where it says 0, another may begin within it."""
    pieces, done, place = [], 0, 0
    while match := pattern.search(text, place):
        if length := measure(match[0]):
            pieces += [text[done : match.start()], hidden]
            done = place = match.start() + length
        else:
            place = match.start() + 1
    return "".join(pieces) + text[done:]


def _hide_phones(text: str) -> str:
    def hide(match: re.Match[str]) -> str:
        found = match[0]
        tail = found[len(found.rstrip(" ()./-")) :]
        return f"[phone]{tail}" if sum(map(str.isdigit, found)) >= PHONE_DIGITS else found

    return PHONE.sub(hide, text)


# In this order: a secret may hold what looks like an address, an IBAN what looks like a card.
HIDING: dict[Kind, Callable[[str], str]] = {
    Kind.SECRET: _hide_secrets,
    Kind.EMAIL: _hide_emails,
    Kind.IBAN: _hide_ibans,
    Kind.CARD: _hide_cards,
    Kind.PHONE: _hide_phones,
}
