"""The report as one HTML page that needs nothing else: no script, no address, nothing that names anybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from itertools import pairwise
from pathlib import Path

from handoff.operator.charts import Bar, draw_columns, draw_rows
from handoff.operator.handoffs import write_duration
from handoff.operator.output import write_count
from handoff.tally import RATINGS, STEPS, Sketch, Tally

REASONS = {
    "agent_ended": "The live agent ended the chat",
    "requester_ended": "The requester left",
    "requester_restarted": "The requester restarted",
    "nobody_available": "Nobody was available",
    "nobody_came": "Nobody came in time",
    "requester_idle": "The requester fell silent",
    "agent_idle": "The live agent fell silent",
    "desk_unreachable": "The desk could not be reached",
    "desk_error": "The desk failed or refused",
    "operator_closed": "An operator closed it",
}
PROBLEMS = {"desk_unreachable", "desk_error"}
UNITS = {"hour": "%d %b %H:%M", "day": "%d %b", "month": "%b %Y"}
WIDE_UNITS = {"hour": "%a %d %b %Y %H:%M", "day": "%a %d %b %Y", "month": "%B %Y"}
NOTHING = "No live agent was asked for in this period."

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = Path(__file__).with_name("report.css")

Rows = Sequence[Sequence[str | int]]


def write_page(tally: Tally, made_at: datetime) -> str:
    """A whole document; where nothing happened it says so, and draws nothing."""
    period = tally.period
    begin, end = (f"{period.localise(moment):%d %b %Y %H:%M}" for moment in (period.begin, period.end))
    body = "".join(_write_body(tally)) if tally.handoffs else f"<p>{NOTHING}</p>"
    title = f"Live chats, {begin} to {end}"
    about = (
        f"Times in {period.zone}. Chats count where they were asked for. "
        f"Made {period.localise(made_at):%d %b %Y %H:%M} by python -m handoff report."
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{escape(title)}</title><style>{STYLE.read_text('utf-8')}</style></head>"
        f"<body><main><h1>{escape(title)}</h1><p>{escape(about)}</p>{body}</main></body></html>\n"
    )


def _write_body(tally: Tally) -> Iterator[str]:
    yield _write_numbers(tally)
    yield _write_volume(tally)
    yield _write_hours(tally)
    yield _write_durations(
        "waits", "Until a live agent joined", "From the request, where one joined.", tally.waits
    )
    yield _write_durations(
        "answers",
        "Until the first answer",
        "From the request to a live agent's first words.",
        tally.first_answers,
    )
    yield _write_durations(
        "lasting", "How long the chats took", "From the joining to the end.", tally.durations
    )
    yield _write_durations(
        "given-up", "How long those waited whom nobody joined", "From the request to the end.", tally.given_up
    )
    yield _write_outcomes(tally)
    yield _write_ratings(tally)
    yield _write_channels(tally)


def _write_numbers(tally: Tally) -> str:
    share = f"{100 * tally.waits.count / tally.handoffs:.0f} %"
    cards = [
        ("Chats asked for", f"{tally.handoffs:,}"),
        ("A live agent joined", f"{tally.waits.count:,} <small>{share}</small>"),
        ("Wait, median", _write(tally.waits.percentile(0.5))),
        ("Wait, 9 of 10 within", _write(tally.waits.percentile(0.9))),
        ("First answer, median", _write(tally.first_answers.percentile(0.5))),
        ("Duration, median", _write(tally.durations.percentile(0.5))),
        ("Still open", f"{tally.still_open:,}"),
        ("Messages not delivered", f"{tally.undelivered:,}"),
        ("Dead letters", f"{tally.dead_letters:,}"),
    ]
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in cards) + "</dl>"


def _write_volume(tally: Tally) -> str:
    unit = tally.period.unit
    slots = tally.period.slots()
    local = [tally.period.localise(slot) for slot in slots]
    bars = [
        Bar(f"{at:{UNITS[unit]}}", tally.requested[slot], tally.joined[slot])
        for at, slot in zip(local, slots, strict=True)
    ]
    rows = [
        (f"{at:{WIDE_UNITS[unit]}}", bar.value, bar.strong or 0) for at, bar in zip(local, bars, strict=True)
    ]
    busiest = max(bars, key=lambda bar: bar.value)
    chats = write_count(tally.handoffs, "chat")
    told = f"{chats}; the most in one {unit}: {busiest.value}, on {busiest.label}."
    heading = f"Chats by {unit}"
    plot = draw_columns("volume", heading, told, bars)
    note = "Strong: a live agent joined. Pale: nobody did, or not yet."
    return _write_section(heading, note, plot, (unit.capitalize(), "Asked for", "Joined"), rows)


def _write_hours(tally: Tally) -> str:
    bars = [Bar(f"{hour:02}", tally.hours[hour]) for hour in range(24)]
    busiest = max(bars, key=lambda bar: bar.value)
    told = f"The most between {busiest.label}:00 and {busiest.label}:59: {busiest.value}."
    rows = [(f"{bar.label}:00", bar.value) for bar in bars]
    plot = draw_columns("hours", "Chats by hour of the day", told, bars)
    return _write_section("Chats by hour of the day", "All days together.", plot, ("Hour", "Asked for"), rows)


def _write_durations(name: str, heading: str, note: str, sketch: Sketch) -> str:
    if not sketch.count:
        return f"<section><h2>{heading}</h2><p>None in this period.</p></section>"
    limits = [_name_step(step) for step in STEPS]
    short = (*(limit.replace(" ", "").removesuffix("in") for limit in limits), "more")
    bars = [Bar(text, count) for text, count in zip(short, sketch.parts, strict=True)]
    words = [f"under {limits[0]}"] + [f"{less} to {more}" for less, more in pairwise(limits)]
    rows: list[tuple[str, str | int]] = [
        (text, count) for text, count in zip((*words, f"{limits[-1]} or more"), sketch.parts, strict=True)
    ]
    summary = [
        ("median", sketch.percentile(0.5)),
        ("9 of 10 within", sketch.percentile(0.9)),
        ("19 of 20 within", sketch.percentile(0.95)),
        ("longest", sketch.longest),
    ]
    known = ", ".join(f"{text} {_write(value)}" for text, value in summary)
    told = f"{write_count(sketch.count, 'chat')}; {known}."
    plot = draw_columns(name, heading, told, bars)
    rows += [(text.capitalize(), _write(value)) for text, value in summary]
    return _write_section(heading, f"{note} Below each column: less than.", plot, ("Time", "Chats"), rows)


def _write_outcomes(tally: Tally) -> str:
    found = tally.outcomes.most_common()
    bars = [Bar(REASONS.get(reason, reason), count, is_problem=reason in PROBLEMS) for reason, count in found]
    if not bars:
        return "<section><h2>How the chats ended</h2><p>None has ended yet.</p></section>"
    told = "; ".join(bar.words for bar in bars) + "."
    total = sum(tally.outcomes.values())
    rows = [(bar.label, bar.value, f"{100 * bar.value / total:.1f} %") for bar in bars]
    plot = draw_rows("outcomes", "How the chats ended", told, bars)
    note = "Red: the desk was at fault."
    return _write_section("How the chats ended", note, plot, ("Reason", "Chats", "Share"), rows)


def _write_ratings(tally: Tally) -> str:
    heading, count = "How the help was rated", sum(tally.ratings.values())
    if not count:
        return f"<section><h2>{heading}</h2><p>Nobody has rated it in this period.</p></section>"
    bars = [Bar(str(rating), tally.ratings[rating]) for rating in RATINGS]
    mean = sum(rating * tally.ratings[rating] for rating in RATINGS) / count
    told = f"{write_count(count, 'rating')}, on average {mean:.1f} of 5."
    rows: list[tuple[str, str | int]] = [(bar.label, bar.value) for bar in bars]
    plot = draw_columns("ratings", heading, told, bars)
    note = "By requesters whom a named live agent had joined, from 1 (poor) to 5 (great)."
    return _write_section(heading, note, plot, ("Rating", "Chats"), [*rows, ("Average", f"{mean:.1f}")])


def _write_channels(tally: Tally) -> str:
    bars = [Bar(name, count) for name, count in tally.channels.most_common()]
    plot = draw_rows("channels", "Chats by channel", "; ".join(bar.words for bar in bars) + ".", bars)
    rows = [(bar.label, bar.value) for bar in bars]
    return _write_section("Chats by channel", "Where they began.", plot, ("Channel", "Chats"), rows)


def _write_section(heading: str, note: str, plot: str, names: Sequence[str], rows: Rows) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    body = "".join(
        f'<tr><th scope="row">{escape(str(first))}</th>'
        + "".join(
            f"<td>{cell:,}</td>" if isinstance(cell, int) else f"<td>{escape(cell)}</td>" for cell in rest
        )
        + "</tr>"
        for first, *rest in rows
    )
    label = escape(f"{heading}, as a table")
    return (
        f'<section><h2>{escape(heading)}</h2><p>{escape(note)}</p><div class="both"><div>{plot}</div>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></div></section>"
    )


def _write(seconds: float | None) -> str:
    return "–" if seconds is None else write_duration(timedelta(seconds=round(seconds)))


def _name_step(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in ((3600, "h"), (60, "min"), (1, "s")) if seconds >= size)
    return f"{seconds // size} {unit}"
