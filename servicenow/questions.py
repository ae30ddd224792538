"""What the desk asks: choices, dates, words, files (section 7.3), as questions of ``handoff/content.py``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from handoff.answers import name_choice
from handoff.content import Kind
from servicenow.cards import read_card
from servicenow.values import Addresses, read_first, read_flag, read_list, read_number, read_string

PICKERS = ("Picker", "TopicPickerControl", "ItemPicker", "Boolean")
DATES = {"Date": Kind.DATE, "DateTime": Kind.DATETIME, "Time": Kind.TIME}
OPTION_LIMIT = 100
NEXT_PART = "click_for_more"  # the answer that asks for the next part of a MultiPartOutput
TABLE_READ = "DONE"  # the answer that lets Virtual Agent go on after an OutputTable
ANSWERS_OF_BOOLEAN = ("true", "false")


def read_picker(item: Mapping[str, Any], addresses: Addresses) -> dict[str, Any]:
    """A picker as options; several may be chosen where ``multiSelect`` says so."""
    question = _question(item, Kind.SEVERAL if read_flag(item.get("multiSelect")) else Kind.CHOICE)
    options = list(_read_options(item, addresses))[:OPTION_LIMIT]
    if not options:
        return _prompt(item)
    return {**_prompt(item), **_offer(question, options), **_read_side_card(item, addresses)}


def read_date(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**_prompt(item, "utter_desk_asks_date"), "question": _question(item, DATES[item["uiType"]])}


def read_input(item: Mapping[str, Any]) -> dict[str, Any]:
    kind = Kind.SECRET if is_secret(item) else Kind.TEXT
    return {**_prompt(item, "utter_desk_asks_text"), "question": _question(item, kind)}


def read_upload(item: Mapping[str, Any]) -> dict[str, Any]:
    """A file request; sizes are in MB, as the desk gives them."""
    limits = {
        "files": read_string(item.get("itemType")),
        "max_count": read_number(item.get("maxCount")),
        "max_size": read_number(item.get("maxSize")),
    }
    question = _question(item, Kind.FILE) | {key: value for key, value in limits.items() if value is not None}
    return {**_prompt(item, "utter_desk_asks_file"), "question": question}


def offer_next_part(item: Mapping[str, Any]) -> dict[str, Any]:
    """The button below a part of several; without words of the desk, words of the domain."""
    label = read_string(item.get("navigationBtnLabel"))
    words = {"title": label} if label else {"response": "utter_desk_next_part"}
    return _offer(_question(item, Kind.CHOICE), [{**words, "value": NEXT_PART}])


def offer_to_go_on(item: Mapping[str, Any]) -> dict[str, Any]:
    """The button below a table: Virtual Agent waits until it hears that the table was read."""
    reply = {"response": "utter_desk_table_read", "value": TABLE_READ}
    return _offer(_question(item, Kind.CHOICE), [reply])


def is_secret(item: Mapping[str, Any]) -> bool:
    """Sections 7.2 and 7.3: SECURE, in the custom chat framework also SENSITIVE."""
    return str(item.get("maskType")).upper() in ("SECURE", "SENSITIVE")


def _read_options(item: Mapping[str, Any], addresses: Addresses) -> Iterator[dict[str, Any]]:
    is_boolean = item.get("uiType") == "Boolean"
    given = [option for option in read_list(item.get("options")) if isinstance(option, Mapping)]
    if is_boolean and not given:
        yield {"response": "utter_desk_yes", "value": "true"}
        yield {"response": "utter_desk_no", "value": "false"}
    for place, option in enumerate(sorted(given, key=lambda option: read_number(option.get("order")) or 0)):
        label = read_first(option, "label", "description", "value")
        value = read_string(option.get("value"))
        if value is None and is_boolean and place < len(ANSWERS_OF_BOOLEAN):
            value = ANSWERS_OF_BOOLEAN[place]
        if label:
            yield {"title": label, "value": value or label, **_read_looks(option, label, addresses)}


def _read_looks(option: Mapping[str, Any], label: str, addresses: Addresses) -> dict[str, str]:
    """What a carousel shows with an option: a description and a picture."""
    looks = {
        "description": read_string(option.get("description")),
        "image": addresses.read(option.get("attachment")),
    }
    return {key: value for key, value in looks.items() if value and value != label}


def _read_side_card(item: Mapping[str, Any], addresses: Addresses) -> dict[str, Any]:
    """A card that is shown along with a picker."""
    scripted = item.get("scriptedData")
    if not isinstance(scripted, Mapping):
        return {}
    card = read_card(scripted.get("cardName"), scripted.get("cardData"), addresses)
    return {"parts": [card]} if card else {}


def _prompt(item: Mapping[str, Any], fallback: str = "utter_desk_asks_choice") -> dict[str, Any]:
    """The desk's words, else words of the domain."""
    words = read_first(item, "promptMsg", "label", "value", "header")
    return {"text": words} if words else {"text": "", "prompt": {"response": fallback}}


def _question(item: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """Its id is the same when the same question comes again, so that a repetition is recognised."""
    canonical = json.dumps(item, sort_keys=True, default=str)
    name = hashlib.sha256(canonical.encode(errors="replace")).hexdigest()[:12]
    flags = {
        "required": read_flag(item.get("required")),
        "masked": is_secret(item) and kind is not Kind.SECRET,
    }
    return {"id": name, "kind": kind.value, **{flag: True for flag, is_set in flags.items() if is_set}}


def _offer(question: dict[str, Any], options: list[dict[str, Any]]) -> dict[str, Any]:
    replies = [
        {"content_type": "text", **option, "payload": name_choice(question["id"], place)}
        for place, option in enumerate(options)
    ]
    return {"quick_replies": replies, "question": question}
