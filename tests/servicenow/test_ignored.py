from servicenow.ignored import KIND_LIMIT, OTHER, IgnoredItems


def test_kinds_are_counted_and_not_without_end():
    ignored = IgnoredItems()
    for number in range(KIND_LIMIT + 5):
        ignored.add(f"kind {number}")
    ignored.add("kind 0")
    ignored.add(None)
    assert (ignored.counts["kind 0"], ignored.counts[OTHER]) == (2, 6)
    assert len(ignored.counts) == KIND_LIMIT + 1
