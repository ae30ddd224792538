from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from handoff.tables import Instant

DIALECT = sqlite.dialect()


def keep(moment):
    instant = Instant()
    return instant.process_result_value(instant.process_bind_param(moment, DIALECT), DIALECT)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_a_time_is_kept_to_the_microsecond(moment):
    assert keep(moment) == moment


def test_a_time_comes_back_in_utc():
    local = datetime(2026, 3, 1, 10, tzinfo=timezone(timedelta(hours=1)))
    assert keep(local) == local
    assert keep(local).tzinfo is UTC


def test_no_time_stays_none():
    assert keep(None) is None
