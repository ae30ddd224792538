import json
from datetime import date
from importlib.util import find_spec
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from handoff.errors import SettingsError
from handoff.hours import OpeningHours, parse_hours
from handoff.settings import (
    NEEDED_BY_AUTH,
    Auth,
    Desk,
    SessionIds,
    Start,
    read_settings,
    read_webhook_key,
)

SECRET = "sEcReT-vAlUe"
WHOLE = {
    "SERVICENOW_URL": "https://example.service-now.com",
    "SERVICENOW_USER": "integration",
    "SERVICENOW_PASSWORD": SECRET,
    "SERVICENOW_CALLBACK_SECRET": SECRET,
}
SECRETS = [
    "SERVICENOW_PASSWORD",
    "SERVICENOW_CLIENT_SECRET",
    "SERVICENOW_TOKEN",
    "SERVICENOW_SIGNING_SECRET",
    "SERVICENOW_CALLBACK_SECRET",
    "SERVICENOW_CALLBACK_PASSWORD",
    "HANDOFF_WEBCHAT_JWT_KEY",
    "HANDOFF_REST_TOKEN",
    "HANDOFF_REST_JWT_KEY",
    "HANDOFF_FILE_KEY",
]


@pytest.fixture
def read(monkeypatch):
    """Read the settings with these changes to a whole environment; None takes a variable away."""

    def read_with(**changes):
        for name, value in {**WHOLE, **changes}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        return read_settings()

    return read_with


@pytest.fixture
def problems(read):
    def refused(**changes):
        with pytest.raises(SettingsError) as error:
            read(**changes)
        assert SECRET not in str(error.value)
        return error.value.problems

    return refused


def test_the_few_that_are_needed_are_enough(read):
    settings = read()
    assert settings.servicenow_auth is Auth.BASIC
    assert settings.servicenow_start is Start.CREATE_START
    assert settings.handoff_database_url == "sqlite+aiosqlite:///var/handoff.db"
    assert settings.handoff_webchat_session_ids is SessionIds.UNGUESSABLE


def test_an_empty_variable_counts_as_unset(read, problems):
    assert read(SERVICENOW_APP_INBOUND_ID="").servicenow_app_inbound_id is None
    assert problems(SERVICENOW_PASSWORD="")


def test_a_dot_env_file_is_read_and_the_environment_wins(read, tmp_path):
    (tmp_path / ".env").write_text("SERVICENOW_APP_INBOUND_ID=from-file\nSERVICENOW_USER=from-file\n")
    settings = read()
    assert settings.servicenow_app_inbound_id == "from-file"
    assert settings.servicenow_user == "integration"


def test_overrides_win_over_the_environment(read):
    read()
    assert read_settings(servicenow_user="other").servicenow_user == "other"


def test_settings_do_not_change(read):
    with pytest.raises(ValueError, match="frozen"):
        read().servicenow_url = "https://other.example"


# -- missing and wrong ------------------------------------------------------------------


def test_without_any_setting_the_first_sentence_names_what_is_missing():
    with pytest.raises(SettingsError) as error:
        read_settings()
    assert error.value.problems == ("SERVICENOW_URL is not set.",)


def test_every_wrong_value_gets_its_own_sentence(problems):
    assert len(problems(SERVICENOW_AUTH="ldap", SERVICENOW_START="later", HANDOFF_ENDING_TIMEOUT="-1")) == 3


DURATIONS = [
    "SERVICENOW_REQUEST_TIMEOUT",
    "HANDOFF_REQUESTED_TIMEOUT",
    "HANDOFF_QUEUED_TIMEOUT",
    "HANDOFF_ENDING_TIMEOUT",
    "HANDOFF_DELIVERY_DEADLINE",
    "HANDOFF_POLL_INTERVAL",
    "HANDOFF_POLL_IDLE_INTERVAL",
]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SERVICENOW_AUTH", "kerberos"),
        ("SERVICENOW_START", "sometimes"),
        ("HANDOFF_WEBCHAT_SESSION_IDS", "sequential"),
        ("HANDOFF_MESSAGE_LIMIT", "0"),
        ("HANDOFF_MESSAGE_LIMIT", "many"),
        ("HANDOFF_MASK", "names"),
        ("HANDOFF_MASK", "email, none"),
        ("HANDOFF_MASK_IN", "ledger"),
        ("HANDOFF_SENDER_LIMIT", "-1"),
        ("HANDOFF_SENDER_LIMIT", "1.5"),
        ("HANDOFF_SOCKET_LIMIT", "-1"),
        ("HANDOFF_MESSAGE_LIMIT", "1.5"),
        *[(name, value) for name in DURATIONS for value in ("0", "-1", "soon", "inf", "nan", "1e300")],
    ],
)
def test_a_wrong_value_is_refused_by_its_name(problems, name, value):
    (problem,) = problems(**{name: value})
    assert problem.startswith(f"{name} ")
    assert problem.endswith(".")
    assert value not in problem or value == "0"


