"""What a check of the doctor found: in order, broken, or not looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """``check`` is its name, ``detail`` what was seen, ``advice`` what to do; none holds a secret."""

    check: str
    verdict: Verdict
    detail: str
    advice: str = ""


def ok(check: str, detail: str, advice: str = "") -> Finding:
    return Finding(check, Verdict.OK, detail, advice)


def failed(check: str, detail: str, advice: str) -> Finding:
    return Finding(check, Verdict.FAILED, detail, advice)


def skipped(check: str, detail: str, advice: str = "") -> Finding:
    return Finding(check, Verdict.SKIPPED, detail, advice)
