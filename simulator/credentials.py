"""Secrets and Basic credentials, compared in constant time."""

import base64
import secrets

from pydantic import SecretStr


def same(expected: str, given: str) -> bool:
    """Compare two secrets in constant time."""
    return secrets.compare_digest(expected.encode(errors="replace"), given.encode(errors="replace"))


def reveal(secret: SecretStr | None) -> str:
    """Return a secret's value, an empty string for none."""
    return secret.get_secret_value() if secret else ""


def encode_basic(username: str, password: str) -> str:
    """Return the value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def decode_basic(header: str) -> tuple[str, str] | None:
    """Return user name and password from an Authorization header, None if it holds no Basic credentials."""
    kind, _, encoded = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (username, password) if colon else None
