"""Requests below the REST channel's address that none of its routes takes: refused as JSON too."""

from __future__ import annotations

from typing import Any

import structlog
from sanic import HTTPResponse, Request, Sanic
from sanic.exceptions import MethodNotAllowed, NotFound, SanicException

from channels.file_links import LinkBlueprint
from channels.rest_refusals import RestRefused, refuse_method, refuse_path

log = structlog.get_logger(__name__)


class RestBlueprint(LinkBlueprint):
    """The channel's routes, and what is answered where there is none."""

    def register(self, app: Sanic[Any, Any], options: dict[str, Any]) -> None:
        super().register(app, options)
        refuse_strays(app, options["url_prefix"])


def refuse_strays(app: Sanic[Any, Any], prefix: str) -> None:
    """For the whole server, as Sanic knows no blueprint where it knows no route; others keep its answer."""

    async def answer(request: Request[Any, Any], error: SanicException) -> HTTPResponse:
        if request.path != prefix and not request.path.startswith(f"{prefix}/"):
            return app.error_handler.default(request, error)
        refused = _refuse(error)
        log.info("rest.refused", code=refused.code)
        return refused.answer()

    app.exception(NotFound, MethodNotAllowed)(answer)


def _refuse(error: SanicException) -> RestRefused:
    return refuse_method(error.headers["Allow"]) if isinstance(error, MethodNotAllowed) else refuse_path()
