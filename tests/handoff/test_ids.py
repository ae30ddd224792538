from uuid import RFC_4122, UUID

from handoff.ids import make_id


def test_they_are_random_uuids():
    made = [make_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    for each in made:
        parsed = UUID(each)
        assert (str(parsed), parsed.version, parsed.variant) == (each, 4, RFC_4122)
