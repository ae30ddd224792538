"""Whom a line concerns stands in it, and never the id that opens the chat."""

import ast
import asyncio
import io
import json
from pathlib import Path

import pytest
import structlog

from handoff.concern import NAMES, Concerning, note_concern
from handoff.digest import digest
from handoff.log_guard import LogGuard
from handoff.tasks import OnePerKey, Tasks
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
SESSION = "b2c02ec1-2b51-4c55-9a32-0123456789ab"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


@pytest.fixture
def log():
    """A logger behind a guard, and the lines that it has written."""
    written = io.StringIO()
    logger = structlog.wrap_logger(
        structlog.PrintLogger(written), processors=[LogGuard(), structlog.processors.JSONRenderer()]
    )

    def lines():
        return [json.loads(line) for line in written.getvalue().splitlines()]

    return logger, lines


def test_every_line_of_a_piece_of_work_says_whom_it_concerns(log):
    logger, lines = log
    with Concerning(SESSION, "h1"):
        logger.info("first")
        logger.info("second", handoff="h2")
    logger.info("third")
    first, second, third = lines()
    assert first == {"event": "first", "conversation": digest(SESSION), "handoff": "h1"}
    assert second["handoff"] == "h2", "what a line says itself stands"
    assert third == {"event": "third"}


@pytest.mark.parametrize("name", NAMES)
def test_an_id_is_a_digest_whoever_logs_it_under_whichever_name(log, name):
    logger, lines = log
    logger.info("rasa.turn", **{name: SESSION})
    logger.info("ours", **{name: digest(SESSION)})
    assert [line[name] for line in lines()] == [digest(SESSION)] * 2


def test_an_id_within_a_text_or_a_traceback_is_a_digest_too(log):
    logger, lines = log
    with Concerning(SESSION):
        try:
            raise LookupError(f"no lock for {SESSION}")
        except LookupError as error:
            logger.exception(f"Issuing a ticket for '{SESSION}'", given=error, more=[{"id": SESSION}])
    assert SESSION not in json.dumps(lines())
    assert digest(SESSION) in lines()[0]["exception"]


def test_a_short_id_is_not_looked_for_in_other_words(log):
    logger, lines = log
    with Concerning("sam"):
        logger.info("the same")
    assert lines()[0]["event"] == "the same"
    assert lines()[0]["conversation"] == digest("sam")


def test_after_a_block_the_work_around_it_goes_on(log):
    logger, lines = log
    with Concerning("outer-conversation"):
        with Concerning():
            logger.info("nobody")
            note_concern(conversation="found-meanwhile")
            logger.info("somebody")
        logger.info("outer")
    assert [line.get("conversation") for line in lines()] == [
        None,
        digest("found-meanwhile"),
        digest("outer-conversation"),
    ]


async def test_a_lane_concerns_its_key_and_not_who_kicked_it(log):
    logger, lines = log
    tasks = Tasks()

    async def work(key):
        logger.info(f"work on {key[:1]}")

    lane = OnePerKey(work, "lane", tasks, concern=Concerning)
    with Concerning("the-conversation-that-kicks", "h1"):
        lane.kick("a-conversation")
        lane.kick("b-conversation")
    found = await eventually(lambda: len(lines()) == 2 and lines())
    assert [line["conversation"] for line in found] == [digest("a-conversation"), digest("b-conversation")]
    assert not any("handoff" in line for line in found)
    await tasks.cancel()
    await asyncio.sleep(0)


def find_log_calls():
    for room in ("handoff", "channels", "servicenow", "actions"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if is_log_call(node):
                    yield path.relative_to(ROOT), node


def is_log_call(node):
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    return isinstance(node.func.value, ast.Name) and node.func.value.id == "log" and node.func.attr in LEVELS


def test_our_own_lines_name_no_conversation_but_by_its_digest():
    calls = list(find_log_calls())
    assert len(calls) > 60, "the search finds the calls"
    raw = [
        f"{path}:{call.lineno}"
        for path, call in calls
        for word in call.keywords
        if word.arg in NAMES and not ast.unparse(word.value).startswith("digest(")
    ]
    assert raw == []
