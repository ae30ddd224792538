"""Cards: a template's name, and its data as JSON in a string (section 7.3, page Rich controls)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from servicenow.values import Addresses, read_first, read_list, read_mapping, read_string

YOUTUBE = "Youtube Video Card"


def read_card(template: Any, data: Any, addresses: Addresses) -> dict[str, Any] | None:
    """A card part; None where the data hold nothing to show. An unknown template is read the same way."""
    values = read_mapping(data)
    card = {
        "kind": "card",
        "title": read_first(values, "title", "header", "label"),
        "subtitle": read_string(values.get("subtitle")),
        "text": read_first(values, "description", "text"),
        "href": _find_address(read_string(template), values, addresses),
        "image": _read_image(values, addresses),
        "fields": _read_fields(values),
    }
    kept = {key: value for key, value in card.items() if value}
    return kept if len(kept) > 1 else None


def write_card(card: Mapping[str, Any]) -> str:
    """A card in plain words, a line for each thing that it says."""
    lines = [card.get("title"), card.get("subtitle"), card.get("text")]
    lines += [f"{field['label']}: {field['value']}" for field in card.get("fields", ())]
    lines.append(card.get("href") or card.get("image", {}).get("src"))
    return "\n".join(str(line) for line in lines if line)


def _find_address(template: str | None, values: Mapping[str, Any], addresses: Addresses) -> str | None:
    for key in ("url", "link"):
        if address := addresses.read(values.get(key)):
            return address
    video = read_string(values.get("id"))
    if template == YOUTUBE and video:
        return f"https://www.youtube.com/watch?v={quote(video, safe='')}"
    return None


def _read_image(values: Mapping[str, Any], addresses: Addresses) -> dict[str, str] | None:
    source = addresses.read(values.get("image"))
    return {"src": source, "alt": read_string(values.get("imageAlt")) or ""} if source else None


def _read_fields(values: Mapping[str, Any]) -> list[dict[str, str]]:
    fields = []
    for field in read_list(values.get("fields")):
        field = field if isinstance(field, Mapping) else {}
        label, value = read_string(field.get("fieldLabel")), read_string(field.get("fieldValue"))
        if label and value:
            fields.append({"label": label, "value": value})
    return fields
