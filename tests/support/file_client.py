"""What a browser does with files: sends one, and fetches what it is linked to."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from urllib.parse import quote

import aiohttp
from PIL import Image


def draw_picture(width: int = 40, height: int = 30, form: str = "PNG") -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (width, height), (20, 83, 45)).save(picture, form)
    return picture.getvalue()


@dataclass
class Fetched:
    status: int
    body: bytes
    headers: dict[str, str] = field(repr=False)


async def send_file(
    url: str,
    session_id: str | None,
    data: bytes,
    name: str = "shot.png",
    content_type: str = "",
    token: str | None = None,
    **headers: str,
) -> tuple[int, dict]:
    """POST to /files; status and answer."""
    asked = {"X-File-Name": quote(name), "Content-Type": content_type or "application/octet-stream"}
    if session_id:
        asked["X-Session-Id"] = session_id
    if token:
        asked["Authorization"] = f"Bearer {token}"
    body = io.BytesIO(data) if isinstance(data, bytes) else data
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/files", data=body, headers={**asked, **headers}) as answer,
    ):
        return answer.status, await answer.json()


async def fetch(url: str, method: str = "GET", **headers: str) -> Fetched:
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.request(method, url, headers=headers) as answer,
    ):
        return Fetched(answer.status, await answer.read(), dict(answer.headers))
