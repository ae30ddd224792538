"""One of Rasa's own channels with our fork in it: Slack's, against a server with Slack's Web API."""

import asyncio
import sqlite3

import pytest

import channels.stock
from channels.rasa_api import ChannelRefused
from channels.stock import HandoffChannel
from handoff.message import Receipt
from tests.support.slack import FakeSlack, SlackUser
from tests.support.stage import play
from tests.support.waiting import eventually


@pytest.fixture
async def slack():
    async with FakeSlack().serve() as server:
        yield server


def playing(folder, slack, **options):
    from channels.platform_slack import SlackChannel

    def make(connect, bot):
        stock = SlackChannel.from_credentials({**slack.credentials, **options.pop("keys", {})})
        return [HandoffChannel(stock, connect=connect, bot=bot, first_wait=0.05)]

    return play(folder, stock=make, **options)


@pytest.fixture
async def stage(tmp_path, slack):
    async with playing(tmp_path, slack) as running:
        yield running


@pytest.fixture
def whole_settings(monkeypatch):
    monkeypatch.setenv("SERVICENOW_URL", "https://example.service-now.com")
    monkeypatch.setenv("SERVICENOW_AUTH", "none")
    monkeypatch.setenv("SERVICENOW_CALLBACK_SECRET", "secret")


@pytest.fixture
def user(stage, slack):
    return SlackUser(slack, stage.url)


async def rows(stage, user):
    bridge = await stage.bridge()
    async with bridge.backend.ledger.entry() as entry:
        return await entry.messages.said_since(user.session_id, 0)


def change(folder, statement):
    ledger = sqlite3.connect(folder / "ledger.db", timeout=10, isolation_level=None)
    ledger.executescript(f"begin immediate; {statement}; commit;")
    ledger.close()


async def test_the_bot_answers_where_it_was_asked(stage, slack, user):
    assert await user.say("hello") == 200
    post = await slack.expect("echo: hello")
    assert post["channel"] == "D0ALEX"


async def test_the_live_agent_is_heard_unasked_and_by_name(stage, slack, user):
    await user.say("hello")
    await slack.expect("echo: hello")
    chat = await stage.go_live(user)
    await user.say("It is a notebook")
    await stage.desk_heard(chat, "It is a notebook")
    await stage.simulator.say(chat, "Hold the power button")
    await slack.expect("*Dana:* Hold the power button")


async def test_what_the_platform_took_is_sent_and_not_more(stage, slack, user):
    await user.say("hello")
    await slack.expect("echo: hello")

    async def receipts() -> bool:
        said = await rows(stage, user)
        return [row.receipt for row in said] == [Receipt.SENT, Receipt.SENT]

    await eventually(receipts)


async def test_a_message_is_committed_before_slack_is_answered(stage, slack, user):
    stage.bot.gate.clear()  # nothing has been done with it yet
    assert await user.say("hello") == 200
    assert [row.text for row in await rows(stage, user)] == ["hello"]
    stage.bot.gate.set()


async def test_what_the_ledger_could_not_take_is_asked_for_again(stage, slack, user, tmp_path):
    full = "begin select raise(abort, 'full'); end"
    await asyncio.to_thread(change, tmp_path, f"create trigger full before insert on messages {full}")
    assert await user.say("hello", event_id="Ev1") == 503
    await asyncio.to_thread(change, tmp_path, "drop trigger full")
    assert await user.say("hello", event_id="Ev1") == 200
    await slack.expect("echo: hello")


async def test_what_slack_posts_again_is_handled_once(stage, slack, user):
    for _ in range(3):
        assert await user.say("hello", event_id="Ev1") == 200
    await user.say("done")
    await slack.expect("echo: done")
    assert stage.bot.heard == ["hello", "done"]


async def test_messages_are_handled_in_the_order_in_which_they_were_taken(stage, slack, user):
    for number in range(10):
        await user.say(f"number {number}")
    await slack.expect("echo: number 9")
    assert slack.texts == [f"echo: number {number}" for number in range(10)]


