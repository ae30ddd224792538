from channels.wording import fill_in


async def word(response):
    return f"<{response}>"


async def test_plain_content_stays_as_it_is():
    content = {"text": "Hello", "attachment": {"type": "image"}}
    assert await fill_in(content, word) == content


async def test_where_the_desk_has_no_words_the_domain_has():
    content = {"text": "", "prompt": {"response": "utter_desk_asks_date"}, "question": {"id": "1"}}
    assert await fill_in(content, word) == {"text": "<utter_desk_asks_date>", "question": {"id": "1"}}


async def test_options_without_a_title_are_named_by_the_domain():
    replies = [{"response": "utter_desk_yes", "value": "true"}, {"title": "No", "value": "false"}]
    filled = await fill_in({"text": "On?", "quick_replies": replies}, word)
    assert filled["quick_replies"] == [
        {"title": "<utter_desk_yes>", "value": "true"},
        {"title": "No", "value": "false"},
    ]
    assert replies[0] == {"response": "utter_desk_yes", "value": "true"}
