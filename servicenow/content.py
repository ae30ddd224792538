"""Items that say something: texts, links, pictures, HTML, cards, tables and questions (section 7.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from handoff.content import MASK
from servicenow.cards import read_card, write_card
from servicenow.markup import Markup
from servicenow.questions import (
    DATES,
    PICKERS,
    is_secret,
    offer_next_part,
    offer_to_go_on,
    read_date,
    read_input,
    read_picker,
    read_upload,
)
from servicenow.values import Addresses, read_first, read_list, read_mapping, read_string

ROW_LIMIT = 200
COLUMN_LIMIT = 20
INPUTS = frozenset({*PICKERS, *DATES, "InputText", "FileUpload"})  # their label is no secret, the answer is
CUSTOM_WORDS = ("text", "message", "title", "label", "value", "description")

Content = dict[str, Any]
Reader = Callable[[Mapping[str, Any], Addresses], Content]


def read_content(item: Mapping[str, Any], addresses: Addresses) -> Content:
    """What an item says, in the shape of ``handoff/content.py``; empty where there is nothing to show.

    ``text`` is always in it otherwise, and may only be empty beside a ``prompt`` or options.
    """
    kind = str(item.get("uiType"))
    if is_secret(item) and kind not in INPUTS:
        return {"text": MASK}
    return READERS.get(kind, _read_any)(item, addresses)


def is_known(item: Mapping[str, Any]) -> bool:
    return str(item.get("uiType")) in READERS


def _read_any(item: Mapping[str, Any], _: Addresses) -> Content:
    """Section 7.3: ``value``, else ``label``; ``message`` in an ActionMsg."""
    text = read_first(item, "value", "label", "message", "promptMsg", "header")
    return {"text": text} if text else {}


def _read_text(item: Mapping[str, Any], addresses: Addresses) -> Content:
    """The text, and what it cites below it."""
    content = _read_any(item, addresses)
    citations = [cited for cited in read_list(item.get("citations")) if isinstance(cited, Mapping)]
    links = _read_links(citations, addresses, href="citationHref", title="citationLabel")
    if not content or not links:
        return content
    return {**content, "parts": [{"kind": "text", **content}, {"kind": "links", "links": links}]}


def _read_custom(item: Mapping[str, Any], addresses: Addresses) -> Content:
    """A control of the instance's own: its words, of which some may stand in JSON in a string."""
    inner = read_mapping(item.get("value"))
    if not inner:
        return _read_any(item, addresses)
    return _say(read_first(item, "label", "promptMsg", "header"), read_first(inner, *CUSTOM_WORDS))


def _read_link(item: Mapping[str, Any], addresses: Addresses) -> Content:
    """A header that only repeats the label, as of a file that a live agent sends, says nothing."""
    value = item.get("value")
    href = addresses.read(value.get("action") if isinstance(value, Mapping) else value)
    label, header = read_string(item.get("label")), read_string(item.get("header"))
    header = None if header == label else header
    if href is None:
        return _say(header, label)
    part = _drop_absent({"kind": "link", "href": href, "title": label or href, "header": header})
    return {**_say(header, _write_link(label, href)), "parts": [part]}


def _read_image(item: Mapping[str, Any], addresses: Addresses) -> Content:
    value = item.get("value")
    source = addresses.read(value.get("action") if isinstance(value, Mapping) else value)
    words = read_first(item, "altText", "label")
    if source is None:
        return _say(words)
    part = {"kind": "image", "src": source, "alt": words or ""}
    return {**_say(_write_link(words, source)), "parts": [part]}


def _read_html(item: Mapping[str, Any], addresses: Addresses) -> Content:
    """The instance may have made a picture of it (``imageUrl``), which says no more."""
    markup = Markup(read_first(item, "value", "label") or "", addresses)
    if not markup.text:
        return _read_image({"value": item.get("imageUrl"), "altText": item.get("label")}, addresses)
    return {"text": markup.text, "parts": [{"kind": "html", "html": markup.html}]}


def _read_card(item: Mapping[str, Any], addresses: Addresses) -> Content:
    card = read_card(item.get("templateName"), item.get("data"), addresses)
    if card is None:
        return _say(*(read_string(item.get(key)) for key in ("header", "label", "value")))
    return {"text": write_card(card), "parts": [card]}


