"""The channels as Rasa makes them from `credentials.yml`."""

from pathlib import Path

import pytest
import yaml

from channels.operations import Operations
from channels.rasa_api import ChannelRefused
from channels.rest import HandoffRest
from channels.servicenow import ServiceNowCallback
from channels.webchat import WebChat

CREDENTIALS = Path(__file__).resolve().parents[2] / "credentials.yml"
CHANNELS = [WebChat, HandoffRest, ServiceNowCallback, Operations]


@pytest.fixture
def whole_settings(monkeypatch):
    monkeypatch.setenv("SERVICENOW_URL", "https://example.service-now.com")
    monkeypatch.setenv("SERVICENOW_AUTH", "none")
    monkeypatch.setenv("SERVICENOW_CALLBACK_SECRET", "secret")


@pytest.mark.rasa
def test_rasa_finds_all_channels_by_our_credentials_file(whole_settings):
    from rasa.core.config.credentials import CredentialsConfig
    from rasa.core.run import create_input_channels

    made = create_input_channels(None, CredentialsConfig.load_from_file(CREDENTIALS))
    assert [type(channel) for channel in made] == CHANNELS


def test_the_file_names_modules_that_can_be_imported():
    names = list(yaml.safe_load(CREDENTIALS.read_text()))
    assert names == [f"{c.__module__}.{c.__qualname__}" for c in CHANNELS]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_missing_setting_is_refused_at_start_by_name(channel, monkeypatch):
    monkeypatch.setenv("SERVICENOW_URL", "https://example.service-now.com")
    monkeypatch.setenv("SERVICENOW_USER", "someone")
    with pytest.raises(ChannelRefused, match="SERVICENOW_PASSWORD is not set") as refused:
        channel.from_credentials(None)
    assert "SERVICENOW_CALLBACK_SECRET" in str(refused.value)


def test_the_refusal_is_one_that_rasas_command_line_prints():
    from rasa.shared.exceptions import RasaException

    assert issubclass(ChannelRefused, RasaException)


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_unknown_option_is_refused_by_name(channel, whole_settings):
    with pytest.raises(ChannelRefused, match=r"credentials\.yml"):
        channel.from_credentials({"cors_alowed_origins": []})


WEBHOOK_SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def test_an_address_to_post_to_needs_a_secret_to_sign_with(whole_settings, monkeypatch):
    options = {"webhook_url": "https://example.com/rasa"}
    with pytest.raises(ChannelRefused, match="HANDOFF_REST_WEBHOOK_SECRET is not set"):
        HandoffRest.from_credentials(options)
    monkeypatch.setenv("HANDOFF_REST_WEBHOOK_SECRET", WEBHOOK_SECRET)
    assert HandoffRest.from_credentials(options)


def test_a_wrong_address_to_post_to_is_refused(whole_settings):
    with pytest.raises(ChannelRefused, match=r"webhook_url .* must start with https://"):
        HandoffRest.from_credentials({"webhook_url": "http://example.com/rasa"})
