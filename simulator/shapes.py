"""What a profile makes of a callback just before it is sent (reference sections 7.1 to 7.4, 20)."""

from simulator.chat import JSON
from simulator.profiles import Profile

SPARSE = ("body", "score", "userId", "takeControl")
BARE = ("body", "score")
ENDING_FLAGS = ("completed", "takeControl")
LONG_TYPING = {
    "StartTypingIndicator": "StartTypingIndicatorActionMsg",
    "EndTypingIndicator": "EndTypingIndicatorActionMsg",
}


def shape(body: JSON, profile: Profile) -> JSON:
    """Return a callback body as an instance of this profile writes it; `body` stays as it is."""
    shaped = {**body, "body": [_item(item, profile) for item in body["body"]]}
    if "app_old" in profile:
        shaped = _without(shaped, "interactionId", "appInboundId")
    if "string_score" in profile and "score" in shaped:
        shaped["score"] = f"{shaped['score']:.2f}"
    for name, kept in (("sparse", SPARSE), ("bare", BARE)):
        if name in profile:
            shaped = {key: value for key, value in shaped.items() if key in kept}
    return shaped


def as_posts(body: JSON, profile: Profile) -> list[JSON]:
    """Return the POSTs one shaped callback body is sent as: with `object_body`, one per item."""
    if "object_body" not in profile:
        return [body]
    parts = split(body) if body["body"] else [{**body, "body": [{}]}]
    return [{**part, "body": part["body"][0]} for part in parts]


def split(body: JSON) -> list[JSON]:
    """Return one callback body per item; only the last one says that the conversation is over."""
    items = body["body"]
    ongoing = {name: value for name, value in body.items() if name not in ENDING_FLAGS}
    return [{**ongoing, "body": [item]} for item in items[:-1]] + [{**body, "body": items[-1:]}]


def _item(item: JSON, profile: Profile) -> JSON:
    if "app_old" in profile:
        item = _without(item, "messageId")
    if "unmarked_agents" in profile:
        item = _without(item, "agentInfo")
    if "long_typing" in profile and item.get("actionType") in LONG_TYPING:
        item = {**item, "actionType": LONG_TYPING[item["actionType"]]}
    if "label_text" in profile and item.get("uiType") == "OutputText":
        item = {**_without(item, "value"), "label": item["value"], "itemType": "outputtext"}
    return item


def _without(values: JSON, *names: str) -> JSON:
    return {key: value for key, value in values.items() if key not in names}
