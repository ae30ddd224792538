"""The steps of a script of faults: what a file or a control call may say."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from simulator.callback_faults import CallbackFault
from simulator.chat import JSON
from simulator.errors import BadCommand
from simulator.faults import Fault
from simulator.fields import parse_json, read_callback_fault, read_fault, refuse_others, require

Counted = Literal["requests", "callbacks"]
Deed = Fault | CallbackFault | Literal["recover", "expire_tokens"]
COUNTED: tuple[Counted, ...] = ("requests", "callbacks")
WHEN = ["at", "after"]
WHAT = ["fault", "callback_fault", "recover", "expire_tokens"]


@dataclass(frozen=True, eq=False)
class Step:
    """One line of a script: what to do `at` so many seconds, or `after` so many requests or callbacks."""

    source: JSON
    deed: Deed
    at: float | None = None
    after: tuple[Counted, int] | None = None


def load(path: Path) -> list[Step]:
    """Return the steps in a file; raises `BadCommand` if it cannot be read or says something meaningless."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadCommand(f"cannot read {path}") from error
    return parse(parse_json(text))


def parse(script: Any) -> list[Step]:
    """Return the steps of a script, a JSON array; raises `BadCommand` that names the step, counted from 1."""
    if not isinstance(script, list):
        raise BadCommand("a script is a JSON array of steps")
    return [_numbered(number, step) for number, step in enumerate(script, 1)]


def _numbered(number: int, step: Any) -> Step:
    try:
        if not isinstance(step, dict):
            raise BadCommand("a step is a JSON object")
        return _step(step)
    except BadCommand as error:
        raise BadCommand(f"step {number}: {error}") from error


def _step(step: JSON) -> Step:
    refuse_others(step, WHEN + WHAT)
    when, what = _only(step, WHEN), _only(step, WHAT)
    if when == "at":
        return Step(step, _deed(step, what), at=_seconds(step))
    return Step(step, _deed(step, what), after=_count(require(step, "after", "object")))


def _only(step: JSON, names: list[str]) -> str:
    found = [name for name in names if name in step]
    if len(found) != 1:
        raise BadCommand(f"needs exactly one of {', '.join(names)}")
    return found[0]


def _seconds(step: JSON) -> float:
    seconds = float(require(step, "at", "number"))
    if not (math.isfinite(seconds) and seconds >= 0):
        raise BadCommand("at must be a number of seconds from 0 up")
    return seconds


def _count(after: JSON) -> tuple[Counted, int]:
    refuse_others(after, list(COUNTED))
    counted = next((name for name in COUNTED if name in after), None)
    if counted is None or len(after) != 1:
        raise BadCommand(f"after needs exactly one of {', '.join(COUNTED)}")
    number = int(require(after, counted, "whole number"))
    if number < 1:
        raise BadCommand(f"after {counted} must be at least 1")
    return counted, number


def _deed(step: JSON, what: str) -> Deed:
    if what == "fault":
        return read_fault(require(step, what, "object"))
    if what == "callback_fault":
        return read_callback_fault(require(step, what, "object"))
    if step[what] is not True:
        raise BadCommand(f"{what} must be true")
    return "recover" if what == "recover" else "expire_tokens"
