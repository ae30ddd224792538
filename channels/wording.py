"""Words of the domain in what the desk says: where it asked without words, or named no option."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Word = Callable[[str], Awaitable[str]]


async def fill_in(content: Mapping[str, Any], word: Word) -> dict[str, Any]:
    """Content of ``handoff/content.py`` with the text of each response that it names."""
    filled = dict(content)
    if prompt := filled.pop("prompt", None):
        filled["text"] = str(filled.get("text") or await word(prompt["response"]))
    if replies := filled.get("quick_replies"):
        filled["quick_replies"] = [await _fill_in_reply(reply, word) for reply in replies]
    return filled


async def _fill_in_reply(reply: Mapping[str, Any], word: Word) -> dict[str, Any]:
    if "response" not in reply:
        return dict(reply)
    rest = {key: value for key, value in reply.items() if key != "response"}
    return {**rest, "title": await word(reply["response"])}
