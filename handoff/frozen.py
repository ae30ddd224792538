"""Frozen values made quickly, where every field is known: of a row, or of another value.

The ``__init__`` of a frozen dataclass sets field by field, which for a handoff takes longer than
reading its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def make(kind: type[T], fields: Mapping[str, Any]) -> T:
    """A value of a dataclass without slots and without ``__post_init__``; ``fields`` are all of its own."""
    made = object.__new__(kind)
    made.__dict__.update(fields)
    return made


def vary(value: T, **changes: Any) -> T:
    """The same value but for some fields, as ``dataclasses.replace``."""
    made = object.__new__(type(value))
    made.__dict__.update(value.__dict__, **changes)
    return made
