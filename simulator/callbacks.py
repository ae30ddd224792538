"""The queues of callbacks: in order per user, one at a time (reference sections 7, 11)."""

import asyncio
from collections.abc import Callable

from simulator.callback import Callback
from simulator.callback_faults import CallbackFault, CallbackFaults
from simulator.changes import Changes
from simulator.chat import JSON, Chat, Entry
from simulator.delivery import Delivery
from simulator.system_log import SystemLog


class Callbacks:
    """One queue and one worker per user; a worker ends when its queue is empty.

    `abandon(chat, status)` is called when the client answers 5xx: the instance then closes the
    interaction (KB2701890), but for the profile `patient_5xx`. Answers in the 400s count as delivered, as
    before PRB1913443, but for the profile `failed_4xx`. A refused connection or a timeout is logged and
    that is all (unverified what else happens).
    """

    def __init__(
        self,
        delivery: Delivery,
        faults: CallbackFaults,
        changes: Changes,
        abandon: Callable[[Chat, int], None],
        log: SystemLog,
    ) -> None:
        self._delivery = delivery
        self._faults = faults
        self._changes = changes
        self._abandon = abandon
        self._log = log
        self._queues: dict[str, list[Callback]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._late: dict[asyncio.Task[None], Callback] = {}

    @property
    def pending(self) -> int:
        """Return how many callbacks are not sent and answered yet, held ones and late copies included."""
        return sum(len(queue) for queue in self._queues.values()) + len(self._late)

    def is_busy(self, chat: Chat) -> bool:
        """Whether a callback of this chat has not begun to be sent yet."""
        return any(one.chat is chat and not one.begun for one in self._queues.get(chat.user_id, []))

    def start(self) -> None:
        """Begin to send; `stop` before starting again."""
        self._delivery.open()

    async def stop(self) -> None:
        """Drop what is not sent yet and close the session."""
        tasks = [*self._workers, *self._late]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._queues.clear()
        self._late.clear()
        await self._delivery.close()

    def send(self, user_id: str, callback: Callback) -> None:
        """Queue a callback behind the user's earlier ones; while nothing is served it is dropped.

        The fault it meets is decided here, in the order in which callbacks arise.
        """
        if not self._delivery.is_open:
            return
        names = {user_id, callback.chat.id} if callback.chat else {user_id}
        answers = callback.released is not None
        callback.fault = self._faults.take(names, len(callback.body["body"]), answers=answers)
        self._queue(user_id, callback)

    async def wait_if_early(self, callback: Callback) -> None:
        """Hold up the answer to a request until its callback was sent, if that is to come first."""
        if callback.fault and callback.mode == "early":
            await self._faults.pause(callback.fault, until=callback.settled)

    def let_answers_go(self) -> None:
        """Do not hold up answers to requests any longer; the server is about to stop."""
        for queue in self._queues.values():
            for callback in queue:
                callback.settled.set()

    def forget(self, chat: Chat) -> None:
        """Drop the callbacks of an abandoned chat that are still waiting."""
        queue = self._queues.get(chat.user_id, [])
        dropped = [callback for callback in queue[1:] if callback.chat is chat]
        queue[1:] = [callback for callback in queue[1:] if callback.chat is not chat]
        for callback in dropped:
            callback.settled.set()
        for task, callback in self._late.items():
            if callback.chat is chat:
                task.cancel()

    def _queue(self, user_id: str, callback: Callback) -> None:
        queue = self._queues.setdefault(user_id, [])
        queue.append(callback)
        if len(queue) > 1:
            queue[-2].followed.set()
        else:
            worker = asyncio.get_running_loop().create_task(self._work(user_id))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _work(self, user_id: str) -> None:
        queue = self._queues[user_id]
        while queue:
            await self._rearrange(queue)
            first = queue[0]
            await first.until_released()
            await self._deliver(user_id, first)
            first.settled.set()
            del queue[0]
            self._changes.tell()
        del self._queues[user_id]

    async def _rearrange(self, queue: list[Callback]) -> None:
        """Do what the first callback's fault does before sending; another one may be first then."""
        first = queue[0]
        match first.fault:
            case CallbackFault(mode="delay") as fault:
                await first.until_released()
                await self._faults.pause(fault)
            case CallbackFault(mode="reorder") as fault if not first.swapped:
                await self._faults.pause(fault, until=first.followed)
                if len(queue) > 1:
                    queue[:2] = queue[1], first
                first.swapped = queue[0].swapped = True
                if queue[0] is not first:
                    await self._rearrange(queue)
            case CallbackFault(mode="merge") as fault:
                await self._faults.pause(fault)
                await self._merge(queue)

    async def _merge(self, queue: list[Callback]) -> None:
        first = queue[0]
        while len(queue) > 1 and first.can_take_in(queue[1]):
            await queue[1].until_released()
            first.take_in(queue.pop(1))

    async def _deliver(self, user_id: str, callback: Callback) -> None:
        if callback.mode == "drop":
            self._delivery.leave_out(callback.body, callback.mode, url=callback.url)
            return
        content_type = callback.fault.content_type if callback.fault else None
        for body in callback.posts:
            callback.begun = True
            status = await self._delivery.post(body, callback.mode, content_type, url=callback.url)
            if not self._went_well(callback, body, status):
                return
        if (copy := callback.late_copy) and callback.fault:
            self._send_later(user_id, copy, callback.fault)

    def _went_well(self, callback: Callback, body: JSON, status: int | None) -> bool:
        """Note what went wrong; return False if the conversation was abandoned for it."""
        if status is None or status >= 400:
            user = callback.chat.user_id if callback.chat else ""
            self._log.write(f"Callback failed: {status or 'no answer'}", user)
        if callback.chat is None or status is None:
            return True
        if status < 400:
            self._mark_posted(callback.chat, body)
        if status >= 500 and "patient_5xx" not in callback.profile:
            self._abandon(callback.chat, status)
            return False
        if status in (403, 404) and "failed_4xx" in callback.profile:
            self._mark_failed(callback.chat, body)
        return True

    def _mark_failed(self, chat: Chat, body: JSON) -> None:
        for entry in _entries(chat, body):
            entry.status = "external_error"
        self._touch(chat)

    def _mark_posted(self, chat: Chat, body: JSON) -> None:
        entries = _entries(chat, body)
        for entry in entries:
            entry.posted = True
        if entries:
            self._touch(chat)

    def _touch(self, chat: Chat) -> None:
        chat.revision = self._changes.tell()

    def _send_later(self, user_id: str, copy: Callback, fault: CallbackFault) -> None:
        async def wait() -> None:
            await self._faults.pause(fault)
            self._queue(user_id, copy)

        task = asyncio.get_running_loop().create_task(wait())
        self._late[task] = copy
        task.add_done_callback(self._drop_late)

    def _drop_late(self, task: asyncio.Task[None]) -> None:
        self._late.pop(task, None)
        self._changes.tell()


def _entries(chat: Chat, body: JSON) -> list[Entry]:
    """Return the lines of the transcript that a callback body carried."""
    items = body["body"] if isinstance(body["body"], list) else [body["body"]]
    ids = {item.get("messageId") for item in items}
    return [entry for entry in chat.transcript if entry.id in ids]
