import io
import json

from rich.console import Console

from handoff.finding import failed, ok
from handoff.report import is_healthy, print_finding, write_json


def shown(finding):
    written = io.StringIO()
    print_finding(Console(file=written, width=40), finding)
    return written.getvalue()


def test_a_finding_is_one_line_however_long():
    assert shown(ok("ledger", "x " * 100)).count("\n") == 1


def test_advice_has_a_line_of_its_own():
    assert "→ Mend it." in shown(failed("ledger", "broken", "Mend it.")).splitlines()[1]


def test_what_others_wrote_is_not_taken_for_markup():
    assert "[bold]no[/bold]" in shown(failed("instance", "[bold]no[/bold]", "Look."))


def test_programs_get_one_object():
    told = json.loads(write_json([ok("ledger", "fine"), failed("clock", "late", "Set it.")]))
    assert told["ok"] is False
    assert told["findings"][1] == {
        "check": "clock",
        "verdict": "failed",
        "detail": "late",
        "advice": "Set it.",
    }


def test_one_failure_is_enough():
    assert is_healthy([ok("a", "")])
    assert not is_healthy([ok("a", ""), failed("b", "", "")])
