"""Every kind of item, as section 7.3 has it, and what becomes of it."""

import pytest

from handoff.content import MASK
from servicenow.content import is_known, read_content
from servicenow.values import Addresses
from simulator import rich_items
from simulator.rich_items import EXAMPLES

BASE = "https://dev1.service-now.com"


def read(item):
    return read_content(item, Addresses(BASE))


def parts(item):
    return read(item).get("parts")


# -- texts ------------------------------------------------------------------------------


@pytest.mark.covers("7.3 OutputText")
@pytest.mark.parametrize("name", ["Text", "Text in label"])
def test_a_text_stands_in_value_or_in_label(name):
    assert read(EXAMPLES[name]) == {"text": "Please restart the client."}


@pytest.mark.parametrize(
    ("value", "expected"), [(42, "42"), (" x ", "x"), ("", None), (None, None), (True, None), ({}, None)]
)
def test_a_text_may_be_a_number_and_nothing_else(value, expected):
    assert read({"uiType": "OutputText", "value": value}).get("text") == expected


@pytest.mark.covers("7.2 maskType")
@pytest.mark.parametrize("mask", ["SECURE", "secure", "SENSITIVE"])
@pytest.mark.parametrize("kind", ["OutputText", "OutputHtml", "OutputCard", "OutputTable", "Hologram"])
def test_what_is_secret_is_masked_whatever_it_is(kind, mask):
    item = {"uiType": kind, "value": "hunter2", "label": "hunter2", "data": [["hunter2"]], "maskType": mask}
    assert read(item) == {"text": MASK}


@pytest.mark.covers("7.2 citations")
def test_what_a_text_cites_is_linked_below_it():
    cited = {"citationHref": "/kb?id=1", "citationLabel": "What is spam?", "description": "What is spam?\n"}
    odd = [{"citationHref": "javascript:x"}, None]
    content = read({**rich_items.text("Spam is [1]"), "citations": [cited, *odd]})
    links = [{"href": f"{BASE}/kb?id=1", "title": "What is spam?"}]
    assert content["text"] == "Spam is [1]"
    assert content["parts"] == [{"kind": "text", "text": "Spam is [1]"}, {"kind": "links", "links": links}]


# -- links and pictures -----------------------------------------------------------------


@pytest.mark.covers("7.3 OutputLink", "7.2 header")
def test_a_link_has_a_label_and_a_header():
    content = read(EXAMPLES["Link"])
    assert content["text"] == "Knowledge base\nHow to set up VPN: https://example.com/kb/1"
    part = {"kind": "link", "href": "https://example.com/kb/1", "title": "How to set up VPN"}
    assert content["parts"] == [{**part, "header": "Knowledge base"}]


@pytest.mark.covers("7.3 OutputLink", "7.2 header")
def test_a_header_that_repeats_the_label_is_said_once():
    """As an instance sends a file of a live agent's."""
    said = read({**rich_items.link("https://example.com/f/1", "plan.pdf"), "header": "plan.pdf"})
    assert said["text"] == "plan.pdf: https://example.com/f/1"
    assert said["parts"] == [{"kind": "link", "href": "https://example.com/f/1", "title": "plan.pdf"}]
    assert read({**rich_items.link("ftp://a/b", "plan.pdf"), "header": "plan.pdf"}) == {"text": "plan.pdf"}


@pytest.mark.parametrize("value", ["https://a.b/c", {"action": "https://a.b/c"}])
def test_the_address_of_a_link_may_stand_in_value_itself(value):
    assert read({"uiType": "OutputLink", "value": value}) == {
        "text": "https://a.b/c",
        "parts": [{"kind": "link", "href": "https://a.b/c", "title": "https://a.b/c"}],
    }


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "ftp://a/b", "", None, [], "http://[x"]
)
def test_a_link_that_may_not_be_followed_leaves_its_words(address):
    assert read(rich_items.link(address, "Click me")) == {"text": "Click me"}


