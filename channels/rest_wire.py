"""Messages as a REST client reads them: Rasa's shapes, with our metadata beside them.

What existing clients know are the keys ``recipient_id``, ``text``, ``buttons``, ``image``,
``attachment`` and ``custom``; all shapes are described in ``docs/openapi/rest.yml``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from handoff.handoff import Exit, Handoff
from handoff.message import Message, Sender

NOBODY = "none"  # the bot answers


def write_message(message: Message, payload: Mapping[str, Any], state: str) -> dict[str, Any]:
    """One message of an answer; ``payload`` in the ledger's shape, ``state`` of the handoff by now."""
    about = {
        "message_id": message.id,
        "seq": message.seq,
        "sender": message.sender.value,
        "name": message.name,
        "avatar": message.avatar,
        "handoff": state,
    }
    return {
        "recipient_id": message.conversation,
        **(convert_payload(payload) if message.sender is Sender.BOT else _convert_of_desk(payload)),
        "metadata": {key: value for key, value in about.items() if value is not None},
    }


def convert_payload(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload of the ledger, which is Rasa's Socket.IO one, as Rasa's REST channel would say it."""
    if payload and payload.keys() <= {"text", "quick_replies"}:
        buttons = [_drop_type(reply) for reply in payload.get("quick_replies") or ()]
        text = {"text": payload["text"]} if "text" in payload else {}
        return {**text, "buttons": buttons} if buttons else text
    if payload.keys() == {"attachment"}:
        image = _find_image(payload["attachment"])
        return {"image": image} if image else {"attachment": payload["attachment"]}
    return {"custom": dict(payload)}


def _convert_of_desk(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What the desk says, with words and buttons for every client, and what else there is to draw.

    What an option means to the desk stays with us.
    """
    replies = [_keep_looks(reply) for reply in payload.get("quick_replies") or ()]
    picture = _find_picture(payload)
    plain = {"image": picture} if picture else {"text": payload["text"]} if payload.get("text") else {}
    buttons = [{"title": reply["title"], "payload": reply["payload"]} for reply in replies]
    drawn = {key: value for key, value in payload.items() if key not in ("text", "quick_replies")}
    if any(len(reply) > len(button) for reply, button in zip(replies, buttons, strict=True)):
        drawn["quick_replies"] = replies
    if not (plain or buttons):
        return convert_payload(payload)
    return {
        **plain,
        **({"buttons": buttons} if buttons else {}),
        **({"custom": drawn} if drawn else {}),
    }


def _find_picture(payload: Mapping[str, Any]) -> str | None:
    """The address of a picture that is all there is to show; its text is a link to it."""
    parts: Sequence[Mapping[str, Any]] = payload.get("parts") or ()
    return str(parts[0]["src"]) if [part.get("kind") for part in parts] == ["image"] else None


def _keep_looks(reply: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("title", "payload", "description", "image")
    return {key: str(reply[key]) for key in kept if reply.get(key)}


def _drop_type(reply: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in reply.items() if key != "content_type"}


def _find_image(attachment: Any) -> str | None:
    if not isinstance(attachment, Mapping) or attachment.get("type") != "image":
        return None
    payload = attachment.get("payload")
    source = payload.get("src") if isinstance(payload, Mapping) else None
    return source if isinstance(source, str) else None


def write_handoff(handoff: Handoff | None) -> dict[str, Any]:
    """Who has the conversation: ``state`` and the live agent's ``name``, which may be null."""
    state = name_state(handoff)
    name = handoff.live_agent_name if handoff and state != NOBODY else None
    return {"state": state, "name": name}


def name_state(handoff: Handoff | None) -> str:
    """The state of the newest handoff; ``none`` once the bot has taken over again."""
    if handoff is None or handoff.exit is Exit.DONE:
        return NOBODY
    return handoff.state.value


def write_event(kind: str, data: Mapping[str, Any], seq: int | None = None) -> str:
    """A server-sent event; ``seq`` is the id by which a client goes on after a break."""
    number = f"id: {seq}\n" if seq is not None else ""
    return f"event: {kind}\n{number}data: {write_json(data)}\n\n"


def write_json(data: Any) -> str:
    """Compact JSON; half an emoji, which browsers do send, stays escaped."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=True)
