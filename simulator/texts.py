"""Every sentence a person sees, in one place: admins rename and translate all of them on real instances."""

from pydantic import BaseModel, ConfigDict, Field


class Texts(BaseModel):
    """Sentences of the imitated instance; override any of them by name.

    The defaults are the documented or observed English ones (reference section 8), except those marked
    "own wording", for which no source exists. `{name}` and `{wait}` are filled in where shown.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    greeting: str = Field("Hi, I'm your virtual agent. How can I help you today?", description="own wording")
    fallback: str = Field(
        "I'm not sure I understand. Type agent to talk to a person.", description="own wording"
    )
    confirm_agent: str = Field("Would you like to talk to a live agent?", description="own wording")
    live_agent_option: str = "Live Agent Support."
    stand_by: str = "Please stand by while I connect you to a live agent."
    routing: str = "Routing you to a live agent..."
    no_agents: str = "There are no agents available. Please try again later."
    queue_closed: str = Field("The support queue is closed.", description="own wording; Connect Support only")
    answer_first: str = Field(
        "Please answer this first, so that I can connect you.", description="own wording"
    )
    survey_done: str = Field("Thank you, that helps.", description="own wording")
    agent_entered: str = "{name} has entered the chat."
    agent_closed: str = "{name} has closed the support session."
    transferring: str = Field("{name} is transferring you to {target}.", description="own wording")
    idle_reminder: str = "The conversation is timing out, are you still there?"
    timed_out: str = "It seems you have left the conversation."
    queue_timeout: str = Field(
        "All our live agents are still busy. Please try again later.", description="own wording"
    )
    topic_started: str = Field("Let's go on with {topic}.", description="own wording")
    cannot_continue: str = Field(
        "I cannot continue this conversation. If you need help again, type hi.", description="own wording"
    )
    conversation_ended: str = "The conversation has ended. If you need help again, type hi."
    anonymous_agent: str = Field("Agent", description="stands for {name} when agent names are hidden")
    seconds: str = "{wait} Seconds"
    minutes: str = Field("{wait} Minutes", description="own wording, after '8 Seconds'")
    requester_left: str = Field("The requester has ended the conversation.", description="desk page only")
    abandoned: str = Field(
        "ServiceNow abandoned this conversation: the callback was answered {status}.",
        description="desk page only",
    )
    faulted: str = Field("The client reported a fault and gave up.", description="desk page only")

    def wait_time(self, seconds: int) -> str:
        """Return a waiting time as the instance words it, for example "8 Seconds" (reference section 7.4)."""
        if seconds < 120:
            return self.seconds.format(wait=seconds)
        return self.minutes.format(wait=round(seconds / 60))