async def test_what_slack_does_not_take_is_sent_again_in_order(stage, slack, user):
    busy = (429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "0"})
    slack.failures.extend([busy, (500, {"ok": False}, {})])
    await user.say("first")
    await user.say("second")
    await slack.expect("echo: second")
    assert [post["text"] for post in slack.refused] == ["echo: first", "echo: first"]
    assert slack.texts == ["echo: first", "echo: second"]


async def test_what_slack_refuses_for_good_is_a_dead_letter_and_the_next_is_sent(stage, slack, user):
    slack.failures.append((200, {"ok": False, "error": "is_archived"}, {}))
    await user.say("first")
    await user.say("second")
    await slack.expect("echo: second")
    bridge = await stage.bridge()
    async with bridge.backend.ledger.entry() as entry:
        (dead,) = await entry.letters.dead()
    assert dead.problem == "Slack: is_archived"


async def test_answers_follow_the_requester_into_a_channel_and_a_thread(tmp_path, slack):
    async with playing(tmp_path, slack, keys={"use_threads": True}) as stage:
        user = SlackUser(slack, stage.url)
        await user.say("hello", channel="C0HELP", channel_type="im", ts="17.5")
        post = await slack.expect("echo: hello")
        assert (post["channel"], post["thread_ts"]) == ("C0HELP", "17.5")


async def test_after_a_restart_the_live_agent_still_finds_the_requester(tmp_path, slack):
    async with playing(tmp_path, slack) as stage:
        user = SlackUser(slack, stage.url)
        await user.say("hello")
        await slack.expect("echo: hello")
        handoff = (await stage.open(user)).handoff
        desk = stage.simulator
        await desk.accept(stage.chat(handoff), agent="Dana")
        await slack.expect("Dana has joined")
        bridge = await stage.bridge()
        slack.failures.extend([(500, {"ok": False}, {})] * 1000)
        await desk.say(stage.chat(handoff), "Are you there?")
        await eventually(lambda: slack.refused)
        assert bridge
    slack.failures.clear()
    async with playing(tmp_path, slack):
        post = await slack.expect("Are you there?")
        assert post["channel"] == "D0ALEX"


async def test_a_live_agents_words_call_nobody(stage, slack, user):
    await user.say("hello")
    chat = await stage.go_live(user)
    await stage.simulator.say(chat, "<!channel> 1 < 2 & 3")
    await slack.expect("*Dana:* &lt;!channel&gt; 1 &lt; 2 &amp; 3")


async def test_the_live_agent_reads_what_was_typed_and_not_how_slack_writes_it(stage, slack, user):
    await user.say("hello")
    chat = await stage.go_live(user)
    await user.say("a &lt; b &amp;amp; c")
    await stage.desk_heard(chat, "a < b &amp; c")


async def test_a_button_of_the_bot_reaches_the_bot_with_its_payload(stage, slack, user):
    async def ask(conversation, text, output):
        buttons = [{"title": "Yes", "payload": "/SetSlots(sure=true)"}]
        await output.send_response(conversation, {"text": "Sure?", "buttons": buttons})

    stage.bot.reply = ask
    await user.say("hello")
    post = await slack.expect("Sure?")
    assert await user.press(post, "Yes") == 200
    await eventually(lambda: stage.bot.heard == ["hello", "/SetSlots(sure=true)"])


async def test_all_kinds_of_responses_go_out_by_the_channels_own_methods(stage, slack, user):
    async def say_all(conversation, text, output):
        await output.send_response(conversation, {"text": "One\n\nTwo", "image": "https://example.com/x.png"})
        await output.send_response(conversation, {"attachment": {"fallback": "a card"}})
        await output.send_response(conversation, {"custom": {"text": "mine", "mrkdwn": False}})

    stage.bot.reply = say_all
    await user.say("hello")
    await eventually(lambda: len(slack.posts) == 5)
    assert slack.texts[:3] == ["One", "Two", "https://example.com/x.png"]
    assert slack.posts[2]["blocks"][0]["type"] == "image"
    assert slack.posts[3]["attachments"] == [{"fallback": "a card"}]
    assert slack.posts[4]["mrkdwn"] is False


