"""How long things may take, and when live agents are there."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationInfo, field_validator

from handoff.hours import ALL_DAY, OpeningHours, parse_dates, parse_hours
from handoff.settings.group import Group, Seconds, problem


class TimeSettings(Group):
    """Deadlines, intervals and opening hours. Durations are in seconds."""

    handoff_requested_timeout: Seconds = 30
    handoff_queued_timeout: Seconds = 600
    handoff_ending_timeout: Seconds = 10
    handoff_queue_reminder: Seconds = 120
    handoff_agent_silence: Seconds = 600
    handoff_delivery_deadline: Seconds = 60
    handoff_poll_interval: Seconds = 2
    handoff_poll_idle_interval: Seconds = 10
    handoff_opening_hours: str | None = None
    handoff_time_zone: str = "UTC"
    handoff_holidays: str = ""

    @field_validator("handoff_opening_hours", "handoff_holidays")
    @classmethod
    def _check_hours(cls, text: str | None, info: ValidationInfo) -> str | None:
        parse = parse_hours if info.field_name == "handoff_opening_hours" else parse_dates
        try:
            if text:
                parse(text)
        except ValueError as error:
            raise problem(str(error)) from None
        return text

    @field_validator("handoff_time_zone")
    @classmethod
    def _check_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise problem("must be a time zone that this machine knows, such as Europe/Zurich") from None
        return name

    @property
    def opening_hours(self) -> OpeningHours:
        """When live agents are there; always, where nothing is set."""
        return OpeningHours(
            parse_hours(self.handoff_opening_hours) if self.handoff_opening_hours else ALL_DAY,
            ZoneInfo(self.handoff_time_zone),
            parse_dates(self.handoff_holidays),
        )
