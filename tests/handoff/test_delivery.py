import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from handoff.delivery import Delivery
from handoff.frozen import vary
from handoff.message import Draft, Receipt, Sender
from handoff.tasks import Tasks
from tests.support.ledger_rows import message, messages, texts, write
from tests.support.scripted_desk import RecordingFront
from tests.support.waiting import eventually


@pytest.fixture
async def tasks():
    tasks = Tasks()
    yield tasks
    await tasks.cancel()


@pytest.fixture
async def delivery(ledger, front, tasks):
    return Delivery(ledger, front, tasks)


def agent(text):
    return Draft(sender=Sender.AGENT, content={"text": text})


async def say(ledger, *lines):
    for text in lines:
        await write(ledger, text, sender=Sender.AGENT)


async def test_what_is_said_is_committed_then_shown(ledger, delivery, front):
    committed = []

    async def look(shown):
        committed.append((await message(ledger, shown)).receipt)

    front.on_show = look
    said = await delivery.say("c1", agent("hi"))
    assert committed == [Receipt.ACCEPTED]
    assert [m.id for m in front.shown] == [said.id]
    assert (await message(ledger, said)).receipt is Receipt.SENT


async def test_messages_are_shown_in_the_order_of_acceptance(ledger, delivery, front):
    lines = [str(number) for number in range(10)]
    await asyncio.gather(*(delivery.say("c1", agent(text)) for text in lines))
    assert texts(front.shown) == texts(await messages(ledger))
    assert sorted(texts(front.shown), key=int) == lines


async def test_what_the_requester_wrote_is_not_shown_to_them(ledger, delivery, front):
    await write(ledger, "mine")
    await delivery.say("c1", agent("yours"))
    assert texts(front.shown) == ["yours"]


async def test_several_screens_are_shown_the_requesters_words_in_their_place(ledger, delivery, front):
    await write(ledger, "before they were several")
    front.own_since = 1
    front.connected = False
    await say(ledger, "one")
    await write(ledger, "two")
    await say(ledger, "three")
    delivery.kick("c1")
    front.connected = True
    delivery.kick("c1")
    await eventually(lambda: texts(front.shown) == ["one", "two", "three"])
    assert (await messages(ledger))[2].receipt is Receipt.ACCEPTED  # that is for its owner to say


async def test_the_receipt_of_the_requesters_words_follows_them(ledger, delivery, front):
    """A screen knows nothing of a receipt that comes before its message."""
    front.own_since = 0
    written = await write(ledger, "mine")

    async def deliver_meanwhile(_):
        async with ledger.entry() as entry:
            await entry.messages.mark(written.id, Receipt.SENT)

    front.on_show = deliver_meanwhile
    delivery.kick("c1")
    await eventually(lambda: front.receipts == [(written.id, Receipt.SENT)])


async def test_many_kicks_show_each_message_once(ledger, delivery, front):
    await say(ledger, "one", "two")
    for _ in range(5):
        delivery.kick("c1")
        await asyncio.sleep(0)
    await delivery.say("c1", agent("three"))
    assert texts(front.shown) == ["one", "two", "three"]


async def test_while_nobody_is_there_everything_waits(ledger, delivery, front):
    front.connected = False
    said = await delivery.say("c1", agent("one"))
    assert (await message(ledger, said)).receipt is Receipt.ACCEPTED
    await say(ledger, "two")
    front.connected = True
    delivery.kick("c1")
    await eventually(lambda: texts(front.shown) == ["one", "two"])


async def test_whoever_leaves_in_the_middle_gets_the_rest_later(ledger, delivery, front):
    async def leave(_):
        front.connected = False

    front.on_show = leave
    await say(ledger, "one", "two")
    delivery.kick("c1")
    await eventually(lambda: texts(front.shown) == ["one"])
    front.on_show, front.connected = None, True
    delivery.kick("c1")
    await eventually(lambda: texts(front.shown) == ["one", "two"])


