"""Questions: what is asked, what may be chosen, and what goes back for it."""

import pytest

from handoff.answers import read_answer
from servicenow.content import read_content
from servicenow.values import Addresses
from simulator import rich_items
from simulator.rich_items import EXAMPLES, option, picker


def read(item):
    return read_content(item, Addresses("https://dev1.service-now.com"))


def options(item):
    return [(reply.get("title"), reply["value"]) for reply in read(item)["quick_replies"]]


@pytest.mark.covers("7.2 options")
@pytest.mark.parametrize(
    ("name", "kind", "first"),
    [
        pytest.param(
            "Picker", "choice", ("Laptop", "hw-1"), id="picker", marks=pytest.mark.covers("7.3 Picker")
        ),
        pytest.param(
            "Topic picker",
            "choice",
            ("Password", "ae0d1ee085053130010cf8cddeeff7b1"),
            id="topic picker",
            marks=pytest.mark.covers("7.3 TopicPickerControl"),
        ),
        pytest.param(
            "Item picker",
            "choice",
            ("INC0001", "1a"),
            id="item picker",
            marks=pytest.mark.covers("7.3 ItemPicker"),
        ),
        pytest.param(
            "Boolean", "choice", ("Yes", "true"), id="boolean", marks=pytest.mark.covers("7.3 Boolean")
        ),
        pytest.param(
            "Multiple choice",
            "several",
            ("Mail", "m"),
            id="several",
            marks=pytest.mark.covers("7.2 multiSelect"),
        ),
    ],
)
def test_a_choice_goes_back_as_its_value(name, kind, first):
    content = read(EXAMPLES[name])
    assert (content["text"], content["question"]["kind"]) == (EXAMPLES[name]["label"], kind)
    assert options(EXAMPLES[name])[0] == first
    answer = read_answer(content, content["quick_replies"][0]["payload"])
    assert (answer.label, answer.value) == first


def test_a_boolean_says_true_and_false_unless_its_options_have_values():
    assert options(EXAMPLES["Boolean"]) == [("Yes", "true"), ("No", "false")]
    assert options(picker("On?", option("Oui", "yes"), option("Non", "no"), kind="Boolean")) == [
        ("Oui", "yes"),
        ("Non", "no"),
    ]


def test_a_boolean_without_options_has_those_of_the_domain():
    replies = read(picker("On?", kind="Boolean"))["quick_replies"]
    named = [(reply["response"], reply["value"]) for reply in replies]
    assert named == [("utter_desk_yes", "true"), ("utter_desk_no", "false")]


def test_a_carousel_has_descriptions_and_pictures():
    first = read(EXAMPLES["Carousel"])["quick_replies"][0]
    assert (first["description"], first["image"]) == ("With a lid", "https://example.com/a.png")


@pytest.mark.parametrize("given", [None, [], {}, "x", [None, 7, {}, {"value": {}}]])
def test_a_picker_without_options_is_its_words(given):
    assert read({"uiType": "Picker", "label": "Which?", "options": given}) == {"text": "Which?"}


def test_options_come_in_their_order_and_without_a_value_mean_their_label():
    item = picker("Which?", option("B", order="2"), option("A", order=1), option("C", 7, order=3))
    assert options(item) == [("A", "A"), ("B", "B"), ("C", "7")]


@pytest.mark.covers("7.2 promptMsg")
def test_the_prompt_goes_before_the_label():
    assert (
        read({"uiType": "Picker", "promptMsg": "Which?", "label": "device", "options": []})["text"]
        == "Which?"
    )


def test_a_question_without_words_gets_those_of_the_domain():
    content = read({"uiType": "Picker", "options": [{"label": "A"}]})
    assert (content["text"], content["prompt"]) == ("", {"response": "utter_desk_asks_choice"})


@pytest.mark.covers("7.2 scriptedData")
def test_a_card_may_stand_beside_a_picker():
    card = {"cardName": "Large image with text", "cardData": '{"title": "A laptop"}'}
    content = read(picker("Order it?", option("Yes", "y"), scriptedData=card))
    assert content["parts"] == [{"kind": "card", "title": "A laptop"}]
    assert "parts" not in read(picker("Order it?", option("Yes", "y"), scriptedData={"cardData": "{"}))


@pytest.mark.parametrize(
    ("name", "kind", "answer", "value"),
    [
        pytest.param(
            "Date", "date", "2026-11-23", "1795435200000", id="date", marks=pytest.mark.covers("7.3 Date")
        ),
        pytest.param(
            "Date and time",
            "datetime",
            "2026-11-23T14:30+01:00",
            "1795440600000",
            id="date and time",
            marks=pytest.mark.covers("7.3 DateTime"),
        ),
        pytest.param("Time", "time", "14:30", "52200000", id="time", marks=pytest.mark.covers("7.3 Time")),
    ],
)
def test_a_date_goes_back_in_milliseconds(name, kind, answer, value):
    content = read(EXAMPLES[name])
    assert content["question"]["kind"] == kind
    assert read_answer(content, f"/answer {content['question']['id']} {answer}").value == value


@pytest.mark.covers("7.3 InputText", "7.2 required")
def test_a_question_for_words_is_shown_and_answered_by_typing():
    content = read(EXAMPLES["Question"])
    assert content["text"] == "What does the display say?"
    assert (content["question"]["kind"], content["question"]["required"]) == ("text", True)
    assert read_answer(content, "E-17") is None


def test_a_secret_is_asked_for_as_one():
    content = read(EXAMPLES["Secret question"])
    assert (content["text"], content["question"]["kind"]) == ("What is the recovery code?", "secret")


@pytest.mark.covers("7.2 maskType")
@pytest.mark.parametrize("name", ["Date", "Picker", "Boolean"])
def test_the_answer_to_any_question_may_be_secret(name):
    content = read({**EXAMPLES[name], "maskType": "SECURE"})
    assert content["text"] == EXAMPLES[name]["label"]
    assert content["question"]["masked"]
    assert "masked" not in read(EXAMPLES[name])["question"]


@pytest.mark.covers("7.3 FileUpload")
def test_a_request_for_files_says_which_and_how_many():
    content = read(EXAMPLES["File request"])
    about = {key: content["question"][key] for key in ("kind", "files", "max_count", "max_size")}
    assert about == {"kind": "file", "files": "Image", "max_count": 2, "max_size": 5}
    bare = read({"uiType": "FileUpload", "maxCount": "3", "maxSize": "x"})
    assert (bare["prompt"], bare["question"]["max_count"]) == ({"response": "utter_desk_asks_file"}, 3)


def test_the_same_question_has_the_same_id_and_another_has_another():
    first, again, other = (read(EXAMPLES[name])["question"]["id"] for name in ("Date", "Date", "Time"))
    assert first == again != other
    twice = [read({**EXAMPLES["Date"], "messageId": name})["question"]["id"] for name in "ab"]
    assert twice[0] != twice[1]


def test_a_long_list_is_cut():
    item = picker("Which?", *(option(str(number)) for number in range(300)))
    assert len(read(item)["quick_replies"]) == 100
    assert rich_items.picker("x")["options"] == []
