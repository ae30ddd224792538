from handoff.content import read_question, write_plainly

REPLIES = [{"title": "Yes", "value": "true"}, {"response": "utter_desk_no", "value": "false"}]


def test_a_question_is_one_only_in_the_right_shape():
    assert read_question({"question": {"id": "1"}}) == {"id": "1"}
    assert read_question({"question": "1"}) is None
    assert read_question({}) is None


def test_options_are_named_where_the_desk_asks_and_not_where_the_bot_does():
    assert write_plainly({"text": "On?", "quick_replies": REPLIES, "question": {"id": "1"}}) == "On? [Yes]"
    assert write_plainly({"text": "On?", "quick_replies": REPLIES}) == "On?"
    assert write_plainly({"response": "utter_x"}) == ""
