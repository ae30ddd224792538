"""What the dashboard shows: rows of panels, and the queries of each.

``python -m local.grafana`` makes ``deploy/grafana/handoff.json`` of it.
"""

from __future__ import annotations

from dataclasses import dataclass

EACH = "$__rate_interval"  # Grafana's own: never less than four scrapes
LEFT, LIMIT = "handoff_rate_limit_left", "handoff_rate_limit_limit"
OURS = '{job=~"$job",instance=~"$instance"}'


@dataclass(frozen=True)
class Panel:
    """``queries`` by their legend; what stands in braces of one is a label. ``unit`` is Grafana's."""

    title: str
    unit: str
    queries: dict[str, str]
    about: str = ""


@dataclass(frozen=True)
class Row:
    """Panels that belong together."""

    title: str
    panels: tuple[Panel, ...]


def _of(name: str, **labels: str) -> str:
    """A metric of the chosen processes."""
    more = "".join(f',{label}="{value}"' for label, value in labels.items())
    return name + OURS.replace("}", more + "}")


def _rate(name: str, by: str = "", **labels: str) -> str:
    return f"sum{_by(by)} (rate({_of(name, **labels)}[{EACH}]))"


def _increase(name: str, by: str = "", **labels: str) -> str:
    return f"sum{_by(by)} (increase({_of(name, **labels)}[{EACH}]))"


def _quantile(share: float, name: str, by: str = "", **labels: str) -> str:
    buckets = _rate(f"{name}_bucket", by=f"le,{by}" if by else "le", **labels)
    return f"histogram_quantile({share}, {buckets})"


def _ledger(name: str, by: str = "", **labels: str) -> str:
    """What every process says of the whole ledger."""
    return f"max{_by(by)} ({_of(name, **labels)})"


def _by(labels: str) -> str:
    return f" by ({labels})" if labels else ""


