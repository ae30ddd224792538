"""What is masked, and where; and what is told to Rasa's tracker of what people said."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import field_validator
from pydantic_settings import NoDecode

from handoff.masking import ALL, Kind
from handoff.settings.group import Group, problem


class Place(StrEnum):
    """Where what is written is masked; ``TRACKER`` is what Rasa is given, and with it its event broker."""

    LOG = "log"
    TRACKER = "tracker"


class Recording(StrEnum):
    """What Rasa's tracker is told of a handoff that is over; with ``TRANSCRIPT`` what was said, too."""

    NONE = "none"
    FACTS = "facts"
    TRANSCRIPT = "transcript"


NONE = "none"


class PrivacySettings(Group):
    """Masking of personal data and secrets, by kind and place; the record of a handoff."""

    handoff_mask: Annotated[frozenset[Kind], NoDecode] = ALL
    handoff_tracker_record: Recording = Recording.FACTS
    handoff_mask_in: Annotated[frozenset[Place], NoDecode] = frozenset({Place.LOG})

    @field_validator("handoff_mask", "handoff_mask_in", mode="before")
    @classmethod
    def _split_words(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        words = {word.strip().lower() for word in given.split(",") if word.strip()}
        return frozenset() if words == {NONE} else words

    @field_validator("handoff_mask", "handoff_mask_in", mode="wrap")
    @classmethod
    def _name_words(cls, given: Any, check: Any, info: Any) -> Any:
        known = Kind if info.field_name == "handoff_mask" else Place
        try:
            return check(given)
        except ValueError:
            raise problem(f"must be some of {', '.join(known)}, separated by commas, or none") from None

    def masked_in(self, place: Place) -> frozenset[Kind]:
        """The kinds that are masked there."""
        return self.handoff_mask if place in self.handoff_mask_in else frozenset()
