"""The Table API for `incident`: POST, GET, PATCH (reference section 14)."""

import json
from collections.abc import Mapping

from aiohttp import web

from simulator.authentication import Authentication
from simulator.bot_request import parse
from simulator.chat import JSON
from simulator.credentials import decode_basic
from simulator.errors import ApiError
from simulator.incidents import FIELDS, JOURNALS, REFERENCES, Incidents, Record, display
from simulator.queries import select, value_of

PATH = "/api/now/table/{table}"


class Table:
    """The HTTP side of the incident table. Errors are `ApiError` 400, 401, 404, 415."""

    def __init__(self, authentication: Authentication, incidents: Incidents) -> None:
        self._authentication = authentication
        self._incidents = incidents

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes, with and without a version in the path."""
        routes: list[web.AbstractRouteDef] = []
        for path in (PATH, PATH.replace("/table", "/{version:v[12]}/table", 1)):
            routes += [
                web.get(path, self.list, allow_head=False),
                web.post(path, self.create),
                web.get(path + "/{sys_id}", self.get, allow_head=False),
                web.patch(path + "/{sys_id}", self.update),
                web.put(path + "/{sys_id}", self.update),
            ]
        return routes

    async def list(self, request: web.Request) -> web.Response:
        self._check(request)
        found = select(self._incidents.records, request.query.get("sysparm_query", ""))
        start = _number(request, "sysparm_offset", 0)
        page = found[start : start + _number(request, "sysparm_limit", 10_000)]
        result = [_shown(record, request) for record in page]
        return web.json_response({"result": result}, headers={"X-Total-Count": str(len(found))})

    async def get(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.json_response({"result": _shown(self._record(request), request)})

    async def create(self, request: web.Request) -> web.Response:
        self._check(request)
        record = self._incidents.create(await _values(request), _user(request))
        location = f"{request.url.origin()}/api/now/table/incident/{record['sys_id']}"
        answer = {"result": _shown(record, request)}
        return web.json_response(answer, status=201, headers={"Location": location})

    async def update(self, request: web.Request) -> web.Response:
        self._check(request)
        record = self._record(request)
        self._incidents.update(record, await _values(request), _user(request))
        return web.json_response({"result": _shown(record, request)})

    def _check(self, request: web.Request) -> None:
        self._authentication.require_user(request)
        table = request.match_info["table"]
        if table != "incident":
            raise ApiError(400, f"Invalid table {table}")

    def _record(self, request: web.Request) -> Record:
        record = self._incidents.find(request.match_info["sys_id"])
        if record is None:
            detail = "Record doesn't exist or ACL restricts the record retrieval"
            raise ApiError(404, "No Record found", detail)
        return record


async def _values(request: web.Request) -> JSON:
    if "Content-Type" in request.headers and request.content_type != "application/json":
        raise ApiError(415, "Unsupported Media Type", "Only application/json is accepted")
    raw = await request.read()
    values = parse(raw) if raw else {}
    return {
        name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in values.items()
    }


def _number(request: web.Request, name: str, default: int) -> int:
    """Return a query number; the platform takes the default for what is none (unverified)."""
    text = request.query.get(name, "")
    return int(text) if text.isdecimal() else default


def _user(request: web.Request) -> str:
    login = decode_basic(request.headers.get("Authorization", ""))
    return login[0] if login else "admin"


def _shown(record: Record, request: web.Request) -> JSON:
    """Return a record as the sysparm_* parameters ask for it."""
    asked = [name.strip() for name in request.query.get("sysparm_fields", "").split(",") if name.strip()]
    return {
        name: _field(record, name, request.query, str(request.url.origin()))
        for name in asked or FIELDS
        if value_of(record, name) is not None
    }


def _field(record: Record, name: str, query: Mapping[str, str], origin: str) -> object:
    stored = value_of(record, name) or ""
    value = "" if name in JOURNALS else stored
    shown = display(name, stored)
    link = None
    if name in REFERENCES and stored and query.get("sysparm_exclude_reference_link") != "true":
        link = f"{origin}/api/now/table/sys_user/{stored}"
    match query.get("sysparm_display_value"):
        case "all":
            field = {"display_value": shown, "value": value}
            return field | {"link": link} if link else field
        case "true":
            return {"display_value": shown, "link": link} if link else shown
        case _:
            return {"link": link, "value": value} if link else value
