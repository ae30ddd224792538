"""Items beyond plain text, in the shapes of reference section 7.3; `EXAMPLES` has one of each kind.

None of them has a `messageId` or an `agentInfo`: whoever sends them adds both. The cards' data, the table
and the multipart output follow the documentation's examples (pages Rich controls and What's new).
"""

import json
from collections.abc import Sequence
from typing import Any

from simulator.chat import JSON

MEDIA = "/api/now/v1/cs/media/0a1b2c3d"  # relative to the instance, as its media addresses may be


def text(words: str, *, secure: bool = False) -> JSON:
    return {
        "uiType": "OutputText",
        "group": "DefaultText",
        "value": words,
        "maskType": "SECURE" if secure else "NONE",
    }


def text_in_label(words: str) -> JSON:
    """Return the form that the documentation's attachment examples have."""
    return {"uiType": "OutputText", "group": "DefaultText", "itemType": "outputtext", "label": words}


def link(url: str, label: str | None = None, header: str | None = None) -> JSON:
    value = {"action": url, "target": "_blank"}
    return {
        "uiType": "OutputLink",
        "group": "DefaultOutputLink",
        "type": "link",
        "label": label,
        "header": header,
        "value": value,
    }


def image(url: str, alt: str | None = None) -> JSON:
    return {"uiType": "OutputImage", "group": "DefaultOutputImage", "value": url, "altText": alt}


def html(markup: str) -> JSON:
    item = {"uiType": "OutputHtml", "group": "DefaultOutputHtml", "style": "inline", "value": markup}
    return {**item, "width": 0, "height": 0}


def card(template: str, **data: Any) -> JSON:
    """Return a card; its data is JSON in a string."""
    encoded = json.dumps(data)
    return {
        "uiType": "OutputCard",
        "group": "DefaultOutputCard",
        "templateName": template,
        "data": encoded,
    }


def links(header: str, *values: JSON) -> JSON:
    return {
        "uiType": "GroupedPartsOutputControl",
        "group": "DefaultGroupedPartsOutputControl",
        "groupPartType": "Link",
        "header": header,
        "values": list(values),
    }


def option(label: str, value: str | None = None, **looks: Any) -> JSON:
    """Return an option; without a value it has only its label, as those of a Boolean may."""
    known = {} if value is None else {"value": value, "renderStyle": "data", "enabled": True}
    return {"label": label, **known, **looks}


def picker(label: str, *options: JSON, kind: str = "Picker", **fields: Any) -> JSON:
    """Return a question with options; `kind` may be TopicPickerControl, ItemPicker or Boolean, too."""
    return {
        "uiType": kind,
        "group": "DefaultPicker",
        "required": True,
        "nluTextEnabled": False,
        "label": label,
        "promptMsg": label,
        "options": list(options),
        "multiSelect": False,
        "style": "list",
        "itemType": "List",
        **fields,
    }


def date(label: str, kind: str = "Date") -> JSON:
    """Return a question for a date; `kind` may be DateTime or Time, too."""
    return {"uiType": kind, "group": "DefaultDate", "required": True, "entityType": kind, "label": label}


def table(label: str, headers: Sequence[str], *rows: Sequence[str]) -> JSON:
    """Return a table with all its rows; the sender waits for the answer DONE."""
    return {
        "uiType": "OutputTable",
        "group": "DefaultOutputTable",
        "label": label,
        "headers": list(headers),
        "data": [list(row) for row in rows],
        "paginationBreak": 10,
        "totalSearchResultsCount": len(rows),
        "navigationBtnLabel": "Click for more",
    }


def multipart(content: JSON, button: str | None = "Click for more") -> JSON:
    """Return one part of several; the answer `click_for_more` asks for the next."""
    named = {"navigationBtnLabel": button} if button else {}
    return {"uiType": "MultiPartOutput", "group": "DefaultMultiPartOutput", **named, "content": content}


def input_text(label: str, *, secure: bool = False) -> JSON:
    mask = "SECURE" if secure else "NONE"
    item = {"uiType": "InputText", "group": "DefaultText", "itemType": "Inputtext", "label": label}
    return {**item, "required": True, "maskType": mask}


