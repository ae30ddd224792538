"""JSON that people write, checked with sentences that say what is wrong."""

import json
from typing import Any

from simulator.callback_faults import CallbackFault
from simulator.chat import JSON
from simulator.errors import BadCommand
from simulator.faults import Fault

# What a JSON value may be, by the word an error calls it.
KINDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "whole number": (int,),
    "number": (int, float),
    "true or false": (bool,),
    "object": (dict,),
    "list": (list,),
}
FAULT = {
    "mode": "text",
    "times": "whole number",
    "probability": "number",
    "action": "text",
    "endpoint": "text",
    "seconds": "number",
    "retry_after": "whole number",
}
CALLBACK_FAULT = {
    "mode": "text",
    "times": "whole number",
    "probability": "number",
    "chat": "text",
    "seconds": "number",
    "copies": "whole number",
    "content_type": "text",
}


def parse_json(raw: bytes | str) -> Any:
    """Return what this JSON says; raises `BadCommand`."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadCommand("this is not JSON") from error


def require(values: JSON, name: str, kind: str) -> Any:
    """Return a value of this kind; raises `BadCommand` for another and for none."""
    value = values.get(name)
    if type(value) not in KINDS[kind]:
        raise BadCommand(f"{name} must be {_article(kind)}")
    return value


def allow(values: JSON, name: str, kind: str) -> Any:
    """Return a value of this kind, None if there is none; raises `BadCommand` for another."""
    return None if values.get(name) is None else require(values, name, kind)


def read_fault(values: JSON) -> Fault:
    """Return the failure of requests these values describe; raises `BadCommand`."""
    return Fault(**_checked(values, FAULT))


def read_callback_fault(values: JSON) -> CallbackFault:
    """Return the fault of callbacks these values describe; raises `BadCommand`."""
    return CallbackFault(**_checked(values, CALLBACK_FAULT))


def refuse_others(values: JSON, known: list[str]) -> None:
    """Raise `BadCommand` for a field that means nothing, which is usually a slip of the pen."""
    if others := [name for name in values if name not in known]:
        raise BadCommand(f"no field {others[0]!r}; there are {', '.join(known)}")


def _checked(values: JSON, kinds: dict[str, str]) -> JSON:
    """Return the fields that are given; null is the same as leaving a field out."""
    refuse_others(values, list(kinds))
    require(values, "mode", "text")
    given = {name: allow(values, name, kind) for name, kind in kinds.items()}
    return {name: value for name, value in given.items() if value is not None}


def _article(kind: str) -> str:
    if kind == "true or false":
        return kind
    return f"an {kind}" if kind == "object" else f"a {kind}"
