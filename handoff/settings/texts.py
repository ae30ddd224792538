"""Sentences of the instance that tell what happened, where its structure does not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from handoff.settings.group import Group, problem

TEXTS = ("entered", "closed", "left", "timed_out", "nobody")
FORM = 'must be a JSON object such as {"nobody": "keine Agenten"}, or a file with one; '


class TextSettings(Group):
    """A regular expression for each kind of sentence that an instance words in its own way."""

    servicenow_text_patterns: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)

    @field_validator("servicenow_text_patterns", mode="before")
    @classmethod
    def _read_texts(cls, given: Any) -> Any:
        """JSON itself, or the name of a file that has it."""
        if not isinstance(given, str):
            return given
        try:
            parsed = json.loads(given if given.lstrip().startswith("{") else Path(given).read_text("utf-8"))
        except OSError as error:
            raise problem(f"names a file that cannot be read: {error.strerror}") from None
        except ValueError:
            raise problem(f"{FORM}this is not JSON") from None
        return parsed

    @field_validator("servicenow_text_patterns")
    @classmethod
    def _check_texts(cls, given: dict[str, str]) -> dict[str, str]:
        for name, expression in given.items():
            if name not in TEXTS:
                raise problem(f"{FORM}there is no {name!r} but {', '.join(TEXTS)}")
            _check_expression(name, expression)
        return given


def _check_expression(name: str, expression: str) -> None:
    try:
        compiled = re.compile(expression)
    except re.error as error:
        raise problem(f"has no regular expression for {name!r}: {error.msg}") from None
    if compiled.search(""):
        raise problem(f"has an expression for {name!r} that every text matches")
    if name == "entered" and "name" not in compiled.groupindex:
        raise problem("needs the live agent's name in 'entered', as (?P<name>.+)")
