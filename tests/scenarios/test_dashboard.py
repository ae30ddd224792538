"""A real Prometheus scrapes an assistant that is at work, and answers each query of the dashboard.

With HANDOFF_TEST_SCREENSHOTS=1 the picture of docs/operations.md is taken anew, of a longer while.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from contextlib import suppress

import pytest

from local.dashboard import Prometheus, draw_page, fill_in, name_line, write_value
from local.grafana import FILE
from simulator import SimulatorSettings
from tests.support.browser_story import SCREENSHOTS
from tests.support.prometheus import Running, run_prometheus
from tests.support.stage import SECRET, play
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(300)

IS_PICTURED = bool(os.environ.get("HANDOFF_TEST_SCREENSHOTS"))
SECONDS = 150.0 if IS_PICTURED else 6.0  # of traffic
INTERVAL = "15s" if IS_PICTURED else "5s"
# What may never have happened here: its series begin with the first time.
MAY_BE_EMPTY = ("handoff_rate_limit_left", "handoff_callbacks_ignored_total")
KNOWN = {"username": "handoff", "password": "secret of the test", "callback_secret": SECRET}


def read_queries():
    panels = json.loads(FILE.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


async def chat(stage, number: int) -> None:
    client = await stage.join()
    try:
        await live_through(stage, client, number)
    finally:
        await client.leave()


async def live_through(stage, client, number: int) -> None:
    """One requester, with a live agent who comes, or does not."""
    dice = random.Random(number)
    await client.say("hello")
    await client.expect("echo: hello")
    opening = await stage.open(client)
    await asyncio.sleep(dice.uniform(0.1, 3))  # people take their time; nothing is waited for here
    found = stage.chat(opening.handoff)
    if number % 5 == 4:
        await client.say("/end_chat")
        await client.expect("flow: live_agent_ended")
        return
    await stage.simulator.accept(found, agent="Dana")
    await client.expect("Dana has joined")
    for turn in range(dice.randint(2, 5)):
        await client.say(f"message {turn}")
        await stage.simulator.say(found, f"answer {turn}")
        said = await client.expect(f"answer {turn}")
        await client.emit("delivered", message_id=said["metadata"]["message_id"])
        await asyncio.sleep(dice.uniform(0.0, 0.5))
    await stage.simulator.end(found)
    await client.expect("flow: live_agent_ended")


async def keep_busy(stage, seconds: float) -> None:
    """A few requesters at a time, for so long; now and then the desk fails a request."""
    until = asyncio.get_running_loop().time() + seconds
    numbers = iter(range(10_000))

    async def go_on():
        while asyncio.get_running_loop().time() < until:
            number = next(numbers)
            if number % 6 == 3:
                stage.simulator.fail("503", times=1, action="message")
            with suppress(AssertionError):  # a chat may be ended by a failure that was meant for it
                await chat(stage, number)

    await asyncio.gather(*(go_on() for _ in range(4)))


async def test_a_prometheus_that_scrapes_us_answers_every_query_of_the_dashboard(tmp_path):
    desk = SimulatorSettings(**KNOWN, rate_limit=4000)
    async with (
        play(tmp_path, desk=desk) as stage,
        run_prometheus(tmp_path, stage.url.removeprefix("http://")) as prometheus,
    ):
        await keep_busy(stage, SECONDS)
        await eventually(lambda: asyncio.to_thread(prometheus.ask, "sum(handoff_ended_total) > 0"), within=20)
        assert [
            query for query in read_queries() if not await asyncio.to_thread(answers, prometheus, query)
        ] == []
        health = await asyncio.to_thread(prometheus.get, "rules")
        assert {rule["health"] for group in health["groups"] for rule in group["rules"]} == {"ok"}
        drawn = (Prometheus(prometheus.url), json.loads(FILE.read_text()), SECONDS, INTERVAL)
        page = await asyncio.to_thread(draw_page, *drawn)
        assert "This is not Grafana" in page
        assert page.count("<polyline") > 20
        if IS_PICTURED:
            await take_picture(tmp_path, page)


def answers(prometheus: Running, query: str) -> bool:
    return bool(prometheus.ask(fill_in(query, INTERVAL))) or any(name in query for name in MAY_BE_EMPTY)


async def take_picture(folder, page: str) -> None:
    from playwright.async_api import async_playwright

    from tests.support.chromium import FLAGS, find_chromium

    (folder / "dashboard.html").write_text(page)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        opened = await browser.new_page(viewport={"width": 1620, "height": 900})
        await opened.goto(f"file://{folder}/dashboard.html")
        await opened.screenshot(path=SCREENSHOTS / "dashboard.png", full_page=True)
        await browser.close()


def test_a_legend_and_a_value_read_as_in_grafana():
    assert name_line("{{operation}}: {{reason}}", {"operation": "send", "reason": "busy"}) == "send: busy"
    assert write_value(0.0031, "s") == "3.1 ms"
    assert write_value(90, "s") == "90 s"
    assert write_value(0.25, "percentunit") == "25 %"
    assert write_value(3 * 1024**2, "bytes") == "3 MiB"
