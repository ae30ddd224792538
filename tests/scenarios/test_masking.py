"""With masking in the tracker, Rasa's store and event broker hold nothing that a form gives away."""

from __future__ import annotations

import json

import pytest

from tests.scenarios.conftest import heard
from tests.support.waiting import eventually

pytestmark = pytest.mark.rasa

PERSONAL = "sam@example.com or +41 79 123 45 67"


async def test_the_tracker_never_holds_it_and_the_assistant_works_all_the_same(open_helpdesk):
    async with open_helpdesk(HANDOFF_MASK_IN="log, tracker") as helpdesk:
        client = await helpdesk.join()
        chat = await helpdesk.go_live(client, summary=f"Reach me at {PERSONAL}")
        await client.say(f"Once more: {PERSONAL}")
        await eventually(lambda: any("Once more" in line for line in heard(chat)), within=15)
        assert f"Once more: {PERSONAL}" in heard(chat)
        events = json.dumps(await helpdesk.events(client))
        assert "sam@example.com" not in events
        assert "123 45 67" not in events
        assert "[email] or [phone]" in events
