"""The page for Prometheus, after whole chats with the simulator."""

import aiohttp
import pytest

from tests.support.scraping import scrape
from tests.support.stage import CONNECT_SUPPORT, play
from tests.support.waiting import eventually


async def standing(stage, state, number):
    """What the ledger says is looked up once a second at most."""

    async def is_so():
        return (await scrape(stage.url)).read("handoff_open", state=state) == number

    await eventually(is_so)


async def test_a_chat_from_the_first_word_to_the_last(stage):
    client = await stage.join()
    await client.say("I need help, sam@example.com")
    await client.expect("echo: I need help")
    chat = await stage.go_live(client)
    await standing(stage, "live", 1)
    page = await scrape(stage.url)
    assert page.read("handoff_time_to_join_seconds_count") == 1
    assert page.read("handoff_sockets", channel="webchat") == 1
    assert page.read("handoff_sockets", channel="rest") == 0

    await client.say("the printer, again")
    await stage.desk_heard(chat, "the printer, again")
    await stage.simulator.say(chat, "Have you turned it off and on?")
    said = await client.expect("Have you turned it off")
    await client.emit("delivered", message_id=said["metadata"]["message_id"])

    async def has_all():
        page = await scrape(stage.url)
        return page if page.read("handoff_relay_to_requester_seconds_count", step="confirmed") else None

    page = await eventually(has_all)
    assert page.read("handoff_relay_to_desk_seconds_count") == 1
    assert page.read("handoff_relay_to_requester_seconds_count", step="shown") == 1
    assert page.read("handoff_time_to_first_answer_seconds_count") == 1
    assert page.read("handoff_messages_total", sender="agent") == 1
    assert page.read("handoff_messages_total", sender="requester") == 2
    assert page.read("handoff_desk_request_seconds_count", outcome="ok") >= 2
    assert page.read("handoff_callbacks_total", outcome="taken") >= 2
    assert page.read("handoff_callbacks_total", outcome="refused") == 0

    await stage.simulator.end(chat)
    await client.expect("flow: live_agent_ended")
    page = await scrape(stage.url)
    assert page.read("handoff_ended_total", reason="agent_ended") == 1
    await standing(stage, "live", 0)
    handoff = await stage.handoff(client)
    for secret in (client.session_id, handoff.id, handoff.live_chat_id, "sam@", "printer", "Dana"):
        assert secret not in page.text


