"""The page of ``python -m handoff report``."""

import json
import os
import random
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from handoff.handoff import EndReason, State
from handoff.operator.charts import Bar, draw_columns, draw_rows
from handoff.operator.report_page import NOTHING, REASONS, write_page
from handoff.past import Past
from handoff.period import Period
from handoff.tally import Tally
from tests.support.chromium import FLAGS, find_chromium
from tests.support.ledger_rows import bring_to, end, request

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "widget" / "node_modules" / "axe-core" / "axe.min.js"
PICTURE = ROOT / "docs" / "screenshots" / "report.png"
TAKES_PICTURES = bool(os.environ.get("HANDOFF_TEST_SCREENSHOTS"))  # before the environment is cleaned
BEGIN = datetime(2026, 11, 2, tzinfo=UTC)
VOID = {"meta", "line", "rect"}


class Outline(HTMLParser):
    """Tags that are open, and what was seen."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.texts = [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def fill(days=14, per_day=90):
    """As a helpdesk might have them: fewer at the weekend, most around noon, now and then nobody."""
    chance = random.Random(5)
    tally = Tally(Period(BEGIN, BEGIN + timedelta(days=days), UTC))
    reasons, weights = list(EndReason), [9, 2, 60, 3, 8, 2, 3, 2, 1, 1]
    for day in range(days):
        is_weekend = (BEGIN + timedelta(days=day)).weekday() > 4
        for number in range(chance.randrange(per_day // 2, per_day) // (5 if is_weekend else 1)):
            hour = min(max(chance.gauss(13, 3), 0), 23.9)
            at = BEGIN + timedelta(days=day, hours=hour)
            joined = at + timedelta(seconds=chance.lognormvariate(3.8, 1)) if chance.random() < 0.85 else None
            answer = joined and joined + timedelta(seconds=chance.lognormvariate(3, 0.8))
            ended = (joined or at) + timedelta(seconds=chance.lognormvariate(6, 0.8))
            reason = chance.choices(reasons, weights)[0].value
            channel = chance.choices(("webchat", "<rest>"), (3, 1))[0]
            rating = chance.choices((None, 1, 2, 3, 4, 5), (6, 1, 1, 1, 3, 5))[0] if joined else None
            tally.add(Past(f"{day}-{number}", at, joined, answer, ended, reason, channel, rating))
    return tally


def read(page):
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    return outline


def test_the_page_is_whole_and_needs_nothing_else():
    page = write_page(fill(), BEGIN)
    outline = read(page)
    assert not [tag for tag, _ in outline.seen if tag in ("script", "link", "img", "iframe")]
    assert not re.search(r"https?:|url\(|@import", page)
    assert "<rest>" not in page
    assert "<rest>" in outline.texts


def test_each_plot_has_words_and_a_table_beside_it():
    outline = read(write_page(fill(), BEGIN))
    plots = [about for tag, about in outline.seen if tag == "svg"]
    assert len(plots) == len([1 for tag, _ in outline.seen if tag == "table"]) == 9
    ids = [about["id"] for _, about in outline.seen if "id" in about]
    assert len(ids) == len(set(ids))
    for about in plots:
        assert about["role"] == "img"
        assert set(about["aria-labelledby"].split()) <= set(ids)


def test_a_period_in_which_nothing_happened_says_so_and_draws_nothing():
    page = write_page(Tally(Period(BEGIN, BEGIN + timedelta(days=1), UTC)), BEGIN)
    assert NOTHING in page
    assert "<svg" not in page


def test_where_nobody_joined_no_empty_plot_is_drawn():
    tally = Tally(Period(BEGIN, BEGIN + timedelta(days=1), UTC))
    tally.add(Past("1", BEGIN, None, None, None, None, "webchat"))
    page = write_page(tally, BEGIN)
    assert "1 chat; the most in one hour: 1" in page
    assert "None in this period." in page
    assert "None has ended yet." in page
    assert "Nobody has rated it" in page


def test_every_reason_has_words():
    assert set(REASONS) == {reason.value for reason in EndReason}


@pytest.mark.parametrize("most", [0, 1, 3, 7, 40, 99, 1000, 123456])
def test_the_highest_column_fits_and_few_lines_are_drawn(most):
    drawn = draw_columns("x", "t", "d", [Bar("a", most), Bar("b", 0)])
    heights = [float(found) for found in re.findall(r'<rect[^>]* height="([\d.]+)"', drawn)]
    assert all(0 < height <= 158.1 for height in heights)
    assert bool(heights) == bool(most)
    assert 2 <= drawn.count("<line") <= 6


def test_nothing_to_draw_is_drawn_as_nothing():
    assert "<rect" not in draw_columns("x", "t", "d", [])
    assert 'height="0"' in draw_rows("x", "t", "d", [])


# -- the command ----------------------------------------------------------------------


@pytest.fixture
async def variables(ledger, database_url):
    await end(ledger, await bring_to(ledger, State.LIVE, "c1"))
    await request(ledger, "c2")
    return {**os.environ, "HANDOFF_ENV_FILE": os.devnull, "HANDOFF_DATABASE_URL": database_url}


def run(*arguments, environment, cwd=ROOT):
    command = [sys.executable, "-m", "handoff", "report", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


async def test_it_writes_a_page_and_none_over_another(variables, tmp_path, clock):
    around = ["--from", f"{clock() - timedelta(days=1):%Y-%m-%d}", "--to", f"{clock():%Y-%m-%d}"]
    file = tmp_path / "page.html"
    done = run(str(file), *around, environment=variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 chats" in done.stdout
    assert "Chats by hour" in file.read_text()
    again = run(str(file), *around, environment=variables)
    assert again.returncode == 1
    assert "--force" in again.stderr
    assert run(str(file), "--force", *around, environment=variables).returncode == 0


async def test_one_chat_is_one_chat(variables, ledger, tmp_path, clock):
    clock.advance(2 * 24 * 3600)
    await request(ledger, "c3")
    day = f"{clock():%Y-%m-%d}"
    done = run(str(tmp_path / "page.html"), "--from", day, "--to", day, environment=variables)
    assert done.stdout.endswith("page.html: 1 chat.\n")


async def test_programs_get_numbers_and_no_file(variables, tmp_path, clock):
    begin = f"{clock() - timedelta(days=1):%Y-%m-%d}"
    variables["HANDOFF_TIME_ZONE"] = "Asia/Tokyo"
    done = run("--json", "--from", begin, "--to", f"{clock():%Y-%m-%dT%H:%M:59}+00:00", environment=variables)
    found = json.loads(done.stdout)
    assert (found["handoffs"], found["still_open"], found["time_zone"]) == (2, 1, "Asia/Tokyo")
    assert found["from"] == f"{begin}T00:00:00+09:00"
    assert not (ROOT / "handoff-report.html").exists()


async def test_what_is_no_time_and_where_nothing_can_be_written_are_sentences(variables, tmp_path):
    done = run("--from", "yesterday", environment=variables)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("--from yesterday is no time; write 90m, 12h, 7d, 2026-11-24")
    done = run(str(tmp_path / "absent" / "page.html"), environment=variables)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr


# -- in a browser ---------------------------------------------------------------------


@pytest.fixture
async def browser():
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield chromium
        await chromium.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 375])
async def test_it_can_be_read_by_everybody(browser, tmp_path, scheme, width):
    (tmp_path / "page.html").write_text(write_page(fill(), BEGIN))
    looks = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    page = await browser.new_page(**looks, bypass_csp=True)  # for axe-core
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    await page.goto(f"file://{tmp_path}/page.html")
    assert len(fetched) == 1
    assert await page.evaluate("document.documentElement.scrollWidth") == width  # nothing sticks out
    if not AXE.exists():
        pytest.skip("axe-core is not in widget/node_modules: make widget")
    await page.add_script_tag(path=AXE)
    found = await page.evaluate("axe.run()")
    assert [violation["id"] for violation in found["violations"]] == []
    if TAKES_PICTURES and scheme == "light" and width == 1200:
        part = {"x": 0, "y": 0, "width": width, "height": 1250}
        await page.screenshot(path=PICTURE, clip=part, full_page=True)
