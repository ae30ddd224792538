"""Messages as they travel to a browser: Rasa's Socket.IO payloads, with our metadata beside them.

Stock widgets ignore or drop ``metadata``, so they get who speaks within the text. The whole
protocol is in ``docs/webchat-protocol.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from handoff.message import Message, Receipt, Sender


def write_payloads(text: str, buttons: Iterable[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """A bot's text as payloads: one per paragraph, as Rasa's own channel does it, buttons on the last."""
    payloads: list[dict[str, Any]] = [{"text": part.strip()} for part in text.split("\n\n") if part.strip()]
    replies = [write_reply(button) for button in buttons]
    if replies:
        payloads = payloads or [{"text": " ".join(reply["title"] for reply in replies)}]
        payloads[-1]["quick_replies"] = replies
    return payloads


def write_reply(button: Mapping[str, Any]) -> dict[str, str]:
    title = str(button.get("title") or button.get("payload") or "")
    return {"content_type": "text", "title": title, "payload": str(button.get("payload") or title)}


def write_message(message: Message, payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload with all that our own widget needs to know about it."""
    about = {
        "message_id": message.public_id,
        "seq": message.seq,
        "sender": message.sender.value,
        "name": message.name,
        "avatar": message.avatar,
        "receipt": _name_receipt(message),
    }
    known = {key: value for key, value in about.items() if value is not None}
    return {**without_values(payload), "metadata": known}


def without_values(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What an option of the desk means there stays with us."""
    replies = payload.get("quick_replies")
    if not replies or "question" not in payload:
        return dict(payload)
    shown = [{key: value for key, value in reply.items() if key != "value"} for reply in replies]
    return {**payload, "quick_replies": shown}


def write_receipt(message: Message) -> dict[str, str] | None:
    """What became of a message that the requester wrote to the desk; None while or where that is unknown."""
    state = _name_receipt(message)
    return {"message_id": message.public_id, "state": state} if state else None


def _name_receipt(message: Message) -> str | None:
    """Only what went to the desk has a receipt; the bot's answer is its own."""
    if message.sender is not Sender.REQUESTER or message.handoff_id is None:
        return None
    if message.receipt is Receipt.FAILED:
        return None if message.possibly_sent else "failed"
    return None if message.receipt is Receipt.ACCEPTED else "delivered"


def write_for_stock_widget(message: Message, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a widget that shows neither names nor system lines, and draws only Rasa's shapes."""
    written = _write_plainly(write_message(message, payload))
    text = str(written.get("text") or "")
    if text and message.sender is Sender.AGENT and message.name:
        written["text"] = f"**{message.name}:** {text}"
    elif text and message.sender is Sender.SYSTEM:
        written["text"] = f"*{text}*"
    return written


def _write_plainly(written: dict[str, Any]) -> dict[str, Any]:
    """Text and buttons; a picture alone as Rasa sends one. The rest is in the text already."""
    parts: list[dict[str, Any]] = written.pop("parts", None) or []
    written.pop("files", None)
    question = written.pop("question", None)
    if question:
        replies = written.get("quick_replies") or ()
        plain = [write_reply(reply) for reply in replies]
        return {**written, "quick_replies": plain} if plain else written
    if [part.get("kind") for part in parts] == ["image"]:
        source = {"src": parts[0]["src"], "title": parts[0]["alt"]}
        return {"attachment": {"type": "image", "payload": source}, "metadata": written["metadata"]}
    return written
