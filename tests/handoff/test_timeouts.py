from handoff.settings import read_settings
from handoff.timeouts import Timeouts


def test_the_defaults_are_those_of_the_settings():
    settings = read_settings(
        servicenow_url="https://x.example", servicenow_auth="none", servicenow_callback_secret="s"
    )
    assert Timeouts.from_settings(settings) == Timeouts()


def test_each_limit_comes_from_its_own_setting():
    settings = read_settings(
        servicenow_url="https://x.example",
        servicenow_auth="none",
        servicenow_callback_secret="s",
        handoff_requested_timeout=1,
        handoff_queued_timeout=2,
        handoff_ending_timeout=3,
        handoff_delivery_deadline=4,
    )
    assert Timeouts.from_settings(settings) == Timeouts(requested=1, queued=2, ending=3, delivery=4)