@pytest.mark.parametrize("name", DURATIONS)
def test_durations_are_seconds_with_fractions(read, name):
    assert getattr(read(**{name: "0.25"}), name.lower()) == 0.25


# -- the instance's address -------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://example.service-now.com",
        "https://example.service-now.com:8443",
        "https://proxy.example/servicenow",
        "HTTPS://EXAMPLE.service-now.com",
        "http://127.0.0.1:8081",
        "http://localhost:8081",
        "http://localhost",
        "http://[::1]:8081",
    ],
)
def test_tls_or_loopback_is_accepted(read, url):
    assert read(SERVICENOW_URL=url).servicenow_url == url


def test_slashes_and_spaces_around_it_are_left_out(read):
    read_url = read(SERVICENOW_URL=" https://example.service-now.com// ").servicenow_url
    assert read_url == WHOLE["SERVICENOW_URL"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.service-now.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "http://10.0.0.5",
        "ftp://example.service-now.com",
        "example.service-now.com",
        "https://",
        "https:///path",
        "https://[::1",
        f"https://user:{SECRET}@example.service-now.com",
        "https://example.service-now.com?tenant=1",
        "https://example.service-now.com#top",
        "https://example .service-now.com",
    ],
)
def test_an_address_to_which_secrets_must_not_travel_is_refused(problems, url):
    (problem,) = problems(SERVICENOW_URL=url)
    assert problem.startswith("SERVICENOW_URL ")
    assert SECRET not in problem


# -- the database -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///var/x.db", "sqlite+aiosqlite:///var/x.db"),
        ("sqlite:////srv/x.db", "sqlite+aiosqlite:////srv/x.db"),
        ("sqlite+aiosqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("postgresql://db/handoff", "postgresql+asyncpg://db/handoff"),
        ("postgres://u:p@db:5433/handoff", "postgresql+asyncpg://u:p@db:5433/handoff"),
        ("postgresql+asyncpg://db/handoff", "postgresql+asyncpg://db/handoff"),
        ("postgresql://u@/handoff?host=/run/pg", "postgresql+asyncpg://u@/handoff?host=/run/pg"),
    ],
)
def test_common_database_urls_get_their_async_driver(read, given, used):
    assert read(HANDOFF_DATABASE_URL=given).handoff_database_url == used


@pytest.mark.parametrize(
    "url",
    [
        "handoff.db",
        "mysql://db/handoff",
        "sqlite+pysqlite:///x.db",
        "postgresql://db",
        "postgresql:///handoff",
        "postgresql+psycopg2://db/handoff",
        "postgresql://db:many/handoff",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        f"oracle://u:{SECRET}@db/handoff",
    ],
)
def test_a_database_that_cannot_be_used_is_refused(problems, url):
    (problem,) = problems(HANDOFF_DATABASE_URL=url)
    assert problem.startswith("HANDOFF_DATABASE_URL ")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/0", f"rediss://:{SECRET}@cache.example.com"])
def test_the_address_of_redis_is_kept_secret(read, url):
    settings = read(HANDOFF_REDIS_URL=url)
    assert settings.handoff_redis_url.get_secret_value() == url
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "http://cache", "redis://", f"redis://:{SECRET}@cache:x"])
def test_an_address_that_is_not_redis_is_refused(problems, url):
    (problem,) = problems(HANDOFF_REDIS_URL=url)
    assert problem.startswith("HANDOFF_REDIS_URL ")


# -- who we are, and who may call back --------------------------------------------------


