"""Whether and where it is looked up who is there, before a live agent is offered."""

from __future__ import annotations

from pydantic import field_validator

from handoff.settings.desk import Desk, DeskSettings
from handoff.settings.group import problem


class AvailabilitySettings(DeskSettings):
    """Off unless it is switched on: an instance has to let us read what this names."""

    servicenow_availability: bool = False
    servicenow_availability_queue: str | None = None
    servicenow_availability_presence: str | None = None

    @field_validator("servicenow_availability_queue")
    @classmethod
    def _check_queue_name(cls, name: str | None) -> str | None:
        """It becomes a condition of a query, which ^ would end."""
        if name and ("^" in name or name != name.strip()):
            raise problem("must be a queue's name or sys_id, without ^ and without spaces at its ends")
        return name

    def problems(self) -> list[str]:
        """What is named without being asked for, and the other way round."""
        return [*super().problems(), *self._problems_of_availability()]

    def _problems_of_availability(self) -> list[str]:
        named = self.servicenow_availability_queue or self.servicenow_availability_presence
        if named and not self.servicenow_availability:
            return [
                "SERVICENOW_AVAILABILITY_QUEUE and SERVICENOW_AVAILABILITY_PRESENCE do nothing without "
                "SERVICENOW_AVAILABILITY=true."
            ]
        is_agent_chat = self.servicenow_desk is Desk.BOT_INTEGRATION
        if self.servicenow_availability and is_agent_chat and not named:
            return [
                "SERVICENOW_AVAILABILITY=true needs SERVICENOW_AVAILABILITY_QUEUE, "
                "SERVICENOW_AVAILABILITY_PRESENCE or both, to know what to look at."
            ]
        return []
