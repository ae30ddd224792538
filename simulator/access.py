"""Who may read which table (reference sections 14, 15)."""

from aiohttp import web

from simulator.authentication import Authentication
from simulator.errors import ApiError
from simulator.settings import SimulatorSettings


class Access:
    """The access controls of tables: those named in `denied_tables` are closed to everybody."""

    def __init__(self, settings: SimulatorSettings, authentication: Authentication) -> None:
        self._settings = settings
        self._authentication = authentication

    def require(self, request: web.Request, table: str) -> None:
        """Raise `ApiError` 401 without credentials, 403 where the table is closed."""
        self._authentication.require_user(request)
        denied = self._settings.denied_tables
        if table in denied or "*" in denied:
            raise ApiError(403, "User Not Authorized", "Failed API level ACL Validation")