@pytest.mark.parametrize("auth", Auth)
def test_each_kind_of_authentication_names_all_that_it_lacks(monkeypatch, auth):
    monkeypatch.setenv("SERVICENOW_URL", WHOLE["SERVICENOW_URL"])
    monkeypatch.setenv("SERVICENOW_CALLBACK_SECRET", SECRET)
    monkeypatch.setenv("SERVICENOW_AUTH", auth)
    needed = [name.upper() for name in NEEDED_BY_AUTH[auth]]
    if not needed:
        read_settings()
        return
    with pytest.raises(SettingsError) as error:
        read_settings()
    expected = [f"{name} is not set, but SERVICENOW_AUTH={auth} needs it." for name in needed]
    assert list(error.value.problems) == expected
    for name in needed:
        monkeypatch.setenv(name, "given")
    assert read_settings().servicenow_auth is auth


def test_a_user_name_that_basic_cannot_carry_is_refused(problems, read):
    assert problems(SERVICENOW_USER="a:b")[0].startswith("SERVICENOW_USER ")
    fine = read(
        SERVICENOW_USER="a:b",
        SERVICENOW_AUTH="oauth_password",
        SERVICENOW_CLIENT_ID="i",
        SERVICENOW_CLIENT_SECRET="s",
    )
    assert fine.servicenow_user == "a:b"


@pytest.mark.parametrize("token", [SECRET + "\n", f"{SECRET} {SECRET}", SECRET + "\x1b"])
def test_a_token_that_no_header_can_carry_is_refused(problems, token):
    (problem,) = problems(SERVICENOW_TOKEN=token)
    assert problem.startswith("SERVICENOW_TOKEN ")


def test_callbacks_must_be_authenticated(problems):
    (problem,) = problems(SERVICENOW_CALLBACK_SECRET=None)
    assert "SERVICENOW_CALLBACK_SECRET" in problem
    assert "SERVICENOW_CALLBACK_USER" in problem


def test_a_callback_user_and_password_will_do(read):
    settings = read(
        SERVICENOW_CALLBACK_SECRET=None,
        SERVICENOW_CALLBACK_USER="servicenow",
        SERVICENOW_CALLBACK_PASSWORD=SECRET,
    )
    assert settings.servicenow_callback_password.get_secret_value() == SECRET


@pytest.mark.parametrize(
    "half", [{"SERVICENOW_CALLBACK_USER": "u"}, {"SERVICENOW_CALLBACK_PASSWORD": SECRET}]
)
@pytest.mark.parametrize("secret", [None, SECRET])
def test_half_a_callback_login_is_refused(problems, half, secret):
    (problem,) = problems(SERVICENOW_CALLBACK_SECRET=secret, **half)
    assert "SERVICENOW_CALLBACK_USER and SERVICENOW_CALLBACK_PASSWORD go together" in problem


def test_problems_of_both_directions_are_told_together(problems):
    assert len(problems(SERVICENOW_PASSWORD=None, SERVICENOW_CALLBACK_SECRET=None)) == 2


def test_a_short_key_for_web_chat_tokens_is_refused(problems, read):
    (problem,) = problems(HANDOFF_WEBCHAT_JWT_KEY=SECRET)
    assert problem == "HANDOFF_WEBCHAT_JWT_KEY must have at least 32 bytes."
    assert read(HANDOFF_WEBCHAT_JWT_KEY="ä" * 16).handoff_webchat_jwt_key is not None


# -- which desk -------------------------------------------------------------------------

QUEUE = "0123456789abcdef0123456789ABCDEF"


def test_the_desk_is_the_current_interface_unless_told_otherwise(read):
    assert read().servicenow_desk is Desk.BOT_INTEGRATION


def test_connect_support_needs_a_queue_and_no_callbacks(read, problems):
    (problem,) = problems(SERVICENOW_DESK="connect_support")
    assert problem.startswith("SERVICENOW_QUEUE is not set, but SERVICENOW_DESK=connect_support needs it")
    settings = read(
        SERVICENOW_DESK="connect_support", SERVICENOW_QUEUE=QUEUE, SERVICENOW_CALLBACK_SECRET=None
    )
    assert (settings.servicenow_desk, settings.servicenow_queue) == (Desk.CONNECT_SUPPORT, QUEUE)


@pytest.mark.parametrize("queue", ["IT Service Desk", "../users", QUEUE + "0", QUEUE[:-1]])
def test_a_queue_that_is_no_sys_id_is_refused(problems, queue):
    (problem,) = problems(SERVICENOW_DESK="connect_support", SERVICENOW_QUEUE=queue)
    assert problem == "SERVICENOW_QUEUE must be the queue's sys_id, 32 hexadecimal digits."


# -- secrets ----------------------------------------------------------------------------


