"""What the desk says beyond plain text, in a shape that any channel can draw or fall back from.

Beside ``text``, which holds all of it in plain words, content may have:

``parts``
    what to draw instead of the text, in order::

        {"kind": "text", "text": ...}
        {"kind": "image", "src": ..., "alt": ...}
        {"kind": "link", "href": ..., "title": ..., "header": ..., "description": ...}
        {"kind": "links", "header": ..., "links": [{"href", "title", "description"}]}
        {"kind": "card", "title", "subtitle", "text", "href", "image": {"src", "alt"},
         "fields": [{"label", "value"}]}
        {"kind": "table", "columns": [...], "rows": [[...]]}
        {"kind": "html", "html": ...}            sanitised; to be sanitised again where it is drawn

    Every address is absolute and http(s). What is absent is left out.

``quick_replies``
    the options of a question, in Rasa's shape (``title``, ``payload``) with the ``value`` that goes
    back to the desk, which no browser is shown, and perhaps ``description`` and ``image``. Where the
    desk gave no words, ``response`` names a response of the domain in place of the title.

``question``
    ``{"id": ..., "kind": ..., "required": ..., "masked": ...}``; the kinds are those of ``Kind``,
    and what answers a masked one is secret. An answer that was not typed comes as
    ``/answer <id> <what>``, see ``handoff/answers.py``.

``files``
    files at the desk that the message names, ``[{"address": ..., "name": ...}]``: each is fetched by
    us, and its address stands for it in the text and the parts until the message is shown
    (``channels/file_wire.py``). In a message of the requester, ``[{"id": ...}]``.

``prompt``
    ``{"response": ...}`` where the desk asked without words.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

MASK = "••••••"  # stands for what is secret; how long that is, is a secret, too


class Kind(StrEnum):
    """What a question wants."""

    CHOICE = "choice"
    SEVERAL = "several"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    TEXT = "text"
    SECRET = "secret"  # noqa: S105 - a kind of question
    FILE = "file"


def read_question(content: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The question in a message's content, None where it asks nothing."""
    question = content.get("question")
    return question if isinstance(question, Mapping) else None


def write_plainly(content: Mapping[str, Any]) -> str:
    """All of a message as text, for a transcript: its words, and what there was to choose from."""
    text = str(content.get("text") or "")
    options = [str(reply["title"]) for reply in content.get("quick_replies") or () if reply.get("title")]
    if not options or read_question(content) is None:
        return text
    return f"{text} [{' | '.join(options)}]".strip()