@pytest.mark.covers("7.3 OutputImage")
@pytest.mark.parametrize(
    ("name", "source"),
    [("Image", "https://example.com/vpn.png"), ("Relative image", BASE + rich_items.MEDIA)],
)
def test_a_picture_has_an_address_and_a_description(name, source):
    alt = EXAMPLES[name]["altText"]
    assert read(EXAMPLES[name]) == {
        "text": f"{alt}: {source}",
        "parts": [{"kind": "image", "src": source, "alt": alt}],
    }


def test_a_picture_without_a_description_is_named_by_its_address():
    assert read(rich_items.image("https://a/b.png"))["text"] == "https://a/b.png"
    assert read(rich_items.image("data:image/png;base64,xx", "A screenshot")) == {"text": "A screenshot"}
    assert read(rich_items.image("blob:x")) == {}


# -- HTML -------------------------------------------------------------------------------


@pytest.mark.covers("7.3 OutputHtml")
@pytest.mark.parametrize("group", ["DefaultHtml", "DefaultOutputHtml"])
def test_html_is_rebuilt_and_said_in_words(group):
    content = read({**EXAMPLES["HTML"], "group": group})
    assert content["text"] == f"Do not restart.\n- Read this ({BASE}/kb?id=2)"
    [part] = content["parts"]
    assert part["kind"] == "html"
    assert part["html"].startswith("<p>Do <b>not</b> restart.</p><ul><li>")
    assert "script" not in part["html"]


def test_html_without_words_may_have_a_picture():
    item = {"uiType": "OutputHtml", "value": "<div></div>", "imageUrl": "/api/now/v1/cs/media/1"}
    assert parts(item) == [{"kind": "image", "src": f"{BASE}/api/now/v1/cs/media/1", "alt": ""}]
    assert read({"uiType": "OutputHtml", "value": "<script>x</script>"}) == {}


# -- cards ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param(
            "Record card",
            "Incident\nINC0008001\nNumber: INC0008001\nShort description: Printer on fire\n"
            "https://example.com/sp?id=ticket",
            id="record",
            marks=pytest.mark.covers("7.3 OutputCard: Card"),
        ),
        pytest.param(
            "Small card",
            "A new phone\nIn stock\nhttps://example.com/phone.png",
            id="small",
            marks=pytest.mark.covers("7.3 OutputCard: Small image with text"),
        ),
        pytest.param(
            "Large card",
            "A laptop\nIn three weeks\nhttps://example.com/l.png",
            id="large",
            marks=pytest.mark.covers("7.3 OutputCard: Large image with text"),
        ),
        pytest.param(
            "Video card",
            "VPN in a minute\nA film\nhttps://www.youtube.com/watch?v=IWsGk-Kh5ko",
            id="video",
            marks=pytest.mark.covers("7.3 OutputCard: Youtube Video Card"),
        ),
    ],
)
def test_a_card_is_drawn_and_said_in_words(name, text):
    content = read(EXAMPLES[name])
    assert content["text"] == text
    assert [part["kind"] for part in content["parts"]] == ["card"]


def test_a_card_that_cannot_be_read_leaves_its_label():
    assert read(EXAMPLES["Broken card"]) == {"text": "A card that cannot be read"}
    assert read(rich_items.card("Card")) == {}


# -- several things ---------------------------------------------------------------------


@pytest.mark.covers("7.3 GroupedPartsOutputControl")
def test_grouped_links_are_one_part():
    content = read(EXAMPLES["Links"])
    assert content["text"].splitlines() == [
        "These may help",
        "VPN – Set-up: https://example.com/vpn",
        f"Mail – On your phone: {BASE}/mail",
    ]
    [part] = content["parts"]
    assert (part["header"], [link["title"] for link in part["links"]]) == ("These may help", ["VPN", "Mail"])


