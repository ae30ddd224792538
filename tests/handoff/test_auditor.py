"""The audits after each close, with a clock that is moved by hand."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from handoff.auditor import AGAIN, ATTEMPTS, SETTLE, WITHIN, Auditor
from handoff.desk import Line
from handoff.errors import DeskRejected, DeskUnavailable
from handoff.handoff import State
from handoff.message import Sender
from handoff.retention import forget_old
from handoff.verdict import Verdict
from tests.support.ledger_rows import bring_to
from tests.support.scripted_desk import RecordedScriptedDesk


class Office:
    def __init__(self, ledger, clock):
        self.ledger, self.clock, self.desk, self.reports = ledger, clock, RecordedScriptedDesk(), []

    def auditor(self):
        return Auditor(self.ledger, self.desk, self.reports.append)

    async def look(self, after):
        self.clock.advance(after)
        await self.auditor().look()

    async def verdict(self, handoff):
        async with self.ledger.entry() as entry:
            return await entry.audits.verdict(handoff.id)


@pytest.fixture
def office(ledger, clock):
    return Office(ledger, clock)


async def test_a_chat_is_audited_once_its_last_words_had_time_to_come(office):
    handoff = await bring_to(office.ledger, State.ENDED)
    await office.look(SETTLE - 0.1)
    assert office.reports == []
    await office.look(0.2)
    await office.look(AGAIN)
    assert [one.verdict for one in office.reports] == [Verdict.CLEAN]
    assert await office.verdict(handoff) == "clean"


async def test_an_open_chat_is_left_alone(office):
    await bring_to(office.ledger, State.LIVE)
    await office.look(3600)
    assert office.reports == []


async def test_a_flaw_counts_when_it_is_still_there_at_a_second_look(office):
    handoff = await bring_to(office.ledger, State.ENDED)
    office.desk.transcript = [Line(id="d1", sender=Sender.AGENT, text="a secret word")]
    await office.look(SETTLE)
    assert office.reports == []
    with capture_logs() as logs:
        await office.look(AGAIN)
    assert [one.verdict for one in office.reports] == [Verdict.FLAWED]
    assert await office.verdict(handoff) == "flawed"
    (line,) = [entry for entry in logs if entry["event"] == "audit.difference"]
    assert (line["flaw"], line["desk_id"]) == ("missing", "d1")
    assert "secret" not in str(logs)


async def test_a_callback_that_was_late_is_no_flaw(office):
    await bring_to(office.ledger, State.ENDED)
    office.desk.transcript = [Line(id="d1", sender=Sender.AGENT, text="Bye")]
    await office.look(SETTLE)
    office.desk.transcript = []
    await office.look(AGAIN)
    assert [one.verdict for one in office.reports] == [Verdict.CLEAN]


async def test_an_instance_that_is_away_is_asked_again_a_few_times(office):
    handoff = await bring_to(office.ledger, State.ENDED)
    office.desk.break_down("read_transcript", DeskUnavailable("away"))
    await office.look(SETTLE)
    for _ in range(ATTEMPTS):
        await office.look(AGAIN)
    assert [one.verdict for one in office.reports] == [Verdict.UNREADABLE]
    assert await office.verdict(handoff) == "unreadable"


async def test_a_refusal_is_final(office):
    await bring_to(office.ledger, State.ENDED)
    office.desk.fail("read_transcript", DeskRejected("ServiceNow answered 403", status=403))
    await office.look(SETTLE)
    await office.look(AGAIN)
    assert [one.problem for one in office.reports] == ["ServiceNow answered 403"]


async def test_two_processes_audit_a_chat_once(office, clock):
    await bring_to(office.ledger, State.ENDED)
    clock.advance(SETTLE)
    async with office.ledger.entry() as entry:
        (due,) = await entry.audits.due(settle=SETTLE, within=WITHIN, limit=5)
    async with office.ledger.entry() as entry:
        assert await entry.audits.claim(due, again=AGAIN)
    async with office.ledger.entry() as entry:
        assert not await entry.audits.claim(due, again=AGAIN)


async def test_what_ended_long_ago_is_left_alone(office):
    await bring_to(office.ledger, State.ENDED)
    await office.look(timedelta(days=2).total_seconds())
    assert office.reports == []


async def test_old_audits_are_deleted_with_their_handoffs(office, clock):
    handoff = await bring_to(office.ledger, State.ENDED)
    await office.look(SETTLE)
    clock.advance(timedelta(days=31).total_seconds())
    await forget_old(office.ledger, 30, clock)
    assert await office.verdict(handoff) is None
