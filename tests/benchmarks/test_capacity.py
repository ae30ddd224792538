"""The planner's arithmetic, by costs made up to be easy to reckon with, and the document made of it."""

from dataclasses import replace

import pytest

from benchmarks.capacity import fill, main, make_tables, read_costs
from benchmarks.costs import Costs
from benchmarks.plan import GIB, Bound, Habits, Room, make_plan, write_capacity

COSTS = Costs(
    process_memory=0.5 * GIB,
    process_idle_cpu=0.0,
    socket_memory=1_000,
    socket_idle_cpu=0.0,
    to_browser_cpu=0.001,
    to_desk_cpu=0.003,
    hint_cpu=0.0,
    turn_cpu=0.1,
    database_cpu=0.002,
    database_transactions=5,
    database_log=4_000,
    ledger_size=1_000,
    redis_cpu=0.0001,
)
# Of 6,000 chats 3,000 are live, with 50 messages per second each way; the others take 50 turns per second.
HABITS = Habits(live=0.5, queued=0, turns=1, requester=1, agent=1, agents_chats=3, busy_hours=24, days=1)
ROOM = Room(core=0.5, hints=0.1, memory=1.5 * GIB, database_cores=16, connections=20, spare=1)


def test_the_load_follows_from_what_people_do():
    plan = make_plan(6_000, COSTS, HABITS, ROOM)
    assert (plan.turns, plan.messages, plan.callbacks) == (50, 100, 50)
    assert plan.requests == 50 * 3600
    assert plan.agents == 1_000


def test_as_many_processes_as_the_work_needs_and_one_to_spare():
    """50 turns of 0.1 s, 50 messages of 1 ms and 50 of 3 ms are 5.2 cores, at half a core each 10.4."""
    plan = make_plan(6_000, COSTS, HABITS, ROOM)
    assert (plan.processes, plan.bound) == (11 + 1, Bound.CPU)
    assert plan.connections == 12 * 20


def test_where_nobody_says_much_memory_decides():
    """A process has 1 GiB for sockets of 1,000 bytes, so a little over a million of them."""
    quiet = replace(HABITS, live=1, requester=0.0001, agent=0.0001)
    plan = make_plan(3_000_000, COSTS, quiet, ROOM)
    assert (plan.processes, plan.bound) == (3 + 1, Bound.MEMORY)
    assert plan.memory == 0.5 * GIB + 3_000_000 / 4 * 1_000


def test_a_small_system_has_two_processes_to_be_safe():
    plan = make_plan(10, COSTS, HABITS, ROOM)
    assert (plan.processes, plan.bound, plan.clusters) == (2, Bound.SAFETY, 1)


def test_each_cluster_has_its_part_of_the_database():
    plan = make_plan(6_000, COSTS, HABITS, ROOM)
    assert plan.database_cores == pytest.approx(100 * 0.002)
    assert plan.transactions == pytest.approx(500)
    assert plan.log == pytest.approx(400_000)
    assert plan.ledger == pytest.approx(100 * 1_000 * 86_400)
    assert plan.redis_cores == pytest.approx(0.01)


def test_another_cluster_where_others_messages_would_take_too_much_of_each_process():
    """100 messages per second of 2.5 ms each are a quarter of a core, in every process; a tenth may be."""
    loud = replace(COSTS, hint_cpu=0.0025)
    plan = make_plan(6_000, loud, HABITS, ROOM)
    assert plan.clusters == 3
    assert plan.hint_share == pytest.approx(0.25 / 3)
    assert plan.processes % 3 == 0
    assert plan.processes > make_plan(6_000, COSTS, HABITS, ROOM).processes


def test_another_cluster_where_one_database_is_not_enough():
    slow = replace(COSTS, database_cpu=0.4)
    plan = make_plan(6_000, slow, HABITS, ROOM)
    assert plan.clusters == 3  # 40 cores, of which one PostgreSQL has 16
    assert plan.database_cores == pytest.approx(40 / 3)


def test_more_chats_never_need_less():
    plans = [make_plan(chats, COSTS, HABITS, ROOM) for chats in (1, 100, 5_000, 5_001, 70_000, 1_000_000)]
    for name in ("processes", "clusters", "messages", "agents", "requests"):
        numbers = [getattr(plan, name) for plan in plans]
        assert numbers == sorted(numbers)


def test_the_documents_hold_what_was_measured_and_what_follows():
    for document, tables in make_tables(read_costs()).items():
        text = document.read_text()
        assert fill(text, tables) == text, "python -m benchmarks.capacity write"


def test_one_process_is_told_by_what_it_may_use():
    """Half a core is five turns of 0.1 s, or 500 words of 1 ms; 1 GiB is sockets of 1,000 bytes."""
    told = write_capacity(replace(COSTS, hint_cpu=0.001), ROOM)
    assert "| turns of the bot, per second | 5.0 | CPU |" in told
    assert "| messages of live agents, per second | 500 | CPU |" in told
    assert "| messages of its whole cluster, per second | 100 | CPU |" in told
    assert f"| open web chats that say nothing | {GIB / 1_000:,.0f} |" in told


def test_what_costs_less_than_nothing_was_not_measured():
    with pytest.raises(ValueError, match="database_log: somebody else"):
        replace(COSTS, database_log=-1)


def test_a_document_without_a_place_for_a_table_is_refused():
    with pytest.raises(ValueError, match="no place for plans"):
        fill("<!-- costs -->\n<!-- /costs -->", {"costs": "", "plans": ""})


def test_a_plan_may_be_asked_for_with_other_habits(capsys):
    main(["plan", "--chats", "1000,2000", "--live", "1", "--queued", "0", "--agents_chats", "2"])
    told = capsys.readouterr().out
    assert "| concurrent chats | 1,000 | 2,000 |" in told
    assert "| turns of the bot, per second | 0.0 | 0.0 |" in told
    assert "| live agents | 500 | 1,000 |" in told
