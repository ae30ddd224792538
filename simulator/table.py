"""The Table API: `incident` to write, other tables to read (reference section 14)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from simulator import incidents
from simulator.access import Access
from simulator.bot_request import parse
from simulator.chat import JSON
from simulator.credentials import decode_basic
from simulator.errors import ApiError
from simulator.incidents import FIELDS, JOURNALS, Incidents, Record
from simulator.queries import ValueOf, select
from simulator.records import REFERENCES, Records

PATH = "/api/now/table/{table}"
WRITABLE = "incident"


@dataclass(frozen=True)
class Rows:
    """The records of one table, and how they are shown. `references` names the table each field points to."""

    records: list[Record]
    fields: tuple[str, ...]
    references: Mapping[str, str]
    value_of: ValueOf
    display: Callable[[Record, str, str], str]


class Table:
    """The HTTP side of the tables. Errors are `ApiError` 400, 401, 403, 404, 415."""

    def __init__(self, access: Access, incidents: Incidents, records: Records) -> None:
        self._access = access
        self._incidents = incidents
        self._records = records

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
        rows = self._rows(request)
        found = select(rows.records, request.query.get("sysparm_query", ""), rows.value_of)
        start = _number(request, "sysparm_offset", 0)
        page = found[start : start + _number(request, "sysparm_limit", 10_000)]
        result = [_shown(record, rows, request) for record in page]
        return web.json_response({"result": result}, headers={"X-Total-Count": str(len(found))})

    async def get(self, request: web.Request) -> web.Response:
        rows = self._rows(request)
        return web.json_response({"result": _shown(_one(rows, request), rows, request)})

    async def create(self, request: web.Request) -> web.Response:
        rows = self._rows(request, writing=True)
        record = self._incidents.create(await _values(request), _user(request))
        location = f"{request.url.origin()}/api/now/table/incident/{record['sys_id']}"
        answer = {"result": _shown(record, rows, request)}
        return web.json_response(answer, status=201, headers={"Location": location})

    async def update(self, request: web.Request) -> web.Response:
        rows = self._rows(request, writing=True)
        record = _one(rows, request)
        self._incidents.update(record, await _values(request), _user(request))
        return web.json_response({"result": _shown(record, rows, request)})

    def _rows(self, request: web.Request, *, writing: bool = False) -> Rows:
        """Return the table that is asked for; what only the simulator writes is closed to writers."""
        table = request.match_info["table"]
        self._access.require(request, table)
        if table == WRITABLE:
            references = dict.fromkeys(incidents.REFERENCES, "sys_user")
            show = lambda record, name, value: incidents.display(name, value)  # noqa: E731 - one of two
            return Rows(self._incidents.records, FIELDS, references, incidents.value_of, show)
        if table not in self._records.tables:
            raise ApiError(400, f"Invalid table {table}")
        if writing:
            raise ApiError(403, "User Not Authorized", "Failed API level ACL Validation")
        return _read_only(table, self._records.tables[table]())


def _read_only(table: str, records: list[Record]) -> Rows:
    fields = tuple(name for name in (records[0] if records else {}) if "." not in name)
    return Rows(
        records,
        fields,
        REFERENCES.get(table, {}),
        lambda record, name: record.get(name),
        lambda record, name, value: record.get(f"{name}.name", value),
    )


def _one(rows: Rows, request: web.Request) -> Record:
    for record in rows.records:
        if record["sys_id"] == request.match_info["sys_id"]:
            return record
    raise ApiError(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")


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


def _shown(record: Record, rows: Rows, request: web.Request) -> JSON:
    """Return a record as the sysparm_* parameters ask for it."""
    asked = [name.strip() for name in request.query.get("sysparm_fields", "").split(",") if name.strip()]
    return {
        name: _field(record, name, rows, request)
        for name in asked or rows.fields
        if rows.value_of(record, name) is not None
    }


def _field(record: Record, name: str, rows: Rows, request: web.Request) -> object:
    stored, link = rows.value_of(record, name) or "", None
    value = "" if name in JOURNALS else stored
    shown = rows.display(record, name, stored)
    if name in rows.references and stored and request.query.get("sysparm_exclude_reference_link") != "true":
        link = f"{request.url.origin()}/api/now/table/{rows.references[name]}/{stored}"
    match request.query.get("sysparm_display_value"):
        case "all":
            field = {"display_value": shown, "value": value}
            return field | {"link": link} if link else field
        case "true":
            return {"display_value": shown, "link": link} if link else shown
        case _:
            return {"link": link, "value": value} if link else value
