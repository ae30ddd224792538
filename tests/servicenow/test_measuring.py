import pytest

from handoff.observation import Observation
from servicenow.budget import Budget
from servicenow.measuring import name_api, name_outcome, watch_budgets
from tests.support.scraping import Page

API = "/api/sn_va_as_service/bot/integration"


@pytest.mark.parametrize(
    ("path", "api"),
    [
        (API, API),
        ("/api/now/v1/cs/media", "/api/now/v1/cs/media"),
        ("/api/now/connect/support/sessions/9b1ab2c4db/leave", "/api/now/connect/support/sessions"),
        ("/api/now/connect/support/queues/f00dbabe/sessions", "/api/now/connect/support/queues"),
        ("/api/now/table/incident", "/api/now/table/incident"),
    ],
)
def test_an_api_is_named_without_ids(path, api):
    assert name_api(path) == api


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "ok"), (201, "ok"), (302, "unavailable"), (403, "rejected"), (429, "busy"), (503, "unavailable")],
)
def test_an_outcome_is_one_word(status, outcome):
    assert name_outcome(status) == outcome


def test_what_the_rate_limit_leaves_is_shown_once_the_instance_has_named_it():
    metrics, budget = Observation(), Budget(API, now=lambda: 1000.0)
    unwatch = watch_budgets(metrics.measures, {API: budget})

    def read(name):
        return Page(metrics.page.print().decode()).read(name, api=API)

    assert read("handoff_rate_limit_left") is None
    assert read("handoff_rate_limit_low") == 0
    for _ in range(9):
        budget.note(200, {"X-RateLimit-Limit": "10", "X-RateLimit-Reset": "2000"})
    assert read("handoff_rate_limit_limit") == 10
    assert read("handoff_rate_limit_left") == 1
    assert read("handoff_rate_limit_low") == 1
    for end in unwatch:
        end()
    assert read("handoff_rate_limit_left") is None


def test_a_pause_after_too_many_requests_counts_as_low():
    metrics, budget = Observation(), Budget(API, now=lambda: 1000.0)
    watch_budgets(metrics.measures, {API: budget})
    budget.note(429, {"Retry-After": "30"})
    assert Page(metrics.page.print().decode()).read("handoff_rate_limit_low", api=API) == 1