async def test_who_was_away_says_nothing_of_how_long_our_way_takes(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.see_off(client)
    await stage.simulator.say(chat, "Are you there?")
    bridge = await stage.bridge()

    async def is_waiting():
        async with bridge.backend.ledger.entry() as entry:
            return (await entry.overview.read()).for_requester.count

    await eventually(is_waiting)
    client = await stage.join(client.session_id)
    await client.expect("Are you there?")
    await stage.simulator.say(chat, "Hello?")
    await client.expect("Hello?")

    async def shown():
        page = await scrape(stage.url)
        return page.read("handoff_relay_to_requester_seconds_count", step="shown")

    assert await eventually(shown) == 1


async def test_a_desk_that_refuses_is_counted_by_reason(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    stage.simulator.fail("503", times=1)
    await client.say("the first")
    await stage.desk_heard(chat, "the first")
    assert (await scrape(stage.url)).read("handoff_desk_retries_total", operation="send") == 1
    stage.simulator.fail("403", times=1)
    await client.say("the second")
    await client.expect("did not reach the live agent")
    page = await scrape(stage.url)
    assert page.read("handoff_desk_failures_total", operation="send", reason="unavailable") == 1
    assert page.read("handoff_desk_failures_total", operation="send", reason="rejected") == 1
    assert page.read("handoff_messages_not_delivered_total", doubt="no") == 1
    assert page.read("handoff_ended_total", reason="desk_error") == 1
    assert page.read("handoff_desk_request_seconds_count", outcome="unavailable") == 1


async def test_a_desk_that_cannot_be_reached_at_all(tmp_path):
    async with play(tmp_path) as stage:
        client = await stage.join()
        stage.simulator.fail("503")
        await stage.open(client)
        page = await scrape(stage.url)
        assert page.read("handoff_desk_failures_total", operation="open", reason="unavailable") == 1
        assert page.read("handoff_ended_total", reason="desk_unreachable") == 1
        assert page.read("handoff_wait_in_vain_seconds_count") == 1


@pytest.mark.parametrize(
    ("headers", "body", "outcome"),
    [({}, b"{}", "refused"), (None, b"{", "unreadable"), (None, b"{}", "unresolved")],
)
async def test_callbacks_that_are_not_taken(stage, headers, body, outcome):
    known = {"x-handoff-secret": "callback-secret-of-the-test"}
    async with aiohttp.ClientSession() as session:
        await session.post(stage.callback_url, data=body, headers=known if headers is None else headers)
    assert (await scrape(stage.url)).read("handoff_callbacks_total", outcome=outcome) == 1


async def test_items_that_nobody_understands_are_counted_by_type(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.say_item(chat, {"uiType": "Hologram"})
    await stage.simulator.say_item(chat, {"uiType": "my card is 4111 1111 1111 1111"})

    async def counted():
        page = await scrape(stage.url)
        names = ("Hologram", "other")
        return all(page.read("handoff_callbacks_ignored_total", kind=name) == 1 for name in names)

    await eventually(counted)
    assert "4111" not in (await scrape(stage.url)).text


async def test_a_callback_that_is_repeated_is_a_duplicate(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    stage.simulator.disturb("duplicate")
    await stage.simulator.say(chat, "only once")
    await client.expect("only once")

    async def dropped():
        return (await scrape(stage.url)).read("handoff_duplicates_total", sender="agent")

    assert await eventually(dropped) == 1


async def test_the_rate_limit_is_shown_with_what_is_left(tmp_path):
    async with play(tmp_path) as stage:
        client = await stage.join()
        chat = await stage.go_live(client)
        stage.simulator.fail("429", times=1, retry_after=1)
        await client.say("hello")
        await stage.desk_heard(chat, "hello")
        page = await scrape(stage.url)
        assert page.read("handoff_desk_failures_total", operation="send", reason="busy") == 1
        assert page.read("handoff_desk_request_seconds_count", outcome="busy") == 1
        assert page.read("handoff_rate_limit_low", api="/api/sn_va_as_service/bot/integration") is not None


async def test_a_desk_that_is_asked_has_its_failures_counted(tmp_path):
    async with play(tmp_path, **CONNECT_SUPPORT) as stage:
        client = await stage.join()
        await stage.go_live(client)
        stage.simulator.fail("503", times=2, endpoint="connect")

        async def retried():
            return (await scrape(stage.url)).read("handoff_desk_retries_total", operation="fetch")

        await eventually(retried)
        page = await scrape(stage.url)
        assert page.read("handoff_callbacks_total", outcome="taken") == 0


async def test_an_audit_that_finds_something_is_counted(tmp_path):
    async with play(tmp_path, handoff_audit=True) as stage:
        client = await stage.join()
        chat = await stage.go_live(client)
        await client.say("hello")
        await stage.desk_heard(chat, "hello")
        await stage.simulator.end(chat)
        await client.expect("flow: live_agent_ended")

        async def audited():
            return (await scrape(stage.url)).read("handoff_audits_total", verdict="clean")

        assert await eventually(audited, within=15) == 1


async def test_a_bot_that_fails_is_counted(stage):
    client = await stage.join()
    stage.bot.failures = 1
    await client.say("break")
    await client.expect("trouble answering")
    page = await scrape(stage.url)
    assert page.read("handoff_bot_failures_total", work="turn") == 1


async def test_an_assistant_counts_from_nothing_whatever_another_has_counted(tmp_path):
    for which in ("one", "other"):
        async with play(tmp_path / which) as stage:
            await stage.go_live(await stage.join())
            assert (await scrape(stage.url)).read("handoff_requested_total") == 1
