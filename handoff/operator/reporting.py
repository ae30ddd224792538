"""``report``: what happened in a period, as a page with plots, or as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handoff.operator.output import AsJson, print_json, write_count
from handoff.operator.session import with_ledger

if TYPE_CHECKING:
    from handoff.period import Period
    from handoff.tally import Tally

To = Annotated[Path, typer.Argument(metavar="FILE", help="Where the page is written.")]
From = Annotated[
    str | None,
    typer.Option("--from", help="A time, such as 2026-11-24 or 2026-11-24T08:00, or 90m, 12h, 7d ago."),
]
Until = Annotated[str | None, typer.Option("--to", help="The same; a day is included. Without it: now.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]
DEFAULT = Path("handoff-report.html")


def write_report(
    to: To = DEFAULT, begin: From = None, end: Until = None, force: Force = False, as_json: AsJson = False
) -> None:
    from handoff.handoff import utc_now

    tally = _count(begin, end)
    if as_json:
        print_json(tally.describe())
        return
    from handoff.operator.report_page import NOTHING, write_page

    _write(to, write_page(tally, utc_now()), force=force)
    typer.echo(f"{to}: {write_count(tally.handoffs, 'chat')}." if tally.handoffs else f"{to}: {NOTHING}")


def _count(begin: str | None, end: str | None) -> Tally:
    from zoneinfo import ZoneInfo

    from handoff.handoff import utc_now
    from handoff.period import read_period
    from handoff.settings.group import read_some
    from handoff.settings.times import TimeSettings
    from handoff.tally import count_period

    zone = ZoneInfo(read_some(TimeSettings).handoff_time_zone)
    period: Period = read_period(begin, end, zone, utc_now())
    return with_ledger(lambda ledger: count_period(ledger, period))


def _write(to: Path, page: str, *, force: bool) -> None:
    from handoff.errors import ReportFailed

    try:
        with to.open("w" if force else "x", encoding="utf-8") as file:
            file.write(page)
    except FileExistsError:
        raise ReportFailed(f"{to} is there already; name another file, or use --force.") from None
    except OSError as error:
        raise ReportFailed(f"The report cannot be written to {to}: {error.strerror}.") from error
