"""What the processes of a run have to know of each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from handoff.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parents[1]
CLIENT = "chaos"
SECRET = "callback-secret-of-the-chaos-proof"  # noqa: S105 - made up, for loopback


@dataclass(frozen=True)
class Stage:
    """Where the processes of a run find each other."""

    folder: Path
    port: int
    desk_url: str
    sources: Path = ROOT

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    def settings(self) -> Settings:
        """Deadlines short enough for a run to see them pass."""
        return read_settings(
            servicenow_url=self.desk_url,
            servicenow_auth="oauth_client_credentials",
            servicenow_client_id=CLIENT,
            servicenow_client_secret=SECRET,
            servicenow_callback_secret=SECRET,
            servicenow_request_timeout=4,
            handoff_database_url=f"sqlite:///{self.ledger}",
            handoff_requested_timeout=6,
            handoff_queued_timeout=12,
            handoff_ending_timeout=3,
            handoff_delivery_deadline=10,
        )