def file_upload(label: str, kind: str = "File", **limits: int) -> JSON:
    """Return a request for files; `maxCount` is a number, `maxSize` is in MB."""
    item = {"uiType": "FileUpload", "group": "DefaultText", "label": label, "itemType": kind}
    return {**item, "required": True, **limits}


def stream_piece(stream_id: str, sequence: int, words: str) -> JSON:
    """Return the n-th piece of a stream; the first is the placeholder."""
    kind = "StreamStart" if sequence == 1 else "StreamChunk"
    return {"uiType": kind, "streamId": stream_id, "streamSequence": sequence, "value": words}


EXAMPLES: dict[str, JSON] = {
    "Text": text("Please restart the client."),
    "Text in label": text_in_label("Please restart the client."),
    "Secret text": text("Your new password is hunter2", secure=True),
    "Link": link("https://example.com/kb/1", "How to set up VPN", "Knowledge base"),
    "Relative link": link("/kb_view.do?sys_id=1", "Article 1"),
    "Image": image("https://example.com/vpn.png", "Where the VPN button is"),
    "Relative image": image(MEDIA, "A screenshot"),
    "HTML": html(
        '<p>Do <b>not</b> restart.</p><ul><li>Read <a href="/kb?id=2">this</a></li></ul>'
        "<script>alert(1)</script>"
    ),
    "Record card": card(
        "Card",
        title="Incident",
        subtitle="INC0008001",
        url="https://example.com/sp?id=ticket",
        fields=[
            {"fieldLabel": "Number", "fieldValue": "INC0008001"},
            {"fieldLabel": "Short description", "fieldValue": "Printer on fire"},
        ],
    ),
    "Small card": card(
        "Small image with text",
        title="A new phone",
        description="In stock",
        image="https://example.com/phone.png",
        imageAlt="A phone",
    ),
    "Large card": card(
        "Large image with text",
        title="A laptop",
        description="In three weeks",
        image="https://example.com/l.png",
    ),
    "Video card": card("Youtube Video Card", title="VPN in a minute", description="A film", id="IWsGk-Kh5ko"),
    "Broken card": {**card("Card"), "data": "{not JSON", "label": "A card that cannot be read"},
    "Links": links(
        "These may help",
        {"label": "VPN", "action": "https://example.com/vpn", "description": "Set-up", "context": "KB"},
        {"label": "Mail", "action": "/mail", "description": "On your phone", "context": "KB"},
    ),
    "Picker": picker(
        "Which device is it?", option("Laptop", "hw-1"), option("Mobile phone", "hw-2"), option("Other", "-1")
    ),
    "Multiple choice": picker(
        "What does not work?", option("Mail", "m"), option("VPN", "v"), option("Print", "p"), multiSelect=True
    ),
    "Carousel": picker(
        "Which one do you have?",
        option("Model A", "a", description="With a lid", attachment="https://example.com/a.png"),
        option("Model B", "b", description="Without", attachment="https://example.com/b.png"),
        style="carousel",
        itemType="Picture",
    ),
    "Topic picker": picker(
        "What is it about?",
        option("Password", "ae0d1ee085053130010cf8cddeeff7b1"),
        option("Hardware", "be1d2fe085053130010cf8cddeeff7b2"),
        kind="TopicPickerControl",
    ),
    "Item picker": picker(
        "Which ticket?", option("INC0001", "1a"), option("INC0002", "2b"), kind="ItemPicker"
    ),
    "Boolean": picker("Is it switched on?", option("Yes"), option("No"), kind="Boolean"),
    "Date": date("When did it begin?"),
    "Date and time": date("When shall I call?", "DateTime"),
    "Time": date("At what time does it happen?", "Time"),
    "Table": table(
        "Your tickets", ["Number", "Short description"], ["INC0000005", "CPU load"], ["INC0000015", "VPN"]
    ),
    "Part of several": multipart(text("The first of three parts.")),
    "Question": input_text("What does the display say?"),
    "Secret question": input_text("What is the recovery code?", secure=True),
    "File request": file_upload("Please send a screenshot.", "Image", maxCount=2, maxSize=5),
    "Custom control": {
        "uiType": "CustomControl",
        "group": "Custom",
        "label": "Rate us",
        "value": '{"max": 5}',
    },
    "Unknown": {"uiType": "Hologram", "label": "A hologram of the printer"},
}
