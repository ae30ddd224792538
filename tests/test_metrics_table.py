from tests.metrics_table import DOCUMENT, parts, write_table


def test_the_document_lists_every_metric_as_it_is():
    _, table, _ = parts(DOCUMENT.read_text())
    assert table == write_table(), "run `python -m tests.metrics_table`"
