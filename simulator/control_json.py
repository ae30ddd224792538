"""JSON in and out of the control calls."""

import json
from dataclasses import is_dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from simulator.chat import JSON
from simulator.errors import BadCommand
from simulator.fields import parse_json


async def read(request: web.Request) -> JSON:
    """Return the JSON object in the body, an empty one for an empty body; raises `BadCommand`."""
    body = await read_any(request)
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise BadCommand("the body is not a JSON object")
    return body


async def read_any(request: web.Request) -> Any:
    """Return whatever JSON is in the body, None for an empty one; raises `BadCommand`."""
    raw = await request.read()
    return parse_json(raw) if raw else None


def answer(body: JSON, status: int = 200) -> web.Response:
    return web.json_response(text=write(body), status=status)


def write(body: JSON) -> str:
    return json.dumps(body, default=_plain)


def _plain(value: Any) -> Any:
    """Write times as ISO 8601, models as objects."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return vars(value) if is_dataclass(value) else value.isoformat()
