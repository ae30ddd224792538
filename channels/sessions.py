"""Who may join which web chat session: unguessable ids, and tokens where they are used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import RFC_4122, UUID, uuid4

import jwt

from handoff.ledger import Ledger
from handoff.settings import SessionIds, Settings

ID_LIMIT = 255  # characters, as wide as the ledger's column
EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
PLAIN_ID = re.compile(r"[\w.@:+-]+")
PROBLEMS: dict[type[Exception], str] = {  # PyJWT looks at the signature first, then at the claims
    jwt.InvalidAlgorithmError: "The token is not signed with HS256.",
    jwt.InvalidSignatureError: "The token is signed with another key.",
    jwt.ExpiredSignatureError: "The token has expired ('exp').",
    jwt.ImmatureSignatureError: "The token is not valid yet ('nbf' or 'iat').",
    jwt.InvalidAudienceError: "The token is for somebody else: it must have no 'aud'.",
    jwt.MissingRequiredClaimError: "The token has no 'sub'.",
    jwt.exceptions.InvalidSubjectError: "The token's 'sub' must be a text.",
}


class TokenRefused(ValueError):
    """A token is missing, forged, expired or without a subject; its words say which."""


@dataclass(frozen=True)
class Holder:
    """Whom a verified token names: ``email`` only where the token says one, and not that it is unproven."""

    subject: str
    email: str | None = None


@dataclass(frozen=True)
class SessionPolicy:
    """Decides by the settings; ``jwt_key`` None means that no tokens are used."""

    ledger: Ledger
    session_ids: SessionIds
    jwt_key: str | None
    email_claim: str = "email"

    @classmethod
    def from_settings(cls, settings: Settings, ledger: Ledger) -> SessionPolicy:
        key = settings.handoff_webchat_jwt_key
        return cls(
            ledger,
            settings.handoff_webchat_session_ids,
            key.get_secret_value() if key else None,
            settings.handoff_webchat_email_claim,
        )

    def read_holder(self, auth: Any) -> Holder | None:
        """The proven holder of a connection's ``auth.token``, None where no tokens are used.

        Raises:
            TokenRefused: the connection must not be accepted.
        """
        if self.jwt_key is None:
            return None
        token = auth.get("token") if isinstance(auth, Mapping) else None
        if not isinstance(token, str):
            raise TokenRefused("A token is needed.")
        claims = read_claims(token.removeprefix("Bearer "), self.jwt_key)
        return Holder(str(claims["sub"]), _read_email(claims, self.email_claim))

    async def admit(self, session_id: Any, holder: Holder | None) -> str | None:
        """The session that a browser may use: its own if acceptable, a new one for None.

        Returns None where the id is refused: guessable, malformed, or somebody else's. The
        session takes over the holder's e-mail address, or its absence.
        """
        admitted = str(uuid4()) if session_id in (None, "") else self._check(session_id)
        if admitted is None or holder is None:
            return admitted
        async with self.ledger.entry() as entry:
            if not await entry.conversations.bind(admitted, holder.subject):
                return None
            await entry.conversations.describe(admitted, {"email": holder.email})
        return admitted

    def _check(self, session_id: Any) -> str | None:
        if (
            not isinstance(session_id, str)
            or len(session_id) > ID_LIMIT
            or not PLAIN_ID.fullmatch(session_id)
        ):
            return None
        return session_id if self.session_ids is SessionIds.ANY or is_unguessable(session_id) else None


def _read_email(claims: Mapping[str, Any], name: str) -> str | None:
    """OpenID Connect's ``email_verified`` false says that nobody has proven the address."""
    email = claims.get(name)
    is_address = isinstance(email, str) and len(email) <= ID_LIMIT and EMAIL.fullmatch(email)
    return email if is_address and claims.get("email_verified") is not False else None


def read_claims(token: str, key: str) -> dict[str, Any]:
    """What an HS256 token says of its holder; ``sub`` is there.

    Raises:
        TokenRefused: it is forged, expired, or without a subject.
    """
    try:
        claims = dict(jwt.decode(token, key, algorithms=["HS256"], options={"require": ["sub"]}))
    except (jwt.InvalidTokenError, UnicodeError) as error:
        raise TokenRefused(_explain(error)) from error
    if not 0 < len(str(claims["sub"])) <= ID_LIMIT:
        raise TokenRefused("The token's subject is empty or too long.")
    return claims


def _explain(error: Exception) -> str:
    """What is wrong, for whoever makes the tokens; of claims only where the signature is right."""
    found = (sentence for kind, sentence in PROBLEMS.items() if isinstance(error, kind))
    return next(found, "The token is not a signed one that can be read.")


def read_subject(token: str, key: str) -> str:
    """The subject of an HS256 token.

    Raises:
        TokenRefused: it is forged, expired, or without a subject.
    """
    return str(read_claims(token, key)["sub"])


def is_unguessable(session_id: str) -> bool:
    """Whether an id is a random UUID, which holds 122 random bits (RFC 9562, section 5.4)."""
    try:
        parsed = UUID(session_id)
    except ValueError:
        return False
    return parsed.version == 4 and parsed.variant == RFC_4122
