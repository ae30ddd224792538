"""Secrets on their way to the desk: in memory only, since the ledger keeps what is written."""

from __future__ import annotations

LIMIT = 1000  # secrets at a time; the oldest make room


class Vault:
    """Keeps a requester's secret answer until the desk has it; a restart forgets it."""

    def __init__(self) -> None:
        self._secrets: dict[str, str] = {}

    def keep(self, message_id: str, secret: str) -> None:
        while len(self._secrets) >= LIMIT:
            del self._secrets[next(iter(self._secrets))]
        self._secrets[message_id] = secret

    def find(self, message_id: str) -> str | None:
        return self._secrets.get(message_id)

    def forget(self, message_id: str) -> None:
        self._secrets.pop(message_id, None)

    def __repr__(self) -> str:
        return f"Vault({len(self._secrets)})"
