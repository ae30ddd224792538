"""`GET /api/now/awa/agents/{user_id}`: one live agent's presence (reference section 13)."""

from aiohttp import web

from simulator.access import Access
from simulator.chat import JSON
from simulator.errors import ApiError
from simulator.floor import Agent, Floor, Presence
from simulator.records import CHAT_CHANNEL, PRESENCE_IDS

PATHS = ("/api/now/awa/agents/{user_id}", "/api/now/{version:v[12]}/awa/agents/{user_id}")


class AgentApi:
    """Errors are `ApiError` 401, 403 and 404. The user id is that of `sys_user`."""

    def __init__(self, access: Access, floor: Floor) -> None:
        self._access = access
        self._floor = floor

    def routes(self) -> list[web.AbstractRouteDef]:
        return [web.get(path, self.presence, allow_head=False) for path in PATHS]

    async def presence(self, request: web.Request) -> web.Response:
        self._access.require(request, "awa_agent_presence")
        agent = self._find(request.match_info["user_id"])
        return web.json_response({"result": {"presence": _presence(agent), "sys_id": agent.user_id}})

    def _find(self, user_id: str) -> Agent:
        for agent in self._floor.agents:
            if agent.user_id == user_id:
                return agent
        raise ApiError(404, "Record Not Found", f"No agent with the sys_id {user_id}")


def _presence(agent: Agent) -> JSON:
    available = agent.presence is Presence.AVAILABLE
    channel = {"name": "Chat", "available": available, "sys_id": CHAT_CHANNEL}
    return {
        "name": agent.presence,
        "sys_id": PRESENCE_IDS[agent.presence],
        "available": available,
        "channels": [channel],
    }
