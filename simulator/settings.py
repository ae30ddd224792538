"""What can be configured, from Python, from the command line and from SIMULATOR_* variables."""

from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from simulator.clock import FASTEST
from simulator.errors import BadCommand
from simulator.floor import Agent, Queue
from simulator.german import localise
from simulator.profiles import DEFAULT, Profile, parse_profile
from simulator.rich_items import EXAMPLES
from simulator.steps import load
from simulator.texts import Texts


class SimulatorSettings(BaseSettings):
    """Settings of one simulated instance; may be changed while it runs.

    Read once, at the start: `host`, `port`, `seed`, `script`, `speed`, `available`, `wait_time`,
    `queue_name`, `queues` and `agents`.
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

    profile: str = Field(
        DEFAULT, description="what the instance does differently, comma-separated, see docs/simulator.md"
    )

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
    queue_name: str = Field("IT Service Desk", description="name of the queue, where `queues` names none")
    connect_queue_id: str = Field(
        "0123456789abcdef0123456789abcdef", description="sys_id of the first queue in Connect Support"
    )
    queues: list[Queue] = Field(
        default_factory=list, description="queues, as JSON; the first takes what fits no other"
    )
    agents: list[Agent] = Field(
        default_factory=list, description="live agents, as JSON; without any, one called as agent-name says"
    )

    speed: float = Field(
        1.0, ge=0, le=FASTEST, allow_inf_nan=False, description="how fast the instance's time runs"
    )
    idle_reminder: float = Field(180, ge=0, description="seconds a requester is silent until the reminder")
    idle_timeout: float = Field(360, ge=0, description="seconds a requester is silent until the chat ends")
    idle_job_period: float = Field(120, ge=0, description="seconds between two looks at idle chats; 0: exact")
    idle_after_agent_answer: bool = Field(
        False, description="let a requester's silence count only once the live agent has answered"
    )
    wait_time_refresh: float = Field(60, ge=0, description="seconds between two looks at the waiting time")
    queue_timeout_ends: bool = Field(True, description="a queue's longest wait ends the conversation")
    transfer_timeout: float = Field(0, ge=0, description="seconds until a transfer nobody took returns")
    b2b_idle_timeout: float = Field(3600, ge=0, description="seconds until an idle chat with the bot ends")
    b2b_job_period: float = Field(3600, ge=0, description="seconds between two looks at those; 0: exact")

    trusted_media_domains: list[str] = Field(
        default_factory=lambda: ["127.0.0.1", "localhost"],
        description="hosts attachments are fetched from, as JSON; subdomains are trusted too",
    )
    attachment_limit: int = Field(10 * 1024 * 1024, ge=0, description="bytes a file may have")
    download_range: int = Field(0, ge=0, description="bytes per request of a download; 0: all in one")
    media_scan: float = Field(2, ge=0, description="seconds until a file is scanned and no more pending")
    media_needs_credentials: bool = Field(False, description="serve files of chats only with credentials")
    store_history_as: Literal["", "multi-text", "text", "html"] = Field(
        "", description="put `history` into sys_cs_message: as lines, as one text, or as HTML"
    )
    transcript_html: bool = Field(False, description="write the texts of sys_cs_message as HTML")
    denied_tables: list[str] = Field(
        default_factory=list, description='tables nobody may read or write, as JSON; ["*"] means all'
    )

    applications: dict[str, str] = Field(
        default_factory=dict,
        description="callback URL of each further provider application by its Inbound Id, as JSON",
        repr=False,
    )
    conversation_key: Literal["user", "user_and_session"] = Field(
        "user", description="what a conversation is found by: userId, or clientSessionId too"
    )
    one_at_a_time: bool = Field(
        True, description="ignore requests to the bot while one is unfinished, and repeated ones"
    )
    bad_request: Literal["reject", "silent"] = Field(
        "reject", description="answer to a missing or wrong field: 400, or 200 and nothing happens"
    )
    rate_limit: int | None = Field(None, ge=0, description="requests per hour and user until a 429")
    take_control_times: int = Field(
        2, ge=0, description="texts the bot may not understand until it gives up; 0: never"
    )
    topics: list[str] = Field(
        default_factory=lambda: ["Password Reset", "Hardware Request"],
        description="topics SWITCH can name, as JSON",
    )

    intake: list[str | dict[str, Any]] = Field(
        default_factory=list,
        description="questions before a live agent, as JSON: names of examples, or items",
    )
    intake_in_queue: bool = Field(False, description="ask them once the chat is in the queue, not before")

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

    @property
    def traits(self) -> Profile:
        """Return the profile, parsed."""
        return parse_profile(self.profile)

    @property
    def names_agents(self) -> bool:
        """Whether the requester learns the live agents' names."""
        return self.show_agent_name and "hidden_agents" not in self.traits

    @property
    def words(self) -> Texts:
        """Return the sentences in the language of the profile; those set by hand win."""
        return localise(self.texts) if "localised" in self.traits else self.texts

    @field_validator("profile")
    @classmethod
    def _is_profile(cls, text: str) -> str:
        try:
            parse_profile(text)
        except BadCommand as error:
            raise ValueError(str(error)) from error
        return text

    @field_validator("intake")
    @classmethod
    def _are_questions(cls, questions: list[str | dict[str, Any]]) -> list[str | dict[str, Any]]:
        for one in questions:
            if isinstance(one, str) and one not in EXAMPLES:
                raise ValueError(f"no example {one!r}; there are {', '.join(EXAMPLES)}")
            if isinstance(one, dict) and not isinstance(one.get("uiType"), str):
                raise ValueError("an item has a uiType")
        return questions

    @field_validator("script")
    @classmethod
    def _is_script(cls, path: Path | None) -> Path | None:
        if path is not None:
            try:
                load(path)
            except BadCommand as error:
                raise ValueError(str(error)) from error
        return path

    @field_validator("applications")
    @classmethod
    def _are_web_addresses(cls, urls: dict[str, str]) -> dict[str, str]:
        return {inbound_id: cls._is_web_address(url) for inbound_id, url in urls.items()}

    @field_validator("callback_url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an absolute http or https URL")
        return url
