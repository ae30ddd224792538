"""What can be configured, from Python, from the command line and from SIMULATOR_* variables."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from simulator.errors import BadCommand
from simulator.steps import load
from simulator.texts import Texts


class SimulatorSettings(BaseSettings):
    """Settings of one simulated instance; may be changed while it runs.

    `host`, `port`, `seed` and `script` are read once, at the start.
    Without `username`, `client_id`, `message_token` and `hash_secret` every request is let in.
    Secrets are masked in `repr` and never logged. Raises `pydantic.ValidationError` on a bad value.
    """

    model_config = SettingsConfigDict(
        env_prefix="SIMULATOR_",
        env_nested_delimiter="__",
        validate_assignment=True,
        extra="forbid",
        hide_input_in_errors=True,  # a bad value may be a secret
    )

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8081, ge=0, le=65535, description="port to listen on; 0 picks a free one")

    callback_url: str = Field(
        "http://127.0.0.1:5005/webhooks/servicenow/callback",
        description="where callbacks are POSTed; may carry ?secret=…",
        repr=False,
    )
    callback_username: str | None = Field(None, description="user name for Basic on callbacks")
    callback_password: SecretStr | None = Field(None, description="password for Basic on callbacks")
    callback_secret: SecretStr | None = Field(None, description="sent as the header x-handoff-secret")
    callback_headers: dict[str, str] = Field(
        default_factory=dict,
        max_length=10,
        description="extra callback headers, as JSON (at most 10)",
        repr=False,
    )
    callback_content_type: str = Field("application/json", description="Content-Type of callbacks")
    callback_connect_timeout: float = Field(5.0, gt=0, description="seconds to connect to the callback URL")
    callback_read_timeout: float = Field(30.0, gt=0, description="seconds to wait for a callback's answer")
    callback_retries: int = Field(
        0, ge=0, description="how often a callback is repeated after a 5xx or no answer"
    )
    callback_retry_delay: float = Field(1.0, ge=0, description="seconds before a callback is repeated")

    username: str | None = Field(None, description="user name, for Basic and for the OAuth password grant")
    password: SecretStr | None = Field(None, description="password of that user")
    client_id: str | None = Field(None, description="OAuth client id")
    client_secret: SecretStr | None = Field(None, description="OAuth client secret")
    client_credentials: bool = Field(
        True, description="allow the OAuth client_credentials grant (real instances: off until enabled)"
    )
    token_lifetime: int = Field(1799, ge=0, description="seconds an OAuth access token lives")
    message_token: SecretStr | None = Field(None, description="static message token")
    hash_secret: SecretStr | None = Field(None, description="key of the x-b2b-signature")
    message_auth_failure: Literal["silent", "reject"] = Field(
        "silent", description="answer to a bad token or signature: 200 and nothing happens, or 401"
    )

    available: bool = Field(True, description="whether a live agent is available at the start")
    wait_time: int = Field(30, ge=0, description="seconds of waiting announced to the queue")
    agent_name: str = Field("Alex Morgan", description="the live agent's name unless accept gives another")
    agent_avatar: str = Field("", description="URL of the live agent's picture")
    show_agent_name: bool = Field(True, description="show the live agent's name and picture")
    queue_name: str = Field("IT Service Desk", description="name of the queue")
    connect_queue_id: str = Field(
        "0123456789abcdef0123456789abcdef", description="sys_id of that queue in the Connect Support API"
    )

    fresh_session: bool = Field(
        True, description="greet, instead of transferring, when AGENT is a user's very first request"
    )
    ongoing_history: bool = Field(False, description="take `history` from later requests too")
    third_party_chat: bool = Field(True, description="let UPDATE_MESSAGES take effect")
    send_score: bool = Field(True, description="put `score` into callbacks")

    seed: int | None = Field(
        None, description="seed of the faults that have a probability; drawn and printed if there is none"
    )
    script: Path | None = Field(None, description="file with a script of faults, see docs/simulator.md")

    texts: Texts = Field(default_factory=Texts, description="sentences, see texts.py")

    @field_validator("script")
    @classmethod
    def _is_script(cls, path: Path | None) -> Path | None:
        if path is not None:
            try:
                load(path)
            except BadCommand as error:
                raise ValueError(str(error)) from error
        return path

    @field_validator("callback_url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an absolute http or https URL")
        return url
