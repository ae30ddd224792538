"""What is counted, when, and under which labels; on the page and for OpenTelemetry alike."""

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from handoff.handoff import EndReason, State
from handoff.instruments import (
    ALL,
    CALLBACKS,
    ENDED,
    IGNORED,
    MANY,
    RATE_LEFT,
    SOCKETS,
    TIME_TO_JOIN,
    Kind,
)
from handoff.ledger import Ledger
from handoff.message import Draft, Sender
from handoff.observation import Observation
from tests.support.scraping import Page


@pytest.fixture
def reader():
    return InMemoryMetricReader()


@pytest.fixture
def metrics(reader):
    return Observation(MeterProvider(metric_readers=[reader]).get_meter("test"))


def read(metrics):
    return Page(metrics.page.print().decode())


def exported(reader):
    """Each point, by the metric's name and its attributes."""
    data = reader.get_metrics_data()
    found = {}
    for resource in data.resource_metrics if data else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    found[metric.name, frozenset(point.attributes.items())] = point
    return found


async def test_what_is_counted_is_on_the_page_and_exported(metrics, reader):
    metrics.measures.count(ENDED, "nobody_came")
    metrics.measures.count(ENDED, "nobody_came")
    metrics.measures.record(TIME_TO_JOIN, 7.0)
    page = read(metrics)
    assert page.read("handoff_ended_total", reason="nobody_came") == 2
    assert page.read("handoff_time_to_join_seconds_sum") == 7
    assert page.read("handoff_time_to_join_seconds_bucket", le="5.0") == 0
    assert page.read("handoff_time_to_join_seconds_bucket", le="10.0") == 1
    points = exported(reader)
    assert points["handoff.ended", frozenset({("reason", "nobody_came")})].value == 2
    timed = points["handoff.time_to_join", frozenset()]
    assert timed.sum == 7
    assert tuple(timed.explicit_bounds) == TIME_TO_JOIN.buckets


async def test_every_metric_is_on_the_page_from_the_beginning(metrics):
    """What happens for the first time is an increase only where there was a 0 before."""
    page = read(metrics)
    for one in ALL:
        known = all(one.labels.values())
        if one.kind is Kind.COUNTER and known:
            assert one.page_name in page.names, one.name
        elif one.kind is Kind.HISTOGRAM:
            assert f"{one.page_name}_bucket" in page.names, one.name
    assert not [name for name in page.names if name.endswith("_created")]


def test_names_are_unique_and_say_their_unit():
    names = [one.page_name for one in ALL]
    assert len(set(names)) == len(names)
    assert all(name.startswith("handoff_") for name in names)
    assert TIME_TO_JOIN.page_name == "handoff_time_to_join_seconds"
    assert CALLBACKS.page_name == "handoff_callbacks_total"


async def test_a_label_with_an_unknown_value_is_other(metrics):
    metrics.measures.count(CALLBACKS, "rasa-5d1f")
    assert read(metrics).read("handoff_callbacks_total", outcome="other") == 1
    assert "5d1f" not in metrics.page.print().decode()


async def test_values_that_the_process_finds_out_are_so_many_at_most(metrics):
    for number in range(3 * MANY):
        metrics.measures.count(IGNORED, f"Type{number}")
    series = [line for line in metrics.page.print().decode().splitlines() if "ignored_total{" in line]
    assert len(series) == MANY + 1
    assert read(metrics).read("handoff_callbacks_ignored_total", kind="other") == 2 * MANY


async def test_gauges_are_read_when_somebody_looks(metrics, reader):
    open_sockets = [1]
    end = metrics.measures.watch(SOCKETS, lambda: [(("webchat",), open_sockets[0])])
    assert read(metrics).read("handoff_sockets", channel="webchat") == 1
    open_sockets[0] = 5
    assert read(metrics).read("handoff_sockets", channel="webchat") == 5
    assert exported(reader)["handoff.sockets", frozenset({("channel", "webchat")})].value == 5
    end()
    assert read(metrics).read("handoff_sockets", channel="webchat") is None


async def test_two_readings_of_a_budget_are_not_added_up(metrics):
    for left in (90, 70):
        metrics.measures.watch(RATE_LEFT, lambda left=left: [(("/api",), left)])
    assert read(metrics).read("handoff_rate_limit_left", api="/api") == 70


class TestLedger:
    """What the rows note is counted once their transaction is committed, and only then."""

    @pytest.fixture
    async def ledger(self, database_url, clock, metrics):
        ledger = await Ledger.connect(database_url, clock, metrics.measures)
        yield ledger
        await ledger.close()

    @staticmethod
    async def request(entry):
        return await entry.handoffs.request("c1", channel="test", user="u1", summary=None, within=60)

    async def test_a_handoff_from_request_to_end(self, ledger, clock, metrics):
        async with ledger.entry() as entry:
            handoff = await self.request(entry)
        clock.advance(20)
        async with ledger.entry() as entry:
            live = await entry.handoffs.move(handoff, State.LIVE)
        clock.advance(5)
        for _ in range(2):  # the second answer is not the first
            async with ledger.entry() as entry:
                await entry.handoffs.note_answer(live)
            clock.advance(5)
        async with ledger.entry() as entry:
            await entry.handoffs.finish(live, EndReason.AGENT_ENDED)
        page = read(metrics)
        assert page.read("handoff_requested_total") == 1
        assert page.read("handoff_time_to_join_seconds_sum") == 20
        assert page.read("handoff_time_to_first_answer_seconds_sum") == 25
        assert page.read("handoff_time_to_first_answer_seconds_count") == 1
        assert page.read("handoff_ended_total", reason="agent_ended") == 1
        assert page.read("handoff_wait_in_vain_seconds_count") == 0

    async def test_a_transfer_is_no_second_joining(self, ledger, clock, metrics):
        async with ledger.entry() as entry:
            handoff = await self.request(entry)
            live = await entry.handoffs.move(handoff, State.LIVE)
        clock.advance(5)
        async with ledger.entry() as entry:
            queued = await entry.handoffs.move(live, State.QUEUED)
            await entry.handoffs.move(queued, State.LIVE)
        assert read(metrics).read("handoff_time_to_join_seconds_count") == 1

    async def test_who_waited_in_vain(self, ledger, clock, metrics):
        async with ledger.entry() as entry:
            handoff = await self.request(entry)
        clock.advance(600)
        async with ledger.entry() as entry:
            await entry.handoffs.finish(handoff, EndReason.NOBODY_CAME)
            await entry.handoffs.finish(handoff, EndReason.NOBODY_CAME)  # it had ended already
        page = read(metrics)
        assert page.read("handoff_wait_in_vain_seconds_sum") == 600
        assert page.read("handoff_ended_total", reason="nobody_came") == 1

    async def test_what_is_rolled_back_was_not(self, ledger, metrics):
        async def fail():
            async with ledger.entry() as entry:
                await self.request(entry)
                raise RuntimeError("in between")

        with pytest.raises(RuntimeError, match="in between"):
            await fail()
        assert read(metrics).read("handoff_requested_total") == 0

    async def test_repetitions_are_counted_apart(self, ledger, metrics):
        draft = Draft(sender=Sender.REQUESTER, content={"text": "hello"}, client_id="m1")
        for _ in range(3):
            async with ledger.entry() as entry:
                await entry.messages.accept("c1", draft)
        page = read(metrics)
        assert page.read("handoff_messages_total", sender="requester") == 1
        assert page.read("handoff_duplicates_total", sender="requester") == 2
