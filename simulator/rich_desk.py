"""What the live agent says beyond plain text, and the pushes it causes (reference section 7.3)."""

from collections.abc import Callable, Sequence

from simulator import items, rich_items
from simulator.chat import JSON, Chat, Entry, Sender, State, new_id
from simulator.envelope import Reply
from simulator.errors import BadCommand, WrongState
from simulator.settings import SimulatorSettings


class RichDesk:
    """Sends items and streams; `push(chat, reply)` sends a callback that answers no request."""

    def __init__(self, settings: SimulatorSettings, push: Callable[[Chat, Reply], None]) -> None:
        self._settings = settings
        self._push = push

    def say(self, chat: Chat, item: JSON | str, *, signed: bool = True) -> str:
        """Send an item, or the example of this name; return its messageId.

        With `signed` False no live agent stands in it and `agentChat` is left out: the instance's own
        bot speaks. Raises `WrongState` if the chat is not live, `BadCommand` for an unknown example.
        """
        found = self._find(item)
        entry = self._note(chat, describe(found), signed=signed)
        entry.item = found
        sent = {**found, "messageId": entry.id} | (self._signature(chat) if signed else {})
        self._push(chat, Reply(chat, [sent], agent_chat=signed))
        return entry.id

    def stream(self, chat: Chat, pieces: Sequence[str], *, whole: bool = True, signed: bool = True) -> str:
        """Send a stream, its placeholder first, and at last, if `whole`, all of it; return its streamId."""
        entry = self._note(chat, "".join(pieces[1:]), signed=signed)
        stream_id = new_id()
        signature = self._signature(chat) if signed else {}
        for number, words in enumerate(pieces, 1):
            item = {**rich_items.stream_piece(stream_id, number, words), **signature}
            state = "START" if number == 1 else "INPROGRESS"
            self._push(chat, _stream(chat, item, state, signed=signed))
        if whole:
            said = {**rich_items.text(entry.text), "streamId": stream_id, "messageId": entry.id, **signature}
            self._push(chat, _stream(chat, said, "END", signed=signed))
        return stream_id

    def _find(self, item: JSON | str) -> JSON:
        if isinstance(item, dict):
            return item
        if item not in rich_items.EXAMPLES:
            raise BadCommand(f"no example {item!r}; there are {', '.join(rich_items.EXAMPLES)}")
        return rich_items.EXAMPLES[item]

    def _note(self, chat: Chat, words: str, *, signed: bool) -> Entry:
        if chat.state is not State.LIVE:
            raise WrongState(f"the chat of {chat.user_id!r} is {chat.state}, not {State.LIVE}")
        chat.agent_typing = False
        return chat.add(
            Sender.AGENT if signed else Sender.VIRTUAL_AGENT, words, (chat.agent or "") if signed else ""
        )

    def _signature(self, chat: Chat) -> JSON:
        name = chat.agent if self._settings.show_agent_name else None
        signed = items.agent_text(
            Entry(Sender.AGENT, "", chat.agent or ""), name, self._settings.agent_avatar
        )
        return {"agentInfo": signed["agentInfo"]}


def _stream(chat: Chat, item: JSON, state: str, *, signed: bool) -> Reply:
    fields = {"streamActive": state != "END", "streamState": state}
    return Reply(chat, [item], agent_chat=signed, fields=fields)


def describe(item: JSON) -> str:
    """Return what the desk page shows of an item: its kind and its words."""
    said = next((item[key] for key in ("label", "value", "header") if isinstance(item.get(key), str)), "")
    kind = str(item.get("uiType"))
    return said if kind == "OutputText" and said else f"[{kind}] {said}".strip()
