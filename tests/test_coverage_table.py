from tests.coverage_table import ROOT, TABLE, find_coverage, find_mistakes, write_table

TEST = """
@pytest.mark.covers("7.3 Picker", "7.2 options")
@pytest.mark.parametrize("x", [pytest.param(1, id="one", marks=pytest.mark.covers("7.3 Date")), 2])
async def test_something(x): ...
"""


def test_the_committed_table_is_up_to_date_and_every_row_has_a_test_or_a_reason():
    found = find_coverage(ROOT / "tests")
    assert find_mistakes(found) == []
    assert TABLE.read_text() == write_table(found), "run: python -m tests.coverage_table"


def test_marks_are_found_on_tests_and_on_parameters(tmp_path):
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_it.py").write_text(TEST)
    name = "tests/test_it.py::test_something"
    expected = {"7.3 Picker": [name], "7.2 options": [name], "7.3 Date": [f"{name}[one]"]}
    assert find_coverage(folder) == expected


def test_a_row_without_a_test_and_a_mark_without_a_row_are_mistakes():
    mistakes = find_mistakes({"7.3 Hologram": ["x"], "4 SWITCH": ["x"]})
    assert "no test and no reason: 7.3 Picker" in mistakes
    assert "no such row: 7.3 Hologram" in mistakes
    assert "a reason although there is a test: 4 SWITCH" in mistakes
