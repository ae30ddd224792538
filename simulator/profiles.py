"""Profiles: what instances of another age or set-up send differently (reference sections 4, 7, 19, 20).

Each profile is one difference. Several are joined by commas: `app_old,label_text`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from simulator.errors import BadCommand

DEFAULT = "app_4x"
NEWER_ACTIONS = frozenset(
    {
        "CREATE_CONVERSATION",
        "START_CREATED_CONVERSATION",
        "SEND_HISTORY",
        "FAULT_CONVERSATION",
        "UPDATE_MESSAGES",
    }
)
PROFILES = {
    "app_4x": "store application 4.x, as documented: nothing is changed",
    "app_old": "before 4.0: no messageId, interactionId or appInboundId, and no CREATE_CONVERSATION, "
    "START_CREATED_CONVERSATION, SEND_HISTORY, FAULT_CONVERSATION, UPDATE_MESSAGES",
    "sync_channel": "the channel is synchronous: the bot answers in the HTTP response, nobody's typing is "
    "told, live agents still use callbacks",
    "sparse": "of the envelope only body, score, userId and takeControl are sent",
    "bare": "of the envelope only body and score are sent",
    "localised": "all sentences are German",
    "object_body": "every item in a POST of its own, with body as one object",
    "label_text": "the text of OutputText stands in label",
    "string_score": "score is a string with two decimals",
    "hidden_agents": "neither name nor picture of the live agent is sent",
    "unmarked_agents": "what a live agent writes has no agentInfo; only agentChat tells",
    "long_typing": "typing is StartTypingIndicatorActionMsg and EndTypingIndicatorActionMsg",
    "one_post_end": "the live agent's goodbye, SwitchToVirtualAgent and completed come in one POST",
    "no_agents_completed": "nobody available also ends the conversation, with completed",
    "no_agents_take_control": "nobody available also ends the conversation, with takeControl",
    "reminder_as_text": "the reminder of an idle requester is an OutputText, not a System message",
    "html_files": "a file of the live agent is an OutputHtml with a link",
    "patient_5xx": "a callback answered 5xx does not end the conversation",
    "failed_4xx": "a callback answered 403 or 404 shows its messages as Failed at the desk",
    "bug_3_14_1": "a message with the key attachment, even null, loses its text",
}


@dataclass(frozen=True)
class Profile:
    """The differences in force, by name."""

    names: frozenset[str]

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def knows(self, action: str | None) -> bool:
        """Whether this instance has the action; what it lacks is taken for a plain message (unverified)."""
        return not ("app_old" in self and action in NEWER_ACTIONS)


PLAIN = Profile(frozenset())


def parse_profile(text: str) -> Profile:
    """Return the profile of comma-separated names; raises `BadCommand` for an unknown one."""
    names = [name.strip() for name in text.split(",") if name.strip()] or [DEFAULT]
    if unknown := _unknown(names):
        raise BadCommand(f"no profile {unknown!r}; there are {', '.join(PROFILES)}")
    return Profile(frozenset(names))


def _unknown(names: Iterable[str]) -> str | None:
    return next((name for name in names if name not in PROFILES), None)
