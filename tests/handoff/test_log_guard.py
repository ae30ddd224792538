"""What is logged is one line without secrets and personal data, whoever logs it, however it is rendered."""

import io
import json
import logging

import pytest
import structlog

from handoff.log_guard import LogGuard, find_secrets, guard, guard_logs
from handoff.masking import ALL
from handoff.settings import read_settings

KNOWN = {"servicenow_url": "https://example.service-now.com", "servicenow_auth": "none"}


@pytest.fixture
def make_settings():
    def make(**more):
        return read_settings(**KNOWN | {"servicenow_callback_secret": "hush-hush-hush"} | more)

    return make


@pytest.fixture
def log(make_settings):
    """A structlog as Rasa sets it up in a terminal, and what it has written."""
    written = io.StringIO()
    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.dev.ConsoleRenderer(colors=False)],
        logger_factory=structlog.PrintLoggerFactory(written),
        cache_logger_on_first_use=True,
    )
    used = structlog.get_logger()
    used.info("before")
    guard_logs(make_settings())
    yield used, written
    guard.set_up((), ())
    structlog.configure(**before)


def test_secrets_of_the_settings_are_hidden_wherever_they_stand(log):
    logger, written = log
    logger.warning(
        "desk.failed", reason="the instance said: hush-hush-hush is wrong", more={"a": ["hush-hush-hush"]}
    )
    logger.warning("hush-hush-hush")
    assert "hush" not in written.getvalue()
    assert written.getvalue().count("[secret]") == 3


def test_personal_data_are_masked_also_in_what_is_only_shown_as_text(log):
    logger, written = log
    logger.info("said", text="I am sam@example.com", given=ValueError("call +41 79 123 45 67"))
    assert "[email]" in written.getvalue()
    assert "[phone]" in written.getvalue()
    assert "sam@" not in written.getvalue()


@pytest.mark.parametrize("breaking", ["\n", "\r\n", "\x1b[2K\r", "\\n", "\u2028", "\x85"])
def test_what_somebody_wrote_cannot_begin_a_line_of_its_own(log, breaking):
    """Rasa's renderer for terminals makes a line break of a backslash and an n."""
    logger, written = log
    logger.warning("refused", sender=f"sam{breaking}2026-11-24 [info] all is well")
    lines = written.getvalue().split("before", 1)[1].replace("\\n", "\n").splitlines()
    assert len([line for line in lines if line.strip()]) == 1
    assert "\x1b[2K" not in written.getvalue()


def test_a_traceback_keeps_its_lines_and_loses_its_secrets(log):
    logger, written = log
    try:
        raise ValueError("sam@example.com has hush-hush-hush")
    except ValueError:
        logger.exception("failed")
    shown = written.getvalue()
    assert "Traceback" in shown
    assert "ValueError: [email] has [secret]" in shown


def test_a_rendered_log_stays_json():
    guarding = LogGuard()
    guarding.set_up(ALL, {"hush-hush-hush"})
    event = {"event": "x", "n": 1, "none": None, "list": ["sam@example.com"], "when": 1772355600123457}
    shown = json.loads(json.dumps(guarding(None, "info", dict(event))))
    assert shown == {**event, "list": ["[email]"]}


def test_the_standard_librarys_handlers_are_guarded_too(make_settings):
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logger = logging.getLogger("tests.guarded")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        guard_logs(make_settings())
        guard_logs(make_settings())
        logger.error("POST /callback?secret=%s from %s", "hush-hush-hush", "sam@example.com")
        try:
            raise KeyError("sam@example.com")
        except KeyError:
            logger.exception("failed")
    finally:
        logger.removeHandler(handler)
        guard.set_up((), ())
    assert "sam@" not in written.getvalue()
    assert "POST /callback?secret=[secret] from [email]" in written.getvalue()
    assert "KeyError" in written.getvalue()
    assert handler.filters.count(guard) == 1


def test_masking_can_be_switched_off_and_secrets_are_hidden_all_the_same(log, make_settings):
    logger, written = log
    guard_logs(make_settings(handoff_mask="none"))
    logger.info("said", text="sam@example.com and hush-hush-hush")
    assert "sam@example.com and [secret]" in written.getvalue()


def test_only_some_kinds_can_be_masked(log, make_settings):
    logger, written = log
    guard_logs(make_settings(handoff_mask="phone, card"))
    logger.info("said", text="sam@example.com, +41 79 123 45 67")
    assert "sam@example.com, [phone]" in written.getvalue()


def test_every_secret_is_known_to_it(make_settings):
    url = "postgresql://handoff:data-base-password@127.0.0.1/handoff"
    found = find_secrets(make_settings(handoff_rest_token="t" * 40, handoff_database_url=url))
    assert found == {"hush-hush-hush", "t" * 40, "data-base-password"}