def test_no_secret_is_ever_printed(read):
    secrets = dict.fromkeys(SECRETS, SECRET * 4)
    settings = read(
        **secrets,
        SERVICENOW_CALLBACK_USER="servicenow",
    )
    for shown in (repr(settings), str(settings)):
        assert SECRET not in shown


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_is_typed_as_one(read, name):
    login = {"SERVICENOW_CALLBACK_USER": "u", "SERVICENOW_CALLBACK_PASSWORD": SECRET}
    settings = read(**{**login, name: SECRET * 4})
    assert isinstance(getattr(settings, name.lower()), SecretStr)


def test_no_secret_stands_in_an_error(problems):
    found = problems(**dict.fromkeys(SECRETS, SECRET), SERVICENOW_URL="nowhere", SERVICENOW_AUTH=SECRET)
    assert found
    assert all(SECRET not in problem for problem in found)


def test_an_error_does_not_drag_the_values_along(read):
    with pytest.raises(SettingsError) as error:
        read(SERVICENOW_URL=f"https://u:{SECRET}@example.com")
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


# -- opening hours ----------------------------------------------------------------------


def test_without_opening_hours_live_agents_are_always_there(read):
    assert read().opening_hours == OpeningHours(zone=ZoneInfo("UTC"))


def test_opening_hours_are_read(read):
    hours = read(
        HANDOFF_OPENING_HOURS="mon-fri 08:00-18:00",
        HANDOFF_TIME_ZONE="Europe/Zurich",
        HANDOFF_HOLIDAYS="2026-12-25",
    ).opening_hours
    assert str(hours.zone) == "Europe/Zurich"
    assert hours.ranges == parse_hours("mon-fri 08:00-18:00")
    assert hours.holidays == {date(2026, 12, 25)}


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("HANDOFF_OPENING_HOURS", "9 to 5", "mon-fri 08:00-18:00"),
        ("HANDOFF_TIME_ZONE", "Mars/Olympus", "Europe/Zurich"),
        ("HANDOFF_TIME_ZONE", "../etc/passwd", "Europe/Zurich"),
        ("HANDOFF_HOLIDAYS", "Christmas", "2026-12-25"),
    ],
)
def test_opening_hours_are_checked_at_start(problems, name, value, word):
    (problem,) = problems(**{name: value})
    assert problem.startswith(name)
    assert word in problem


# -- context variables ------------------------------------------------------------------


def test_context_variables_are_texts_by_name(read):
    assert read().servicenow_context_variables == {}
    given = '{"LiveAgent_queue": "IT", "language": "de"}'
    read_back = read(SERVICENOW_CONTEXT_VARIABLES=given).servicenow_context_variables
    assert read_back == {"LiveAgent_queue": "IT", "language": "de"}


@pytest.mark.parametrize("wrong", ["LiveAgent_queue=IT", "[1]", '{"a": 1}', '{"a": {"b": "c"}}'])
def test_other_context_variables_are_refused(problems, wrong):
    (problem,) = problems(SERVICENOW_CONTEXT_VARIABLES=wrong)
    assert problem.startswith("SERVICENOW_CONTEXT_VARIABLES must be a JSON object")


# -- the REST channel ---------------------------------------------------------------------

WEBHOOK_SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.mark.parametrize("token", ["short", "a" * 40 + " b", "ä" * 40])
def test_a_rest_token_is_long_and_fits_a_header(problems, token):
    (problem,) = problems(HANDOFF_REST_TOKEN=token)
    assert problem == "HANDOFF_REST_TOKEN must have at least 32 printable ASCII characters and no spaces."


def test_a_trusted_network_and_a_token_contradict_each_other(problems):
    (problem,) = problems(HANDOFF_REST_TRUSTED_NETWORK="true", HANDOFF_REST_TOKEN="t" * 32)
    assert "HANDOFF_REST_TRUSTED_NETWORK" in problem


@pytest.mark.parametrize(
    "secret", ["secret", "whsec_", "whsec_c2hvcnQ=", "whsec_!", f"{WEBHOOK_SECRET} other"]
)
def test_a_webhook_secret_is_one_of_the_specification(problems, secret):
    (problem,) = problems(HANDOFF_REST_WEBHOOK_SECRET=secret)
    assert problem == "HANDOFF_REST_WEBHOOK_SECRET must be whsec_ followed by 24 to 64 bytes in base64."


