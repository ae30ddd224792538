"""Servers with certificates: one that nobody vouches for, and others of an authority made for the test."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@asynccontextmanager
async def serve_with_own_certificate(folder: Path, heard: list[str] | None = None) -> AsyncIterator[str]:
    """The address of an empty server on loopback, with a certificate that it has signed itself."""
    async with serve_with_certificate(write_certificate(folder / "own.pem"), heard) as url:
        yield url


@asynccontextmanager
async def serve_with_certificate(path: Path, heard: list[str] | None = None) -> AsyncIterator[str]:
    """The address of a server on loopback; the headers of each request are added to ``heard``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    async def answer(request: web.Request) -> web.Response:
        if heard is None:
            raise web.HTTPNotFound
        heard.append(str(dict(request.headers)))
        return web.json_response({"result": {}})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def write_certificate(path: Path, host: x509.GeneralName | None = None, *, expired: bool = False) -> Path:
    """A certificate for a host, 127.0.0.1 by default, that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "own")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    end = now + timedelta(hours=-1 if expired else 1)
    builder = builder.not_valid_before(now - timedelta(hours=2)).not_valid_after(end)
    alternative = x509.SubjectAlternativeName([host or x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    unprotected = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, unprotected) + certificate.public_bytes(pem)
    )
    return path
