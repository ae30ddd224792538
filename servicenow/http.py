"""HTTP to one ServiceNow instance: authenticated, signed, bounded in time, with telling errors."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import aiohttp
from pydantic import SecretStr

from handoff.errors import DeskBusy, DeskError, DeskRejected, DeskUnavailable, FileNotTaken
from handoff.instruments import DESK_REQUEST
from handoff.measures import SILENT, Measures
from servicenow.auth import Credentials, read_retry_after, sign
from servicenow.budget import Budget, Spending
from servicenow.measuring import RETRYABLE, name_outcome, watch_budgets

CHUNK = 64 * 1024  # bytes
_write = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
FILE_TIMEOUT = aiohttp.ClientTimeout(total=120, sock_connect=10, sock_read=60)  # seconds


@dataclass(frozen=True)
class Reply:
    """An answer. ``body`` is the parsed JSON, or the text where it is not JSON."""

    status: int
    body: Any

    @property
    def result(self) -> Any:
        """What the platform's REST APIs wrap their answers in.

        Raises:
            DeskUnavailable: there is none, as where a web page or another server answered.
        """
        if not isinstance(self.body, Mapping) or "result" not in self.body:
            raise DeskUnavailable("ServiceNow answered something that is not its API")
        return self.body["result"]


class Instance:
    """One ServiceNow instance.

    Raises from every call: ``DeskUnavailable`` (no or no usable answer, 5xx), ``DeskBusy``
    (429), ``DeskRejected`` (any other 4xx). A 401 drops an OAuth token and tries once more.
    Statuses in ``expected`` are returned as a ``Reply`` instead; `refuse` has the error for one.

    Requests of one ``chat`` wait behind those of others where the rate limit makes them wait;
    each API (path) has a budget of its own, as ServiceNow's limits name an API.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        signing_secret: SecretStr | None = None,
        request_timeout: float = 10.0,
        measures: Measures = SILENT,
    ) -> None:
        self._measures = measures
        self.url = url
        self._credentials = credentials
        self._signing_secret = signing_secret
        self._timeout = aiohttp.ClientTimeout(total=request_timeout)
        self._session: aiohttp.ClientSession | None = None
        self._budgets: dict[str, Budget] = {}
        self._unwatch = watch_budgets(measures, self._budgets)

    def budget(self, path: str) -> Budget:
        """What the rate limit leaves for one API."""
        known = self._budgets.get(path)
        if known is None:
            known = self._budgets[path] = Budget(path)
        return known

    def tell_spending(self) -> list[Spending]:
        """What the other processes have to know of the rate limit, since this was last asked."""
        return [spending for budget in self._budgets.values() if (spending := budget.tell())]

    def hear_spending(self, spending: Spending) -> None:
        """Another process with the same integration user has spent this."""
        self.budget(spending.api).hear(spending)

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        query: Mapping[str, str] | None = None,
        expected: Collection[int] = (),
        chat: str = "",
    ) -> Reply:
        """POST minified JSON, signed where a signing secret is set."""
        data = minify(body)
        headers = {"Content-Type": "application/json"}
        if self._signing_secret:
            headers["x-b2b-signature"] = sign(data, self._signing_secret)
        async with self.budget(path).spend(chat):
            return await self._call("POST", path, expected, headers=headers, data=data, params=query)

    async def upload(self, path: str, body: bytes, content_type: str, *, chat: str = "") -> Reply:
        """POST a form with a file in it, for which there is more time than for a few words."""
        headers = {"Content-Type": content_type}
        async with self.budget(path).spend(chat):
            return await self._call("POST", path, headers=headers, data=body, timeout=FILE_TIMEOUT)

    async def get(self, path: str, *, query: Mapping[str, str] | None = None) -> Reply:
        async with self.budget(path).spend(""):
            return await self._call("GET", path, headers={}, params=query)

    async def download(self, path: str, api: str, target: BinaryIO, limit: int) -> str | None:
        """Write a file of at most ``limit`` bytes into ``target``; returns the name that it has there.

        ``api`` names the budget. No redirect is followed.
        """
        async with self.budget(api).spend(""):
            session = self._open_session()
            credentials = await self._credentials.headers(session)
            try:
                return await self._save(session, path, credentials, target, limit)
            except DeskRejected as error:
                if error.status != 401 or not self._credentials.forget(credentials):
                    raise
            credentials = await self._credentials.headers(session)
            return await self._save(session, path, credentials, target, limit)

    async def _save(
        self,
        session: aiohttp.ClientSession,
        path: str,
        credentials: Mapping[str, str],
        target: BinaryIO,
        limit: int,
    ) -> str | None:
        target.seek(0)
        target.truncate()
        size = 0
        try:
            async with session.get(
                self.url + path, headers=credentials, allow_redirects=False, timeout=FILE_TIMEOUT
            ) as response:
                if response.status != 200:
                    raise _refuse_file(response)
                async for chunk in response.content.iter_chunked(CHUNK):
                    size += len(chunk)
                    if size > limit:
                        raise FileNotTaken(f"the file has more than {limit} bytes")
                    target.write(chunk)
                disposition = response.content_disposition
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DeskUnavailable(f"ServiceNow did not send a file: {type(error).__name__}") from error
        if not size:
            raise FileNotTaken("the file is empty")
        return disposition.filename if disposition else None

    async def close(self) -> None:
        while self._unwatch:
            self._unwatch.pop()()
        if self._session:
            await self._session.close()

    async def _call(
        self,
        method: str,
        path: str,
        expected: Collection[int] = (),
        *,
        headers: dict[str, str],
        **request: Any,
    ) -> Reply:
        session = self._open_session()
        credentials = await self._credentials.headers(session)
        try:
            return await self._try(
                session, method, path, expected, headers={**headers, **credentials}, **request
            )
        except DeskRejected as error:
            if error.status != 401 or not self._credentials.forget(credentials):
                raise
        credentials = await self._credentials.headers(session)
        return await self._try(session, method, path, expected, headers={**headers, **credentials}, **request)

    async def _try(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        expected: Collection[int],
        *,
        headers: Mapping[str, str],
        **request: Any,
    ) -> Reply:
        headers = {"Accept": "application/json", **headers}
        began, outcome = time.monotonic(), "unavailable"
        try:
            async with session.request(
                method, self.url + path, headers=headers, allow_redirects=False, **request
            ) as response:
                text = await response.text(errors="replace")
            outcome = name_outcome(response.status)
        except aiohttp.ClientConnectorError as error:
            raise DeskUnavailable(f"No connection to ServiceNow: {type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DeskUnavailable(
                f"ServiceNow gave no answer: {type(error).__name__}", possibly_done=True
            ) from error
        finally:
            self._measures.record(DESK_REQUEST, time.monotonic() - began, outcome)
        self.budget(path).note(response.status, response.headers)
        reply = Reply(response.status, _parse(text))
        if 200 <= reply.status < 300 or reply.status in expected:
            return reply
        raise refuse(reply, read_retry_after(response.headers))

    def _open_session(self) -> aiohttp.ClientSession:
        """Made at the first call, as a session belongs to the event loop that it is used in."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def __repr__(self) -> str:
        return f"Instance({self.url!r})"


def minify(body: Mapping[str, Any]) -> bytes:
    """JSON as ``JSON.stringify`` writes it for strings, whole numbers, booleans, lists and objects.

    Half an emoji (a lone surrogate, which browsers do send) is escaped, as JavaScript does.
    """
    return _write(body).encode(errors="backslashreplace")


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _refuse_file(response: aiohttp.ClientResponse) -> DeskError:
    """A redirect leads to a login page at best."""
    if 200 <= response.status < 400:
        return FileNotTaken(f"ServiceNow answered {response.status} instead of the file")
    return refuse(Reply(response.status, None), read_retry_after(response.headers))


def refuse(reply: Reply, retry_after: float | None = None) -> DeskError:
    """The error for a non-2xx answer; section 15 of the reference has the shapes."""
    reason = f"ServiceNow answered {reply.status}{_detail(reply.body)}"
    if reply.status == 429:
        return DeskBusy(reason, retry_after=retry_after)
    if reply.status in RETRYABLE or reply.status < 400:
        return DeskUnavailable(reason)
    return DeskRejected(reason, status=reply.status)


def _detail(body: Any) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return f": {error.get('message')}"
    return f": {error}" if isinstance(error, str) else ""
