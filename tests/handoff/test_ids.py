import time
from uuid import RFC_4122, UUID

import pytest

from handoff.ids import make_id, make_timed_id


@pytest.mark.parametrize(("make", "version"), [(make_id, 4), (make_timed_id, 7)])
def test_they_are_uuids_that_differ(make, version):
    made = [make() for _ in range(1000)]
    assert len(set(made)) == 1000
    for each in made:
        parsed = UUID(each)
        assert (str(parsed), parsed.version, parsed.variant) == (each, version, RFC_4122)


def test_those_of_a_time_begin_with_it():
    before = time.time_ns() // 1_000_000
    moment = UUID(make_timed_id()).int >> 80
    assert before <= moment <= time.time_ns() // 1_000_000
