from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from handoff.tables import Instant

DIALECT = sqlite.dialect()


def keep(moment):
    instant = Instant()
    return instant.process_result_value(instant.process_bind_param(moment, DIALECT), DIALECT)


@example(datetime(2107, 1, 1, 0, 0, 0, 7, UTC))  # a float of seconds cannot hold it
@given(st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_a_time_is_kept_to_the_microsecond(moment):
    assert keep(moment) == moment


def test_a_time_comes_back_in_utc():
    local = datetime(2026, 3, 1, 10, tzinfo=timezone(timedelta(hours=1)))
    assert keep(local) == local
    assert keep(local).tzinfo is UTC


def test_no_time_stays_none():
    assert keep(None) is None


def test_a_time_that_does_not_say_where_is_refused():
    with pytest.raises(TypeError):
        keep(datetime(2026, 3, 1, 10))