async def test_conversations_do_not_wait_for_each_other(ledger, delivery, front):
    gate = asyncio.Event()

    async def wait(shown):
        if shown.conversation == "c1":
            await gate.wait()

    front.on_show = wait
    await say(ledger, "slow")
    delivery.kick("c1")
    await eventually(lambda: front.shown)
    await asyncio.wait_for(delivery.say("c2", agent("quick")), 2)
    gate.set()


async def test_a_browser_that_confirms_at_once_is_believed(ledger, delivery, front):
    async def confirm(shown):
        async with ledger.entry() as entry:
            await entry.messages.confirm("c1", shown.id)

    front.on_show = confirm
    said = await delivery.say("c1", agent("hi"))
    assert (await message(ledger, said)).receipt is Receipt.DELIVERED


async def test_a_repetition_is_shown_once(ledger, delivery, front):
    for _ in range(2):
        await delivery.say("c1", Draft(sender=Sender.AGENT, content={"text": "hi"}, desk_id="d1"))
    assert texts(front.shown) == ["hi"]


async def test_a_screen_that_breaks_is_logged_and_the_message_waits(ledger, delivery, front):
    front.broken = ValueError("a bug")
    with capture_logs() as logs:
        said = await delivery.say("c1", agent("hi"))
    assert (logs[0]["event"], logs[0]["task"]) == ("task.failed", "delivery")
    front.broken = None
    delivery.kick("c1")
    await eventually(lambda: texts(front.shown) == ["hi"])
    assert front.shown[0].id == said.id


# -- several processes, each of which shows everything to its own sockets -----------------


class View:
    """One process: its screen, and how far it has shown a conversation."""

    def __init__(self, ledger, tasks):
        self.front = RecordingFront()
        self.upto = {}
        self.woken = []
        self.announced = []
        self.delivery = Delivery(ledger, self.front, tasks, self)
        self.front.on_show = self._note

    async def _note(self, message):
        self.upto[message.conversation] = message.seq

    def shown_upto(self, conversation):
        return self.upto.get(conversation)

    def wake(self, conversation):
        self.woken.append(conversation)

    def announce(self, conversation):
        self.announced.append(conversation)


@pytest.fixture
async def views(ledger, other_ledger, tasks):
    return View(ledger, tasks), View(other_ledger, tasks)


async def test_each_process_shows_everything_once_and_in_order(views):
    here, there = views
    here.upto["c1"] = there.upto["c1"] = 0
    for number in range(4):
        await here.delivery.say("c1", Draft(sender=Sender.AGENT, content={"text": f"m{number}"}))
        there.delivery.hear("c1")
    await eventually(lambda: there.front.lines == ["m0", "m1", "m2", "m3"])
    assert here.front.lines == ["m0", "m1", "m2", "m3"]
    there.delivery.hear("c1")
    await there.delivery._runs.settle("c1")
    assert there.front.lines == ["m0", "m1", "m2", "m3"]


async def write_here(ledger, delivery, text):
    """As a callback does: write, look, and kick once that is committed."""
    async with ledger.entry() as entry:
        await entry.messages.accept("c1", agent(text))
        return await delivery.look(entry, "c1")


async def test_what_was_written_here_is_shown_as_it_was_written(views, ledger):
    here, _ = views
    here.upto["c1"] = 0
    for text in ("one", "two"):
        glance = await write_here(ledger, here.delivery, text)
        [written] = glance.waiting
        said = f"{text}, not read again"
        await here.delivery.run("c1", replace(glance, waiting=[vary(written, content={"text": said})]))
        await eventually(lambda said=said: here.front.lines[-1:] == [said])
    assert here.front.lines == ["one, not read again", "two, not read again"]


async def test_what_others_have_written_before_is_shown_before(views, ledger):
    here, _ = views
    here.upto["c1"] = 0
    await write(ledger, "elsewhere", sender=Sender.AGENT)
    await here.delivery.run("c1", await write_here(ledger, here.delivery, "here"))
    await eventually(lambda: here.front.lines == ["elsewhere", "here"])