def test_webhook_secrets_may_be_several_and_are_not_shown(read):
    settings = read(HANDOFF_REST_WEBHOOK_SECRET=f"{WEBHOOK_SECRET} {WEBHOOK_SECRET}")
    assert WEBHOOK_SECRET not in repr(settings)
    assert read_webhook_key(WEBHOOK_SECRET) == b"01234567890123456789012345678901"


# -- files --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "what"),
    [
        ("HANDOFF_FILES_URL", "nosuch://bucket/folder", "must be a folder, or a URL of fsspec"),
        ("HANDOFF_FILES_URL", "memory://", "must name a folder of its own"),
        ("HANDOFF_FILES_URL", "/", "must name a folder of its own"),
        ("HANDOFF_FILE_TYPES", "image/png, everything", "'everything' is none"),
        ("HANDOFF_FILE_LIMIT", "0", "greater than 0"),
        ("HANDOFF_FILE_KEY", "short", "must have at least 32 bytes"),
        ("SERVICENOW_FILES", "email", "signed_url"),
        ("SERVICENOW_PROVIDER_APPLICATION_ID", "x/y", "must be the provider application's sys_id"),
    ],
)
def test_a_setting_of_files_that_makes_no_sense_is_refused(problems, variable, value, what):
    [problem] = problems(**{variable: value})
    assert problem.startswith(variable)
    assert what in problem


@pytest.mark.skipif(find_spec("gcsfs") is not None, reason="gcsfs is installed")
def test_a_store_whose_package_is_absent_says_which(problems):
    [problem] = problems(HANDOFF_FILES_URL="gs://bucket/folder")
    assert "gcsfs" in problem


def test_types_are_read_from_a_list(read):
    settings = read(HANDOFF_FILE_TYPES="image/png, Application/PDF ,text/plain")
    assert settings.handoff_file_types == ("image/png", "application/pdf", "text/plain")


# -- who is there ------------------------------------------------------------------------

AVAILABLE = {name.lower(): value for name, value in WHOLE.items()}


def test_looking_who_is_there_is_off_unless_it_is_switched_on():
    assert not read_settings(**AVAILABLE).servicenow_availability


def test_looking_who_is_there_needs_something_to_look_at():
    with pytest.raises(SettingsError, match="SERVICENOW_AVAILABILITY_QUEUE"):
        read_settings(**AVAILABLE, servicenow_availability=True)
    known = {**AVAILABLE, "servicenow_desk": "connect_support", "servicenow_queue": "0" * 32}
    assert read_settings(**known, servicenow_availability=True).servicenow_availability


def test_what_is_named_and_never_looked_at_is_a_mistake():
    with pytest.raises(SettingsError, match="SERVICENOW_AVAILABILITY=true"):
        read_settings(**AVAILABLE, servicenow_availability_queue="IT")


def test_a_queue_that_would_break_a_query_is_refused():
    with pytest.raises(SettingsError, match="SERVICENOW_AVAILABILITY_QUEUE"):
        read_settings(**AVAILABLE, servicenow_availability=True, servicenow_availability_queue="IT^ORname=HR")


def test_a_history_as_a_message_is_for_older_applications():
    with pytest.raises(SettingsError, match="SERVICENOW_START"):
        read_settings(**AVAILABLE, servicenow_history="message")
    older = {**AVAILABLE, "servicenow_start": "live_agent_only", "servicenow_history": "message"}
    assert read_settings(**older).servicenow_history == "message"


# -- the instance's own words ------------------------------------------------------------


def test_an_instances_words_are_json_or_a_file_with_it(tmp_path, read):
    words = {"nobody": "keine Agenten"}
    assert read(SERVICENOW_TEXT_PATTERNS=json.dumps(words)).servicenow_text_patterns == words
    (tmp_path / "words.json").write_text(json.dumps(words), "utf-8")
    assert read(SERVICENOW_TEXT_PATTERNS=f"{tmp_path}/words.json").servicenow_text_patterns == words


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("{not JSON", "not JSON"),
        ("/no/such/file", "cannot be read"),
        ('{"greeting": "Hallo"}', "no 'greeting'"),
        ('{"nobody": "("}', "no regular expression for 'nobody'"),
        ('{"closed": ".*"}', "every text matches"),
        ('{"entered": "ist da"}', r"\?P<name>"),
        ("[1]", "SERVICENOW_TEXT_PATTERNS"),
    ],
)
def test_words_that_cannot_be_used_are_explained(words, problem):
    with pytest.raises(SettingsError, match=problem):
        read_settings(**AVAILABLE, servicenow_text_patterns=words)
