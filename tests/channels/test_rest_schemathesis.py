"""Schemathesis reads `docs/openapi/rest.yml` and asks a running channel whatever that allows, and forbids.

Bounded and repeatable: Hypothesis draws the same requests at each run. Streams are asked for as polls, as
an endless answer has no end to be judged by; they have tests of their own in `test_rest_events.py`.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from tests.support.stage import play

PATH = Path(__file__).resolve().parents[2] / "docs" / "openapi" / "rest.yml"
TOKEN = "t0ken-of-a-system-that-is-long-enough"
REQUESTS = 60  # per operation and kind
bounded = settings(
    max_examples=REQUESTS,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

described = schemathesis.openapi.from_path(PATH)
# Random bytes are no file that is taken, which is no fault of theirs: test_rest_files.py sends real ones.
described = described.exclude(path_regex="/files$")
# Parameters that are not described are ignored, as HTTP servers do; so none are made up.
described.config.generation.update(allow_extra_parameters=False)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A real server in a thread of its own, as Schemathesis asks synchronously."""
    ready, stop = threading.Event(), threading.Event()
    found = []

    async def serve():
        folder = tmp_path_factory.mktemp("rest")
        async with play(folder, handoff_rest_token=TOKEN) as stage:
            found.append(stage.url)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    yield f"{found[0]}/webhooks/rest"
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


@described.parametrize()
@bounded
def test_every_answer_is_one_that_is_described(case, url):
    """What is allowed is taken, what is not is refused with a described answer, and nothing is a 5xx."""
    if case.path.endswith("/events"):
        case.query = {**case.query, "wait": shorten(case.query.get("wait", 0))}
    case.call_and_validate(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20)


def shorten(wait):
    """What is a number of seconds, so that nobody waits for news that never come."""
    return min(wait, 0.01) if isinstance(wait, int | float) and not isinstance(wait, bool) else wait
