"""The profile's table, from looks as py-spy writes them."""

import subprocess
import sys

import pytest

from benchmarks.profiling import REST, count_parts, name_part, share, write_table
from benchmarks.stage import ROOT

LOOP = "_run_once (asyncio/base_events.py:1922);_run (asyncio/events.py:84)"


@pytest.mark.parametrize(
    ("stack", "part"),
    [
        (LOOP, "event loop, tasks, contexts, writing to sockets"),
        (f"{LOOP};_take_in (handoff/relay.py:320)", "rules: what happens to a message"),
        (
            f"{LOOP};receive (handoff/relay.py:1);fetch (handoff/loop_connection.py:48)",
            "SQL statements, bound and read",
        ),
        (f"{LOOP};fetch (asyncpg/prepared_stmt.py:9)", "PostgreSQL: asyncpg, sessions, shared transactions"),
        (f"{LOOP};_answer (handoff/journey.py:9)", "PostgreSQL: asyncpg, sessions, shared transactions"),
        (f"{LOOP};accept (handoff/message_rows.py:241)", "SQL statements, bound and read"),
        (f"{LOOP};_commit (handoff/sqlite_store.py:201)", "beginning and committing"),
        (f"{LOOP};enter (handoff/sqlite_store.py:120)", "transaction and entry around them"),
        ("run (threading.py:9);_serve (handoff/journal.py:80)", "fsync: its thread, and handing over to it"),
        (f"{LOOP};handle_request (sanic/app.py:9);dumps (json/__init__.py:231)", "HTTP in and out (Sanic)"),
        (f"{LOOP};send (servicenow/http.py:9)", "HTTP to the desk (aiohttp, our client)"),
        (f"{LOOP};send_packet (engineio/async_socket.py:9)", "Socket.IO and WebSocket"),
        (f"{LOOP};parse (servicenow/callback.py:9)", "reading the callback"),
        ("write (benchmarks/floor.py:50)", "the floor's own ledger, in its thread"),
        (f"{LOOP};relay (benchmarks/floor.py:95)", "rules: what happens to a message"),
        ("main (somewhere.py:1)", REST),
    ],
)
def test_a_look_counts_for_the_innermost_part(stack, part):
    assert name_part(stack) == part


def test_looks_are_added_up_and_shared_out():
    looks = count_parts(
        [
            f"{LOOP} 30",
            f"{LOOP};x (handoff/relay.py:1) 10",
            "",
            f"{LOOP};half a",
            "name (handoff/relay.py:1);",
            f"{LOOP};y (asyncio/tasks.py:2) 10",
        ]
    )
    assert looks == {
        "event loop, tasks, contexts, writing to sockets": 40,
        "rules: what happens to a message": 10,
    }
    assert share(looks, 0.001) == pytest.approx(
        {
            "event loop, tasks, contexts, writing to sockets": 0.0008,
            "rules: what happens to a message": 0.0002,
        }
    )


def test_the_table_has_a_column_for_each_and_the_most_expensive_first():
    table = write_table({"ours": {"a": 1e-6, "b": 300e-6}, "floor": {"b": 100e-6, "c": 5e-6}})
    assert table.splitlines() == [
        "| part | ours | floor |",
        "|---|---|---|",
        "| b | 300 | 100 |",
        "| c | – | 5 |",
        "| a | 1 | – |",
        "| all | 301 | 105 |",
    ]


def test_without_the_profiler_it_says_how_to_get_it():
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.profiling"],
        cwd=ROOT,
        env={"PY_SPY": "no-such-profiler", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "no-such-profiler" in run.stderr
    assert "pip install py-spy" in run.stderr
