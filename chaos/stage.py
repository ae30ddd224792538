"""What the processes of a run have to know of each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from handoff.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parents[1]
CLIENT = "chaos"
OURS = ("SERVICENOW_", "HANDOFF_")
SECRET = "callback-secret-of-the-chaos-proof"  # noqa: S105 - made up, for loopback


@dataclass(frozen=True)
class Stage:
    """Where the processes of a run find each other."""

    folder: Path
    port: int
    desk_url: str
    sources: Path = ROOT
    model: Path | None = None  # of the assistant; without one, the bot is an echo
    database_url: str | None = None  # without one, the ledger is a file in the folder
    redis_url: str | None = None
    more: dict[str, str] = field(default_factory=dict)  # variables, of ours and of Rasa's endpoints

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_cluster(self) -> bool:
        return self.database_url is not None

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    @property
    def trackers(self) -> Path:
        return self.folder / "trackers.db"

    def environment(self) -> dict[str, str]:
        """Our settings as variables; deadlines short enough for a run to see them pass."""
        redis = {"HANDOFF_REDIS_URL": self.redis_url} if self.redis_url else {}
        return redis | {
            "SERVICENOW_URL": self.desk_url,
            "SERVICENOW_AUTH": "oauth_client_credentials",
            "SERVICENOW_CLIENT_ID": CLIENT,
            "SERVICENOW_CLIENT_SECRET": SECRET,
            "SERVICENOW_CALLBACK_SECRET": SECRET,
            "SERVICENOW_REQUEST_TIMEOUT": "4",
            "HANDOFF_DATABASE_URL": self.database_url or f"sqlite:///{self.ledger}",
            # A life of the assistant takes seconds to begin.
            "HANDOFF_REQUESTED_TIMEOUT": "60" if self.model else "6",
            "HANDOFF_QUEUED_TIMEOUT": "300" if self.model else "12",
            "HANDOFF_ENDING_TIMEOUT": "3",
            "HANDOFF_DELIVERY_DEADLINE": "10",
            "HANDOFF_SENDER_LIMIT": "0",  # its requesters are no people
            **self.more,
        }

    def write(self) -> dict[str, Any]:
        """For another process, which works from the same sources."""
        return {
            **asdict(self),
            "folder": str(self.folder),
            "sources": str(self.sources),
            "model": str(self.model) if self.model else None,
        }

    @classmethod
    def read(cls, about: Mapping[str, Any]) -> Stage:
        """What ``write`` has written."""
        paths = {"folder": Path(about["folder"]), "sources": Path(about["sources"])}
        model = Path(about["model"]) if about["model"] else None
        return cls(**{**about, **paths, "model": model})

    def settings(self) -> Settings:
        """The same, read and checked."""
        ours = {name: value for name, value in self.environment().items() if name.startswith(OURS)}
        return read_settings(**{name.lower(): value for name, value in ours.items()})
