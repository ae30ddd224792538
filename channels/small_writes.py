"""Small writes that follow each other closely, such as a receipt and an acknowledgement.

By default the kernel keeps a second one back until the browser has confirmed the first, which browsers
put off for 40 milliseconds (Nagle's algorithm and delayed acknowledgements). asyncio switches that off
only where the listening socket names TCP as its protocol, and Sanic's own does not
(``asyncio.base_events._set_nodelay``, ``sanic.server.socket.bind_socket``).
"""

from __future__ import annotations

import socket
from typing import Any

from sanic import Request

FAMILIES = (socket.AF_INET, socket.AF_INET6)


def send_at_once(request: Request[Any, Any]) -> None:
    """Let whatever is written on a request's connection leave when it is written."""
    connection = request.transport.get_extra_info("socket") if request.transport else None
    if connection is not None and connection.family in FAMILIES:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