def test_a_group_keeps_the_words_of_what_may_not_be_followed():
    item = rich_items.links(
        "Look", {"label": "A", "action": "https://a/"}, {"label": "B", "action": "x:y"}, {}
    )
    assert read(item)["text"].splitlines() == ["Look", "A: https://a/", "B"]
    assert parts(item)[1] == {"kind": "text", "text": "B"}
    assert read(rich_items.links("Nothing")) == {"text": "Nothing"}


@pytest.mark.covers("7.3 OutputTable")
def test_a_table_is_shown_whole_and_wants_to_hear_that_it_was_read():
    content = read(EXAMPLES["Table"])
    assert content["text"].splitlines() == [
        "Your tickets",
        "Number | Short description",
        "INC0000005 | CPU load",
        "INC0000015 | VPN",
    ]
    assert content["parts"][1]["rows"] == [["INC0000005", "CPU load"], ["INC0000015", "VPN"]]
    [reply] = content["quick_replies"]
    assert (reply["value"], reply["response"]) == ("DONE", "utter_desk_table_read")


@pytest.mark.parametrize("row", [{"Number": "1", "State": 2}, ["1", {"displayValue": "2"}], [1, "2", None]])
def test_a_row_may_be_a_list_or_an_object(row):
    item = {"uiType": "OutputTable", "headers": ["Number", "State"], "data": [row, None, "x", []]}
    assert [cells[:2] for cells in parts(item)[0]["rows"]] == [["1", "2"]]


def test_a_table_without_rows_leaves_its_label():
    assert read(rich_items.table("Your tickets", ["Number"])) == {"text": "Your tickets"}
    assert read({"uiType": "OutputTable", "data": "x"}) == {}


@pytest.mark.covers("7.3 MultiPartOutput")
def test_a_part_of_several_is_read_as_itself_and_has_a_button_for_the_next():
    content = read(rich_items.multipart(EXAMPLES["Link"]))
    assert content["parts"] == parts(EXAMPLES["Link"])
    [reply] = content["quick_replies"]
    assert (reply["title"], reply["value"]) == ("Click for more", "click_for_more")


def test_a_part_without_words_for_the_button_gets_those_of_the_domain():
    [reply] = read(rich_items.multipart(rich_items.text("1 of 2"), button=None))["quick_replies"]
    assert reply["response"] == "utter_desk_next_part"


def test_a_part_of_several_may_hold_anything():
    assert read({"uiType": "MultiPartOutput"}) == {}
    assert read({"uiType": "MultiPartOutput", "content": "x", "label": "A part"})["text"] == "A part"
    nested = rich_items.multipart(rich_items.multipart(rich_items.text("deep")))
    assert read(nested) == {}


# -- the rest ---------------------------------------------------------------------------


@pytest.mark.covers("7.3 CustomControl")
@pytest.mark.parametrize(
    ("item", "text"),
    [
        (EXAMPLES["Custom control"], "Rate us"),
        ({"value": '{"text": "Rate us"}'}, "Rate us"),
        ({"value": "Rate us"}, "Rate us"),
        ({"value": "[1]", "label": "Rate us"}, "[1]"),
        ({"value": {"max": 5}}, None),
    ],
)
def test_of_a_custom_control_its_words_are_shown(item, text):
    assert read({"uiType": "CustomControl", **item}).get("text") == text


@pytest.mark.covers("7.3 unknown")
def test_of_what_is_unknown_its_words_are_shown_if_it_has_any():
    assert read(EXAMPLES["Unknown"]) == {"text": "A hologram of the printer"}
    assert read({"uiType": "Hologram", "data": {}}) == {}
    assert not is_known(EXAMPLES["Unknown"])
    assert is_known(EXAMPLES["Text"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_all_of_it_can_be_kept_and_has_words_or_asks(name):
    content = read(EXAMPLES[name])
    assert content["text"]
    assert "hunter2" not in str(content)
