"""Whatever an authentic callback holds, it is not our 5xx that costs the chat; on both databases."""

import itertools
import json

import aiohttp
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from handoff.handoff import State
from handoff.message import Sender
from tests.support import postgres
from tests.support.hypotheses import be_patient
from tests.support.ledger_rows import bring_to
from tests.support.odd_json import HALF, JSON, KEYS, TEXTS
from tests.support.stage import SECRET, play

be_patient()

AGENT = {"sentFromAgent": True}
NUMBERS = itertools.count()
OPEN = st.sampled_from([State.REQUESTED, State.QUEUED, State.LIVE, State.ENDING])


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    if request.param == "sqlite":
        yield {}
        return
    with postgres.make_database() as url:
        yield {"handoff_database_url": url.replace("postgresql+asyncpg:", "postgresql:")}


class Instance:
    """Posts callbacks about handoffs of its own, as they would come from the instance."""

    def __init__(self, stage, ledger, session):
        self._stage, self.ledger, self._session = stage, ledger, session

    async def begin(self, state):
        return await bring_to(self.ledger, state, f"odd-{next(NUMBERS)}")

    async def post(self, handoff, envelope) -> int:
        return await self.post_raw(json.dumps({**envelope, "clientSessionId": handoff.id}))

    async def post_raw(self, body: str) -> int:
        headers = {"x-handoff-secret": SECRET}
        async with self._session.post(self._stage.callback_url, data=body, headers=headers) as answer:
            return answer.status

    async def said(self, handoff):
        async with self.ledger.entry() as entry:
            return await entry.messages.said_since(handoff.conversation, 0)


@pytest.fixture
async def instance(tmp_path, database):
    async with play(tmp_path, **database) as stage, aiohttp.ClientSession() as session:
        yield Instance(stage, (await stage.bridge()).backend.ledger, session)


ODDLY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def speech(text, **fields):
    return {"uiType": "OutputText", "value": text, "agentInfo": AGENT, **fields}


def clean(text):
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text
    ).strip()


@pytest.mark.covers("7.5 5xx only where it could not be stored")
@ODDLY
@given(state=OPEN, envelope=st.dictionaries(KEYS, JSON, max_size=10))
@example(state=State.LIVE, envelope={"body": [{"uiType": HALF, "value": HALF}], HALF: "\0"})
async def test_no_json_is_answered_5xx(instance, state, envelope):
    handoff = await instance.begin(state)
    assert await instance.post(handoff, envelope) == 200


@ODDLY
@given(state=OPEN, text=TEXTS, name=TEXTS, message_id=TEXTS, chat_id=TEXTS, wait=TEXTS)
async def test_what_can_be_shown_is_shown_whatever_stands_around_it(
    instance, state, text, name, message_id, chat_id, wait
):
    handoff = await instance.begin(state)
    body = [
        {"uiType": "ActionMsg", "actionType": "StartSpinner", "waitTime": wait},
        speech(text, messageId=message_id, agentInfo={**AGENT, "agentName": name, "agentAvatar": text}),
        {"uiType": "StreamChunk", "streamId": message_id, "streamSequence": 1, "value": text},
    ]
    assert await instance.post(handoff, {"body": body, "interactionId": chat_id}) == 200
    shown = [message.text for message in await instance.said(handoff) if message.sender is Sender.AGENT]
    assert shown == ([clean(text)] if clean(text) else [])


async def test_ids_that_are_too_long_to_be_kept_still_tell_messages_apart(instance):
    handoff = await instance.begin(State.LIVE)
    long = "m" * 5000
    twice = [speech("one", messageId=long + "1"), speech("two", messageId=long + "2")]
    for _ in range(2):
        assert await instance.post(handoff, {"body": twice}) == 200
    assert [message.text for message in await instance.said(handoff)] == ["one", "two"]


async def test_a_megabyte_is_shown(instance):
    handoff = await instance.begin(State.LIVE)
    text = "🙂" * 80_000  # 12 bytes each in JSON
    assert await instance.post(handoff, {"body": [speech(text)]}) == 200
    assert (await instance.said(handoff))[-1].text == text


@pytest.mark.parametrize("kind", ["SubscribeToSupportQueue", "Levitate"])
async def test_what_is_nested_too_deeply_is_no_5xx(instance, kind):
    """How deep JSON may be differs between reading and writing it, and between versions of Python."""
    for depth in (100, 900, 990, 2_000, 20_000, 200_000):
        handoff = await instance.begin(State.REQUESTED)
        deep = "[" * depth + "]" * depth
        for item in (
            f'{{"uiType": "ActionMsg", "actionType": "{kind}", "x": {deep}}}',
            f'{{"uiType": "Picker", "label": "?", "options": [{{"label": "a"}}], "x": {deep}}}',
            f'{{"uiType": "OutputCard", "templateName": "Card", "data": {json.dumps(deep)}}}',
            deep,
        ):
            raw = f'{{"clientSessionId": "{handoff.id}", "body": [{item}]}}'
            assert await instance.post_raw(raw) in (200, 400)