async def test_what_others_have_written_after_is_shown_with_it_where_they_told(views, ledger):
    here, _ = views
    here.upto["c1"] = 0
    glance = await write_here(ledger, here.delivery, "here")
    await write(ledger, "elsewhere", sender=Sender.AGENT)
    here.delivery.hear("c1")
    await here.delivery.run("c1", glance)
    await eventually(lambda: here.front.lines == ["here", "elsewhere"])


async def test_what_the_requester_has_written_here_reaches_their_other_screens(views, ledger):
    here, there = views
    here.upto["c1"] = there.upto["c1"] = 0
    async with ledger.entry() as entry:
        accepted = await entry.messages.accept("c1", Draft(sender=Sender.REQUESTER, content={"text": "mine"}))
    await here.delivery.show_own(accepted)
    there.delivery.hear("c1")
    await eventually(lambda: (here.front.lines, there.front.lines) == (["mine"], ["mine"]))


async def test_a_process_without_the_requester_leaves_the_message_to_the_one_that_has_them(views, ledger):
    here, there = views
    here.front.connected = False
    there.upto["c1"] = 0
    said = await here.delivery.say("c1", Draft(sender=Sender.AGENT, content={"text": "hello"}))
    assert here.announced == ["c1"]
    assert (await message(ledger, said)).receipt is Receipt.ACCEPTED
    there.delivery.hear("c1")
    await eventually(lambda: there.front.lines == ["hello"])

    async def is_noted():
        return (await message(ledger, said)).receipt is Receipt.SENT

    await eventually(is_noted)


async def test_what_the_requester_wrote_elsewhere_is_shown_here_too(views, ledger):
    _, there = views
    there.upto["c1"] = 0
    await write(ledger, "from another tab")
    there.delivery.hear("c1")
    await eventually(lambda: there.front.lines == ["from another tab"])


async def test_who_waits_for_news_is_woken_by_a_hint_and_not_by_what_was_written_here(views):
    here, there = views
    here.front.connected = there.front.connected = False
    await here.delivery.say("c1", Draft(sender=Sender.AGENT, content={"text": "hello"}))
    there.delivery.hear("c1")
    await eventually(lambda: there.woken == ["c1"])
    assert here.woken == []


async def test_a_hint_posts_nothing_that_another_process_posts(views, ledger):
    """Letters are kicked by what is shown, so a process that only hears of a message shows nothing."""
    _, there = views
    await write(ledger, "hello", sender=Sender.AGENT)
    there.delivery.hear("c1")
    await there.delivery._runs.settle("c1")
    assert there.front.shown == []


async def look(ledger, delivery, text):
    """A callback's transaction: write something, and look at what is to be shown."""
    async with ledger.entry() as entry:
        await entry.messages.accept("c1", agent(text))
        return await delivery.look(entry, "c1")


async def test_what_a_transaction_has_seen_is_shown_once(ledger, delivery, front):
    glance = await look(ledger, delivery, "one")
    await delivery.run("c1", glance)
    await eventually(lambda: texts(front.shown) == ["one"])
    await delivery.say("c1", agent("two"))
    assert texts(front.shown) == ["one", "two"]


async def test_what_was_seen_counts_for_nothing_once_something_was_shown(ledger, delivery, front):
    """Two callbacks that commit together have both seen the first one's words."""
    first = await look(ledger, delivery, "one")
    second = await look(ledger, delivery, "two")
    await delivery.run("c1", second)
    await eventually(lambda: texts(front.shown) == ["one", "two"])
    await delivery.run("c1", first)
    await delivery.say("c1", agent("three"))
    assert texts(front.shown) == ["one", "two", "three"]


async def test_what_is_written_after_the_look_is_shown_as_well(ledger, delivery, front):
    glance = await look(ledger, delivery, "one")
    await say(ledger, "two")
    await delivery.run("c1", glance)
    delivery.kick("c1")
    await eventually(lambda: texts(front.shown) == ["one", "two"])