async def test_leaving_by_a_button_gives_the_conversation_back(stage, slack, user):
    async def offer(conversation, text, output):
        button = {"title": "Leave the chat", "payload": "/end_chat"}
        await output.send_response(conversation, {"text": "Waiting.", "buttons": [button]})

    stage.bot.reply = offer
    await user.say("hello")
    post = await slack.expect("Waiting.")
    stage.bot.reply = None
    await stage.go_live(user)
    await user.press(post, "Leave")
    await slack.expect("flow: live_agent_ended")
    await user.say("hello again")
    await slack.expect("echo: hello again")


async def test_a_question_of_the_desk_is_asked_with_buttons_and_answered_by_one(stage, slack, user):
    await user.say("hello")
    chat = await stage.go_live(user)
    await stage.simulator.say_item(chat, "Picker")
    post = await slack.expect("Which device is it?")
    await user.press(post, "Mobile phone")
    await stage.desk_heard(chat, "hw-2")


async def test_a_picture_goes_out_as_a_picture_with_its_words(stage, slack, user):
    await user.say("hello")
    chat = await stage.go_live(user)
    await stage.simulator.say_item(chat, "Image")
    await slack.expect("*Dana:* Where the VPN button is")
    post = await slack.expect("https://example.com/vpn.png")
    assert post["blocks"][0]["image_url"] == "https://example.com/vpn.png"


async def test_a_message_that_is_too_long_is_refused_in_words(tmp_path, slack):
    async with playing(tmp_path, slack, handoff_message_limit=10) as stage:
        user = SlackUser(slack, stage.url)
        assert await user.say("x" * 11) == 200
        await slack.expect("Please keep it under 10 characters")
        assert stage.bot.heard == []


async def test_a_token_of_the_rest_channel_opens_no_conversation_of_slack(tmp_path, slack):
    import jwt

    key = "k" * 32
    async with playing(tmp_path, slack, handoff_rest_jwt_key=key) as stage:
        user = SlackUser(slack, stage.url)
        await user.say("hello")
        await slack.expect("echo: hello")
        token = jwt.encode({"sub": user.session_id}, key, "HS256")
        reply = await stage.rest(user.session_id, token=token).poll(after=0)
        assert reply.status == 403


async def test_an_unsigned_message_is_refused_by_rasas_channel(stage, slack):
    stranger = SlackUser(slack, stage.url, secret="a guess")
    assert await stranger.say("hello") == 400
    assert await rows(stage, stranger) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [("mattermost", "cannot write first"), ("rest", "channels.rest.HandoffRest"), ("hangouts", "answer")],
)
def test_a_channel_that_cannot_push_is_refused_with_the_reason(name, reason, whole_settings):
    with pytest.raises(ChannelRefused, match=reason):
        getattr(channels.stock, name).from_credentials({})


def test_rasa_makes_the_channel_from_credentials(whole_settings):
    from rasa.core.run import _create_single_channel

    keys = {"slack_token": "xoxb-test", "slack_signing_secret": "secret"}
    made = _create_single_channel("channels.stock.slack", keys)
    assert (made.name(), made.url_prefix()) == ("slack", "slack")
    own = _create_single_channel(
        "channels.stock.HandoffChannel", {"channel": "rasa.core.channels.slack.SlackInput", **keys}
    )
    assert own.name() == "slack"


async def test_what_rasas_channel_ignores_is_not_taken_in(stage, slack, user):
    assert await user.say("I am a bot", bot_id="B1") == 200
    assert await rows(stage, user) == []