def _read_group(item: Mapping[str, Any], addresses: Addresses) -> Content:
    values = [value for value in read_list(item.get("values")) if isinstance(value, Mapping)]
    header = read_first(item, "header", "label")
    links = _read_links(values, addresses, href="action", title="label")
    without = [value for value in values if not addresses.read(value.get("action"))]
    lines = [_write_link(link["title"], link["href"], link.get("description")) for link in links]
    lines += [": ".join(_texts(value, "label", "description")) for value in without]
    said = _say(header, *lines)
    if not links:
        return said
    part = _drop_absent({"kind": "links", "header": header, "links": links})
    words = [{"kind": "text", "text": line} for line in lines[len(links) :] if line]
    return {**said, "parts": [part, *words]}


def _read_table(item: Mapping[str, Any], _: Addresses) -> Content:
    """All rows come at once; Virtual Agent waits until it is told that they were read."""
    columns = [_write_cell(cell) for cell in read_list(item.get("headers"))[:COLUMN_LIMIT]]
    rows = [_read_row(row, columns) for row in read_list(item.get("data"))[:ROW_LIMIT]]
    rows = [row for row in rows if any(row)]
    label = read_first(item, "label", "header")
    if not rows:
        return _say(label)
    lines = [" | ".join(row) for row in ([columns] if columns else []) + rows]
    heading = [{"kind": "text", "text": label}] if label else []
    part = {"kind": "table", "columns": columns, "rows": rows}
    return {**_say(label, *lines), "parts": [*heading, part], **offer_to_go_on(item)}


def _read_row(row: Any, columns: list[str]) -> list[str]:
    """A row is a list; an object is read by the names of the columns."""
    if isinstance(row, Mapping):
        row = [row.get(column) for column in columns] if columns else list(row.values())
    return [_write_cell(cell) for cell in read_list(row)[:COLUMN_LIMIT]]


def _write_cell(cell: Any) -> str:
    if isinstance(cell, Mapping):
        return read_first(cell, "displayValue", "label", "value", "text") or ""
    return read_string(cell) or ""


def _read_multipart(item: Mapping[str, Any], addresses: Addresses) -> Content:
    """One part, in ``content``, and a button for the next; a part that is a question has its own."""
    inner = read_mapping(item.get("content"))
    is_nested = inner.get("uiType") == "MultiPartOutput"
    content = read_content(inner, addresses) if inner and not is_nested else _read_any(item, addresses)
    if not content or "question" in content:
        return content
    return {**content, **offer_next_part(item)}


def _read_links(
    values: Iterable[Mapping[str, Any]], addresses: Addresses, *, href: str, title: str
) -> list[dict[str, str]]:
    links = []
    for value in values:
        if address := addresses.read(value.get(href)):
            words = read_string(value.get(title)) or address
            about = {"href": address, "title": words, "description": read_string(value.get("description"))}
            links.append(
                {key: text for key, text in about.items() if text and (key != "description" or text != words)}
            )
    return links


def _write_link(label: str | None, href: str, description: str | None = None) -> str:
    """``label: address``, with what else is said about it in between."""
    about = [words for words in (label, description) if words and words != href]
    return ": ".join([" – ".join(about), href]) if about else href


def _texts(value: Mapping[str, Any], *keys: str) -> list[str]:
    return [text for key in keys if (text := read_string(value.get(key)))]


def _say(*lines: str | None) -> Content:
    text = "\n".join(line for line in lines if line)
    return {"text": text} if text else {}


def _drop_absent(part: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if value is not None}


READERS: dict[str, Reader] = {
    "OutputText": _read_text,
    "OutputLink": _read_link,
    "OutputImage": _read_image,
    "OutputHtml": _read_html,
    "OutputCard": _read_card,
    "OutputTable": _read_table,
    "GroupedPartsOutputControl": _read_group,
    "MultiPartOutput": _read_multipart,
    "InputText": lambda item, _: read_input(item),
    "FileUpload": lambda item, _: read_upload(item),
    "CustomControl": _read_custom,
    **dict.fromkeys(PICKERS, read_picker),
    **dict.fromkeys(DATES, lambda item, _: read_date(item)),
}
