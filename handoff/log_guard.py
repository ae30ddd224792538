"""The last look at whatever is logged: no secret, no personal data, no id that opens a chat, one line each.

Rasa sets logging up for the whole process, and logs what is said at its louder levels, so the guard is
put into that: before the renderer of structlog, and in front of every handler of the standard library.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

import structlog
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from structlog.processors import format_exc_info

from handoff.concern import hide_concern, name_concern
from handoff.masking import Kind, change_texts, mask
from handoff.settings import Settings
from handoff.settings.privacy import Place

SHORTEST = 6  # characters; a shorter secret would be found in other words
TRACEBACKS = ("exception", "stack")  # the only values that may have several lines
BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]|\\n")


class LogGuard:
    """A processor of structlog and a filter of ``logging``; there is one per process."""

    def __init__(self) -> None:
        self._kinds: Collection[Kind] = ()
        self._secrets: re.Pattern[str] | None = None

    def set_up(self, kinds: Collection[Kind], secrets: Collection[str]) -> None:
        """From now on hide these kinds, and these secrets wherever they stand."""
        self._kinds = kinds
        known = sorted((secret for secret in secrets if len(secret) >= SHORTEST), key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, known))) if known else None

    def hide(self, text: str) -> str:
        if self._secrets:
            text = self._secrets.sub("[secret]", text)
        text = hide_concern(text)
        return mask(text, self._kinds) if self._kinds else text

    # -- structlog --------------------------------------------------------------------

    def __call__(self, logger: Any, name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        if event.get("exc_info"):
            event = format_exc_info(logger, name, event)
        name_concern(event)
        return {
            key: change_texts(value, self.hide) if key in TRACEBACKS else self._clean(value)
            for key, value in event.items()
        }

    def _clean(self, value: Any) -> Any:
        """JSON with clean texts; of anything else what it would be shown as, where that is not clean."""
        if isinstance(value, str | Mapping | list | tuple):
            return change_texts(value, self._clean_text)
        if value is None or isinstance(value, bool | int | float):
            return value
        shown = repr(value)
        return value if (clean := self._clean_text(shown)) == shown else clean

    def _clean_text(self, text: str) -> str:
        """On one line; Rasa's renderer for terminals makes a line break of a backslash and an n as well."""
        return BREAKS.sub("\N{SYMBOL FOR NEWLINE}", self.hide(text))

    # -- logging ----------------------------------------------------------------------

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            said = record.getMessage()
        except (TypeError, ValueError):  # a mistake of its author, which logging reports by itself
            return True
        if (hidden := self.hide(said)) != said:
            record.msg, record.args = hidden, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self.hide(logging.Formatter().formatException(record.exc_info))
        return True


guard = LogGuard()


def guard_logs(settings: Settings) -> None:
    """Put the guard in front of everything that this process logs; safe to call again."""
    guard.set_up(settings.masked_in(Place.LOG), find_secrets(settings))
    # In place: loggers that have been used already keep the list.
    processors = structlog.get_config()["processors"]
    if guard not in processors:
        processors.insert(len(processors) - 1, guard)
    loggers = [logging.getLogger(), *map(logging.getLogger, list(logging.root.manager.loggerDict))]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        if guard not in handler.filters:
            handler.addFilter(guard)


def find_secrets(settings: Settings) -> set[str]:
    """The values of all that are typed as secrets, and the database's password."""
    secrets = {value.get_secret_value() for _, value in settings if isinstance(value, SecretStr)}
    password = make_url(settings.handoff_database_url).password
    return secrets | ({str(password)} if password else set())
