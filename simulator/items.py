"""The items in a callback's `body` (reference sections 7.2 to 7.4 and 8)."""

import uuid
from html import escape
from typing import Any

from simulator.chat import JSON, Chat, Entry, new_id

_AGENT_IDS = uuid.uuid5(uuid.NAMESPACE_URL, "live_profile")


def output_text(entry: Entry) -> JSON:
    """Return a text of the virtual agent."""
    return {
        "uiType": "OutputText",
        "group": "DefaultText",
        "value": entry.text,
        "maskType": "NONE",
        "messageId": entry.id,
    }


def agent_text(entry: Entry, name: str | None, avatar: str) -> JSON:
    """Return a text of the live agent; with `name` None the instance hides who writes (section 7.2)."""
    info: JSON = {"sentFromAgent": True, "agentId": profile_id(entry.name)}
    if name is not None:
        info |= {"agentName": name, "agentAvatar": avatar}
    return {**output_text(entry), "agentInfo": info}


def agent_file(entry: Entry, name: str | None, avatar: str, *, as_html: bool = False) -> JSON:
    """Return a file the live agent sent, under a URL relative to the instance.

    Which kind of item an instance sends for it is not documented (section 9).
    """
    file = entry.file
    if file is None:
        raise ValueError("there is no file")
    said = agent_text(entry, name, avatar)
    if as_html:
        link = f'<a href="{escape(file.path)}">{escape(file.name)}</a>'
        return said | {"uiType": "OutputHtml", "group": "DefaultHtml", "value": link}
    if file.content_type.startswith("image/"):
        image = {"uiType": "OutputImage", "group": "DefaultOutputImage", "value": file.path}
        return said | image | {"altText": file.name}
    link_to = {"uiType": "OutputLink", "group": "DefaultOutputLink", "value": {"action": file.path}}
    return said | link_to | {"label": file.name, "header": file.name, "type": "link"}


def profile_id(name: str) -> str:
    """Return the same 32 hex digits for the same name, as a `live_profile` sys_id would be."""
    return uuid.uuid5(_AGENT_IDS, name).hex


def picker(entry: Entry, option: str) -> JSON:
    """Return a question with one option whose value is its label (section 8, "confirm")."""
    return {
        "uiType": "Picker",
        "group": "DefaultPicker",
        "label": entry.text,
        "promptMsg": entry.text,
        "required": True,
        "nluTextEnabled": False,
        "multiSelect": False,
        "itemType": "List",
        "style": "list",
        "options": [{"label": option, "value": option, "enabled": True, "renderStyle": "none"}],
        "messageId": entry.id,
    }


def action(kind: str, **fields: Any) -> JSON:
    """Return an ActionMsg of this actionType (section 7.4)."""
    return {"uiType": "ActionMsg", "actionType": kind, **fields, "messageId": new_id()}


def unknown_items() -> list[JSON]:
    """Return items of kinds that do not exist; a client has to leave them out."""
    hologram = {
        "uiType": "Hologram",
        "group": "DefaultHologram",
        "value": {"depth": 3},
        "messageId": new_id(),
    }
    return [hologram, action("Levitate", height="3 Metres")]


def system(entry: Entry) -> JSON:
    """Return a System message: somebody entered or closed the chat."""
    return {"uiType": "ActionMsg", "actionType": "System", "message": entry.text, "messageId": entry.id}


def spinner(message: str, wait_time: str) -> JSON:
    """Return the routing spinner; `wait_time` is a sentence for people, never a number."""
    return action("StartSpinner", spinnerType="wait_time", message=message, waitTime=wait_time)


def support_queue(name: str, wait_time: str) -> JSON:
    """Return the queue subscription. Its value is a Java map's `toString`, not JSON.

    Only `@type` and `external` are documented (section 7.4); the other keys are invented.
    """
    fields = f"@type=InteractionQueue, external=false, name={name}, waitTime={wait_time}"
    return action("SubscribeToSupportQueue", supportQueue=f"{{{fields}}}")


def chat_presence(chat: Chat) -> JSON:
    """Return the chat subscription, which comes before an agent accepts.

    The keys of the map, `@type` excepted, and the form of `channel` are invented.
    """
    return action(
        "SubscribeToChatPresence",
        channel=f"/cs/presence/{chat.id}",
        userDetails=f"{{@type=UserDetails, userId={chat.user_id}, guest={str(chat.email is None).lower()}}}",
        chatSessionId=chat.id,
    )
