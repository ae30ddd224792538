from servicenow.requester import name_requester


def test_a_name_is_stable_short_and_hides_the_conversation():
    name = name_requester("secret-session-id")
    assert name == name_requester("secret-session-id") != name_requester("another")
    assert name.startswith("rasa-")
    assert "secret" not in name
    assert len(name) <= 40
