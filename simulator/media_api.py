"""The media upload API and the addresses of files (reference section 9)."""

from aiohttp import BodyPartReader, web

from simulator.authentication import Authentication
from simulator.errors import ApiError
from simulator.media import PATH, Media, Medium
from simulator.settings import SimulatorSettings

UPLOADS = ("/api/now/cccif/media/upload", "/api/now/{version:v[12]}/cccif/media/upload")
ORDER = ["user_id", "provider_application_id", "file"]
SHOWN_INLINE = ("image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "application/pdf")


class MediaApi:
    """Uploads and downloads. Errors are `ApiError` 400, 401, 404, 413."""

    def __init__(self, settings: SimulatorSettings, authentication: Authentication, media: Media) -> None:
        self._settings = settings
        self._authentication = authentication
        self._media = media

    def routes(self) -> list[web.AbstractRouteDef]:
        uploads: list[web.AbstractRouteDef] = [web.post(path, self.upload) for path in UPLOADS]
        inside = web.get("/simulator/media/{token}", self.show, allow_head=False)
        return [*uploads, web.get(PATH + "{token}", self.download), inside]

    async def upload(self, request: web.Request) -> web.Response:
        """Take a file. The parts come in their order: user_id, provider_application_id if at all, file."""
        self._authentication.require_user(request)
        if request.content_type != "multipart/form-data":
            raise ApiError(400, "Bad Request", "Only multipart/form-data is accepted")
        medium = await self._read_parts(request)
        result = {
            "mediaUrl": f"{request.url.origin()}{medium.file.path}",
            "name": medium.file.name,
            "state": medium.file.state,
            "attachmentId": medium.attachment_id,
        }
        return web.json_response({"result": result}, status=201)

    async def download(self, request: web.Request) -> web.Response:
        """Return a file, to anybody who knows its address or, by a setting, only with credentials."""
        if self._settings.media_needs_credentials:
            if "Authorization" not in request.headers:
                raise ApiError(401, "User Not Authenticated", "Required to provide Auth information")
            self._authentication.require_user(request)
        return self._send(request)

    async def show(self, request: web.Request) -> web.Response:
        """Return a file to the desk page."""
        return self._send(request)

    def _send(self, request: web.Request) -> web.Response:
        medium = self._media.find(PATH + request.match_info["token"])
        if medium is None or medium.file.state == "not available":
            raise ApiError(404, "Not Found", "No such media")
        return _ranged(request, medium)

    async def _read_parts(self, request: web.Request) -> Medium:
        seen: list[str] = []
        try:
            async for part in await request.multipart():
                if not isinstance(part, BodyPartReader) or part.name not in ORDER:
                    raise ApiError(400, "Bad Request", "Unknown part of the form")
                seen.append(part.name)
                if part.name == "file":
                    _require_order(seen)
                    return await self._store(part)
                await part.read()
        except ValueError as error:
            raise ApiError(400, "Bad Request", "The form cannot be read") from error
        raise ApiError(400, "Bad Request", "There is no file")

    async def _store(self, part: BodyPartReader) -> Medium:
        data = bytearray()
        while chunk := await part.read_chunk():
            data += chunk
            if len(data) > self._settings.attachment_limit:
                raise ApiError(413, "Payload Too Large", "The file has more than the allowed bytes")
        content_type = part.headers.get("Content-Type", "application/octet-stream")
        return self._media.add(part.filename or "file", content_type, bytes(data))


def _require_order(seen: list[str]) -> None:
    if "user_id" not in seen or seen != sorted(set(seen), key=ORDER.index):
        raise ApiError(400, "Bad Request", f"The parts must be {', '.join(ORDER)}, in this order")


def _ranged(request: web.Request, medium: Medium) -> web.Response:
    """Return the file, or the bytes a Range header asks for."""
    kind = medium.file.content_type.partition(";")[0].strip().lower()
    headers = {
        "Content-Type": medium.file.content_type,
        "Content-Disposition": "inline" if kind in SHOWN_INLINE else "attachment",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
    }
    try:
        asked = request.http_range
    except ValueError:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(medium.data)}"})
    if asked.start is None and asked.stop is None:
        return web.Response(body=medium.data, headers=headers)
    start, stop, _ = asked.indices(len(medium.data))
    headers["Content-Range"] = f"bytes {start}-{max(start, stop) - 1}/{len(medium.data)}"
    return web.Response(status=206, body=medium.data[start:stop], headers=headers)
