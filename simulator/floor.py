"""Queues with opening hours, and the live agents who work in them (reference sections 2.3, 13)."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from simulator.chat import JSON, Chat
from simulator.errors import BadCommand

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Presence(StrEnum):
    """Whether a live agent takes chats."""

    AVAILABLE = "Available"
    AWAY = "Away"
    OFFLINE = "Offline"


class Queue(BaseModel):
    """One queue. Times are seconds; 0 means never.

    `hours` is like "08:00-17:30" in `timezone`, None for always; `days` like ["Mon", "Tue"]. `open` overrides
    the schedule. `language` is what `contextVariables.language` must say to choose this queue.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    name: str = Field(min_length=1)
    language: str = ""
    hours: str | None = None
    days: list[str] = list(DAYS)
    timezone: str = "UTC"
    open: bool | None = None
    wait_time: int = Field(30, ge=0)
    max_wait: float = Field(0, ge=0)

    @property
    def id(self) -> str:
        """Return the same sys_id for the same name."""
        return sys_id("awa_queue", self.name)

    def is_open(self, now: datetime) -> bool:
        """Whether the schedule, or whoever overrode it, says so."""
        if self.open is not None:
            return self.open
        local = now.astimezone(ZoneInfo(self.timezone))
        if DAYS[local.weekday()] not in self.days:
            return False
        begin, end = _hours(self.hours) if self.hours else (time.min, time.max)
        return begin <= local.time().replace(tzinfo=None) < end

    @field_validator("hours")
    @classmethod
    def _are_hours(cls, hours: str | None) -> str | None:
        if hours is not None:
            _hours(hours)
        return hours

    @field_validator("days")
    @classmethod
    def _are_days(cls, days: list[str]) -> list[str]:
        if unknown := [day for day in days if day not in DAYS]:
            raise ValueError(f"no day {unknown[0]!r}; there are {', '.join(DAYS)}")
        return days

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"no time zone {name!r}") from error
        return name


class Agent(BaseModel):
    """One live agent. `capacity` is how many chats at once, 0 for any number.

    `skills` None means every skill, an empty `queues` every queue.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    name: str = Field(min_length=1)
    presence: Presence = Presence.AVAILABLE
    capacity: int = Field(0, ge=0)
    skills: list[str] | None = None
    queues: list[str] = []

    @property
    def user_id(self) -> str:
        """Return the same sys_user sys_id for the same name."""
        return sys_id("sys_user", self.name)

    def works_in(self, queue: str) -> bool:
        return not self.queues or queue in self.queues

    def lacks(self, skills: list[str]) -> list[str]:
        """Return the skills of a list that this agent does not have."""
        own = {skill.casefold() for skill in self.skills or ()}
        return [] if self.skills is None else [skill for skill in skills if skill.casefold() not in own]


M = TypeVar("M", Queue, Agent)


@dataclass
class Floor:
    """All queues and all live agents. The first queue takes what fits no other."""

    queues: list[Queue]
    agents: list[Agent]
    now: Callable[[], datetime]

    def queue(self, name: str) -> Queue:
        """Return a queue by name or sys_id; raises `BadCommand`."""
        found = self._queue(name)
        if found is None:
            raise BadCommand(f"no queue {name!r}; there are {', '.join(queue.name for queue in self.queues)}")
        return found

    def agent(self, name: str) -> Agent:
        """Return a live agent by name; who is not known yet walks in, available for everything."""
        for agent in self.agents:
            if agent.name == name:
                return agent
        self.agents.append(Agent(name=name))
        return self.agents[-1]

    def choose(self, context: JSON) -> Queue:
        """Return the queue the context variables ask for.

        `LiveAgent_queue` (a name or a sys_id) goes before `language`; what they mean on a real instance
        depends on its queue conditions (section 2.3).
        """
        wanted, language = str(context.get("LiveAgent_queue", "")), str(context.get("language", ""))
        spoken = (one for one in self.queues if language and one.language.casefold() == language.casefold())
        return self._queue(wanted) or next(spoken, self.queues[0])

    def is_staffed(self, queue: Queue) -> bool:
        """Whether the queue is open and somebody who works in it is available; skills do not count (13)."""
        present = (agent for agent in self.agents if agent.presence is Presence.AVAILABLE)
        return queue.is_open(self.now()) and any(agent.works_in(queue.name) for agent in present)

    def change_queue(self, name: str, /, **changes: Any) -> Queue:
        """Change fields of a queue; all or, with a bad value (`BadCommand`), none of them."""
        return _change(self.queue(name), changes)

    def change_agent(self, name: str, /, **changes: Any) -> Agent:
        """Change fields of a live agent, who walks in if unknown; `BadCommand` for a bad value."""
        return _change(self.agent(name), changes)

    def shown(self) -> list[JSON]:
        """Return the queues as the control calls show them."""
        return [self._shown(queue) for queue in self.queues]

    def _shown(self, queue: Queue) -> JSON:
        state = {"is_open": queue.is_open(self.now()), "is_staffed": self.is_staffed(queue)}
        return {"id": queue.id, **queue.model_dump(), **state}

    def _queue(self, name: str) -> Queue | None:
        wanted = name.strip().casefold()
        return next((one for one in self.queues if wanted in (one.name.casefold(), one.id)), None)


def _change(model: M, changes: JSON) -> M:
    if "name" in changes:
        raise BadCommand("a name cannot be changed")
    try:
        changed = type(model).model_validate(model.model_dump() | changes)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadCommand(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    for name in changes:
        setattr(model, name, getattr(changed, name))
    return model


def required_skills(chat: Chat) -> list[str]:
    """Return what `LiveAgent_mandatory_skills` asks for, comma-separated."""
    text = str(chat.context.get("LiveAgent_mandatory_skills") or "")
    return [skill.strip() for skill in text.split(",") if skill.strip()]


def sys_id(table: str, name: str) -> str:
    """Return the same 32 hex digits for the same name in the same table."""
    return uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, table), name).hex


def _hours(text: str) -> tuple[time, time]:
    begin, dash, end = text.partition("-")
    try:
        first, last = time.fromisoformat(begin.strip()), time.fromisoformat(end.strip())
    except ValueError as error:
        raise ValueError("hours must be like 08:00-17:30") from error
    if not dash or first >= last:
        raise ValueError("hours must be like 08:00-17:30")
    return first, last
