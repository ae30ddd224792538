"""The environment of ``make run``: what is set already wins; the rest is made up for loopback."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from handoff.settings import ENV_FILE

ROOT = Path(__file__).resolve().parent.parent
USER = "handoff.integration"
REST_VARIABLES = ("HANDOFF_REST_TOKEN", "HANDOFF_REST_JWT_KEY", "HANDOFF_REST_TRUSTED_NETWORK")
LLM_VARIABLES = ("HANDOFF_LLM_API_BASE", "HANDOFF_LLM_API_KEY", "HANDOFF_LLM_MODEL")


@dataclass(frozen=True)
class Plan:
    """What to start: the assistant's environment, and the simulator's if one is wanted."""

    assistant: Mapping[str, str]
    simulator: Mapping[str, str] | None
    has_licence: bool = False
    has_llm: bool = False
    port: int = 5005
    desk_port: int = 8081

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def desk_address(self) -> str:
        return f"http://127.0.0.1:{self.desk_port}"

    @property
    def config(self) -> str:
        return "config.llm.yml" if self.has_llm else "config.yml"

    @property
    def endpoints(self) -> str:
        return "endpoints.llm.yml" if self.has_llm else "endpoints.yml"


def make_plan(environment: Mapping[str, str], port: int, desk_port: int, dotenv: Path | None = None) -> Plan:
    """Read ``.env`` and the environment; without ``SERVICENOW_URL``, plan for the simulator.

    As everywhere, an empty variable counts as unset, and ``HANDOFF_ENV_FILE`` names another file.
    """
    dotenv = dotenv or Path(environment.get(ENV_FILE) or ROOT / ".env")
    found = {key: value for key, value in dotenv_values(dotenv).items() if value}
    found |= {key: value for key, value in environment.items() if value}
    wants_simulator = not found.get("SERVICENOW_URL")
    made_up = _make_up(found, desk_port) if wants_simulator else {}
    public = {"HANDOFF_PUBLIC_URL": f"http://127.0.0.1:{port}"} if wants_simulator else {}
    assistant = {**public, **found, **made_up, "PYTHONUNBUFFERED": "1"}
    return Plan(
        assistant=assistant,
        simulator=_describe_simulator(found, made_up, port, desk_port) if wants_simulator else None,
        has_licence=bool(found.get("RASA_LICENSE")),
        has_llm=all(found.get(name) for name in LLM_VARIABLES),
        port=port,
        desk_port=desk_port,
    )


def _make_up(found: Mapping[str, str], desk_port: int) -> dict[str, str]:
    return {**_connect_simulator(desk_port), **_open_rest(found), **_audit(found)}


def _connect_simulator(desk_port: int) -> dict[str, str]:
    """Credentials made anew for each run; nobody else has to know them."""
    return {
        "SERVICENOW_URL": f"http://127.0.0.1:{desk_port}",
        "SERVICENOW_AUTH": "basic",
        "SERVICENOW_USER": USER,
        "SERVICENOW_PASSWORD": secrets.token_urlsafe(24),
        "SERVICENOW_CALLBACK_SECRET": secrets.token_urlsafe(24),
        "SERVICENOW_QUEUE": secrets.token_hex(16),
    }


def _open_rest(found: Mapping[str, str]) -> dict[str, str]:
    """The server listens on loopback only, so who reaches it is on this machine."""
    is_set = any(found.get(name) for name in REST_VARIABLES)
    return {} if is_set else {"HANDOFF_REST_TRUSTED_NETWORK": "true"}


def _audit(found: Mapping[str, str]) -> dict[str, str]:
    """The simulator lets its transcripts be read, so that every chat is compared with the ledger."""
    return {} if found.get("HANDOFF_AUDIT") else {"HANDOFF_AUDIT": "true"}


def _describe_simulator(
    found: Mapping[str, str], made_up: Mapping[str, str], port: int, desk_port: int
) -> dict[str, str]:
    return {
        **found,
        "PYTHONUNBUFFERED": "1",
        "SIMULATOR_PORT": str(desk_port),
        "SIMULATOR_CALLBACK_URL": f"http://127.0.0.1:{port}/webhooks/servicenow/callback",
        "SIMULATOR_CALLBACK_SECRET": made_up["SERVICENOW_CALLBACK_SECRET"],
        "SIMULATOR_USERNAME": USER,
        "SIMULATOR_PASSWORD": made_up["SERVICENOW_PASSWORD"],
        "SIMULATOR_CONNECT_QUEUE_ID": made_up["SERVICENOW_QUEUE"],
    }
