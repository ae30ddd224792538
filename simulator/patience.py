"""What happens because somebody waits too long (reference section 12)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from simulator import items
from simulator.chat import Chat, EndReason, Sender, State
from simulator.clock import Alarm, Clock
from simulator.conversations import Conversations
from simulator.desk import Desk
from simulator.envelope import Reply
from simulator.floor import Floor
from simulator.settings import SimulatorSettings
from simulator.transfers import Transfers
from simulator.waiting import Waiting

Deed = Callable[[Chat], None]


class Patience:
    """One alarm per open chat: for what is due next if nobody does anything.

    The instance looks after idle chats in a job that runs every so often, so that reminders come late;
    `idle_job_period` 0 makes them exact.
    """

    def __init__(
        self,
        settings: SimulatorSettings,
        clock: Clock,
        conversations: Conversations,
        floor: Floor,
        desk: Desk,
        waiting: Waiting,
        transfers: Transfers,
        push: Callable[[Chat, Reply], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._conversations = conversations
        self._floor = floor
        self._desk = desk
        self._waiting = waiting
        self._transfers = transfers
        self._push = push
        self._alarms: dict[str, Alarm] = {}
        conversations.watch(self.set)

    def set(self, chat: Chat) -> None:
        """Set the chat's alarm anew; called after every change of a chat."""
        if alarm := self._alarms.pop(chat.id, None):
            alarm.cancel()
        if due := min(self._due(chat), key=lambda pair: pair[0], default=None):
            at, deed = due
            self._alarms[chat.id] = self._clock.set_alarm(at, lambda: self._do(chat, deed))

    def forget(self) -> None:
        """Cancel the alarms of all chats."""
        for alarm in self._alarms.values():
            alarm.cancel()
        self._alarms.clear()

    def _do(self, chat: Chat, deed: Deed) -> None:
        deed(chat)
        self._conversations.touch(chat)

    def _due(self, chat: Chat) -> list[tuple[datetime, Deed]]:
        if not chat.called_back:  # nobody is timed out there but by ServiceNow's own browser client (18.5)
            return self._due_transfer(chat)
        match chat.state:
            case State.LIVE:
                return self._due_live(chat)
            case State.QUEUED:
                return self._due_waiting(chat)
            case State.BOT | State.CREATED:
                timeout, period = self._settings.b2b_idle_timeout, self._settings.b2b_job_period
                return self._at(chat.heard_at, timeout, period, self._forget)
        return []

    def _due_live(self, chat: Chat) -> list[tuple[datetime, Deed]]:
        settings = self._settings
        since = chat.idle_since(after_answer=settings.idle_after_agent_answer)
        if since is None:
            return []
        reminder = (
            [] if chat.reminded else self._at(since, settings.idle_reminder, self._period, self._remind)
        )
        return reminder + self._at(since, settings.idle_timeout, self._period, self._time_out)

    def _due_waiting(self, chat: Chat) -> list[tuple[datetime, Deed]]:
        queue = self._floor.queue(chat.queue or "")
        news = self._at(chat.told_wait_at, self._settings.wait_time_refresh, 0, self._refresh)
        if chat.transfer:
            return news + self._due_transfer(chat)
        return news + self._at(chat.queued_at, queue.max_wait, 0, self._give_up)

    def _due_transfer(self, chat: Chat) -> list[tuple[datetime, Deed]]:
        if chat.state is not State.QUEUED or not chat.transfer:
            return []
        return self._at(chat.queued_at, self._settings.transfer_timeout, 0, self._transfers.give_back)

    @property
    def _period(self) -> float:
        return self._settings.idle_job_period

    def _at(
        self, since: datetime | None, seconds: float, period: float, deed: Deed
    ) -> list[tuple[datetime, Deed]]:
        """Return when the deed is due: at the job's next run after so many seconds; never for 0 seconds."""
        if since is None or not seconds:
            return []
        at = since + timedelta(seconds=seconds)
        late = (at - self._clock.began).total_seconds() % period if period else 0.0
        return [(at + timedelta(seconds=period - late) if late else at, deed)]

    def _remind(self, chat: Chat) -> None:
        """Ask whether the requester is still there; by which kind of item is unverified."""
        chat.reminded = True
        entry = chat.add(Sender.SYSTEM, self._settings.words.idle_reminder)
        as_text = "reminder_as_text" in self._settings.traits
        item = items.output_text(entry) if as_text else items.system(entry)
        self._push(chat, Reply(chat, [item], agent_chat=True))

    def _time_out(self, chat: Chat) -> None:
        entry = chat.add(Sender.SYSTEM, self._settings.words.timed_out)
        self._desk.close(chat, entry, EndReason.REQUESTER_IDLE)

    def _refresh(self, chat: Chat) -> None:
        """Announce the waiting time anew, if its words have changed (the period is a guess)."""
        chat.told_wait_at = self._clock.now()
        self._waiting.refresh(chat)

    def _give_up(self, chat: Chat) -> None:
        """Send the queue's own sentence; whether the conversation ends then is a setting."""
        ends = self._settings.queue_timeout_ends
        entry = chat.add(Sender.VIRTUAL_AGENT, self._settings.words.queue_timeout)
        body = [items.output_text(entry), items.action("EndSpinner", spinnerType="wait_time")]
        body.append(items.action("SwitchToVirtualAgent"))
        self._push(chat, Reply(chat, body, completed=ends))
        if ends:
            self._conversations.close(chat, EndReason.QUEUE_TIMEOUT)
        else:
            chat.state = State.BOT

    def _forget(self, chat: Chat) -> None:
        """Close an idle conversation with the bot. Nothing is called back (unverified)."""
        self._conversations.close(chat, EndReason.BOT_IDLE)