ROWS = (
    Row(
        "Now",
        (
            Panel(
                "Open handoffs",
                "short",
                {"{{state}}": _ledger("handoff_open", "state")},
                "In the whole ledger.",
            ),
            Panel(
                "Longest wait",
                "s",
                {"{{state}}": _ledger("handoff_open_oldest_seconds", "state", state="queued")},
                "Age of the oldest handoff in the queue.",
            ),
            Panel(
                "Messages that wait",
                "short",
                {"for {{waits_for}}": _ledger("handoff_messages_waiting", "waits_for")},
            ),
            Panel("Connected", "short", {"{{channel}}": f"sum by (channel) ({_of('handoff_sockets')})"}),
        ),
    ),
    Row(
        "Chats",
        (
            Panel(
                "Asked for and joined",
                "short",
                {
                    "asked for": _increase("handoff_requested_total"),
                    "joined": _increase("handoff_time_to_join_seconds_count"),
                    "waited in vain": _increase("handoff_wait_in_vain_seconds_count"),
                },
            ),
            Panel("Why chats ended", "short", {"{{reason}}": _increase("handoff_ended_total", "reason")}),
            Panel(
                "Time until somebody joined",
                "s",
                {
                    "half of them": _quantile(0.5, "handoff_time_to_join_seconds"),
                    "nine of ten": _quantile(0.9, "handoff_time_to_join_seconds"),
                },
            ),
            Panel(
                "Time until the first answer",
                "s",
                {
                    "half of them": _quantile(0.5, "handoff_time_to_first_answer_seconds"),
                    "nine of ten": _quantile(0.9, "handoff_time_to_first_answer_seconds"),
                },
            ),
        ),
    ),
    Row(
        "Messages",
        (
            Panel("Messages per second", "short", {"{{sender}}": _rate("handoff_messages_total", "sender")}),
            Panel(
                "From the requester to the desk",
                "s",
                {
                    "half of them": _quantile(0.5, "handoff_relay_to_desk_seconds"),
                    "99 of 100": _quantile(0.99, "handoff_relay_to_desk_seconds"),
                },
                "From taking it in until the desk had it, in a live chat.",
            ),
            Panel(
                "From the live agent to the requester",
                "s",
                {
                    "{{step}}, half of them": _quantile(0.5, "handoff_relay_to_requester_seconds", "step"),
                    "{{step}}, 99 of 100": _quantile(0.99, "handoff_relay_to_requester_seconds", "step"),
                },
                "Shown: pushed to the browser. Confirmed: the browser says that it shows it.",
            ),
            Panel(
                "Given up, repeated, tried again",
                "short",
                {
                    "not delivered, in doubt: {{doubt}}": _increase(
                        "handoff_messages_not_delivered_total", "doubt"
                    ),
                    "repetitions of {{sender}}": _increase("handoff_duplicates_total", "sender"),
                    "{{operation}} tried again": _increase("handoff_desk_retries_total", "operation"),
                },
            ),
        ),
    ),
    Row(
        "The desk",
        (
            Panel(
                "Requests to ServiceNow per second",
                "short",
                {
                    "{{outcome}}": _rate("handoff_desk_request_seconds_count", "outcome"),
                },
            ),
            Panel(
                "Time of a request",
                "s",
                {
                    "half of them": _quantile(0.5, "handoff_desk_request_seconds"),
                    "99 of 100": _quantile(0.99, "handoff_desk_request_seconds"),
                },
            ),
            Panel(
                "What the desk did not grant",
                "short",
                {
                    "{{operation}}: {{reason}}": _increase("handoff_desk_failures_total", "operation,reason"),
                },
            ),
            Panel(
                "Left of the rate limit",
                "percentunit",
                {
                    "{{api}}": f"min by (api) ({_of(LEFT)} / {_of(LIMIT)})",
                    "low: {{api}}": f"max by (api) ({_of('handoff_rate_limit_low')})",
                },
                "As far as each process knows. Low is 1 below a fifth, or in a pause after 429.",
            ),
            Panel(
                "Callbacks per second", "short", {"{{outcome}}": _rate("handoff_callbacks_total", "outcome")}
            ),
            Panel(
                "Items that nobody understands",
                "short",
                {
                    "{{kind}}": f"sum by (kind) ({_of('handoff_callbacks_ignored_total')})",
                },
                "Since the processes started, by type.",
            ),
        ),
    ),
    Row(
        "What should not be",
        (
            Panel(
                "Overdue, untold, dead",
                "short",
                {
                    "handoffs past their deadline": _ledger("handoff_overdue"),
                    "ends that nobody was told of": _ledger("handoff_exits_owed"),
                    "dead letters": _ledger("handoff_letters_waiting_dead"),
                },
            ),
            Panel(
                "Failures of the bot", "short", {"{{work}}": _increase("handoff_bot_failures_total", "work")}
            ),
            Panel(
                "Audits",
                "short",
                {
                    "{{verdict}}": _increase("handoff_audits_total", "verdict"),
                    "{{flaw}} {{direction}}": _increase("handoff_audit_differences_total", "flaw,direction"),
                },
            ),
            Panel(
                "Posts to clients' addresses",
                "short",
                {
                    "{{outcome}}": _increase("handoff_letters_total", "outcome"),
                },
            ),
        ),
    ),
    Row(
        "Processes",
        (
            Panel(
                "Up, and the ledger readable",
                "short",
                {
                    "up {{instance}}": _of("up"),
                    "ledger {{instance}}": _of("handoff_ledger_readable"),
                },
            ),
            Panel(
                "Processor",
                "percentunit",
                {"{{instance}}": f"rate({_of('process_cpu_seconds_total')}[{EACH}])"},
            ),
            Panel("Memory", "bytes", {"{{instance}}": _of("process_resident_memory_bytes")}),
            Panel(
                "Open files",
                "percentunit",
                {
                    "{{instance}}": f"{_of('process_open_fds')} / {_of('process_max_fds')}",
                },
                "Of those that the process may have; each socket is one.",
            ),
        ),
    ),
)
