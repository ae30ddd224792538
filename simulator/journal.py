"""The log of everything that went over the wire, with secrets taken out."""

import logging
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from yarl import URL

from simulator.changes import Changes
from simulator.chat import now
from simulator.connect_calls import name_call

logger = logging.getLogger("simulator")

REDACTED = "[redacted]"
KEPT = 2000
_SECRET_HEADERS = {"authorization", "token", "x-b2b-signature", "x-handoff-secret", "cookie"}
_SECRET_FIELDS = {
    "token",
    "secret",
    "password",
    "client_secret",
    "access_token",
    "refresh_token",
    "headers",
}


@dataclass
class Exchange:
    """One HTTP request and its answer, in either direction.

    `body` is the parsed JSON or form (None if there was neither). `status` is None until it is answered,
    and stays None when no answer came; `note` then says why. `seconds` is how long the answer took.
    `fault` is the mode of the fault on demand that hit it, an empty string for none.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    time: datetime = field(default_factory=now)
    status: int | None = None
    note: str = ""
    seconds: float | None = None
    fault: str = ""

    @property
    def action(self) -> str | None:
        """Return the action of a Bot Integration request, or the name of a call of Connect Support."""
        if call := name_call(self.method, self.path):
            return call
        return self.body.get("action") if isinstance(self.body, dict) else None

    @property
    def user_id(self) -> str | None:
        return self.body.get("userId") if isinstance(self.body, dict) else None


class Journal:
    """The newest requests and callbacks, oldest first (2000 of each)."""

    def __init__(self, changes: Changes) -> None:
        self._requests: deque[Exchange] = deque(maxlen=KEPT)
        self._callbacks: deque[Exchange] = deque(maxlen=KEPT)
        self._changes = changes

    @property
    def requests(self) -> list[Exchange]:
        return list(self._requests)

    @property
    def callbacks(self) -> list[Exchange]:
        return list(self._callbacks)

    def request(self, method: str, url: URL, headers: Mapping[str, str], body: Any) -> Exchange:
        """Note a request that came in; `answered` completes it."""
        path = _without_secrets(url)
        exchange = Exchange(method, path.path_qs, _clean_headers(headers, set()), redacted(body))
        self._requests.append(exchange)
        self._changes.tell()
        return exchange

    def callback(
        self,
        url: URL,
        headers: Mapping[str, str],
        body: Any,
        secret_names: Iterable[str],
        fault: str = "",
    ) -> Exchange:
        """Note a callback that goes out; the values of the headers in `secret_names` are left out."""
        names = {name.lower() for name in secret_names}
        exchange = Exchange(
            "POST", str(_without_secrets(url)), _clean_headers(headers, names), redacted(body), fault=fault
        )
        self._callbacks.append(exchange)
        self._changes.tell()
        return exchange

    def answered(self, exchange: Exchange, status: int | None, seconds: float, note: str = "") -> None:
        """Complete an exchange. Bodies are logged at debug level only."""
        exchange.status, exchange.seconds, exchange.note = status, seconds, note
        what = f"{exchange.method} {exchange.path} {exchange.action or ''} {exchange.user_id or ''}"
        fault = f"[{exchange.fault}]" if exchange.fault and exchange.fault != note else ""
        outcome = " ".join(filter(None, (str(status or ""), note, fault)))
        logger.info("%s → %s (%d ms)", " ".join(what.split()), outcome, seconds * 1000)
        logger.debug("%s", exchange.body)
        self._changes.tell()

    def clear(self) -> None:
        self._requests.clear()
        self._callbacks.clear()


def redacted(value: Any) -> Any:
    """Return JSON with the values of secret-looking fields replaced, attachment headers included."""
    if isinstance(value, dict):
        return {
            key: REDACTED if key.lower() in _SECRET_FIELDS else redacted(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return value


def _clean_headers(headers: Mapping[str, str], names: set[str]) -> dict[str, str]:
    secret = _SECRET_HEADERS | names
    return {name: REDACTED if name.lower() in secret else value for name, value in headers.items()}


def _without_secrets(url: URL) -> URL:
    hidden = [name for name in url.query if name.lower() in _SECRET_FIELDS]
    clean = url.update_query(dict.fromkeys(hidden, REDACTED)) if hidden else url
    return clean.with_user(None).with_password(None) if clean.absolute and clean.user else clean
