"""Encoded queries: `field=value^fieldLIKEpart^ORfield=value^ORDERBYDESCfield` (TABLE page)."""

import re
from collections.abc import Callable

from simulator.incidents import Record

_CONDITION = re.compile(
    r"(?P<field>[a-z_.]+)(?P<operator>=|!=|<=|>=|<|>|LIKE|STARTSWITH|ISEMPTY|ISNOTEMPTY|IN)(?P<value>.*)",
    re.DOTALL,
)
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda stored, asked: stored.lower() == asked.lower(),
    "!=": lambda stored, asked: stored.lower() != asked.lower(),
    "<": lambda stored, asked: stored < asked,
    "<=": lambda stored, asked: stored <= asked,
    ">": lambda stored, asked: stored > asked,
    ">=": lambda stored, asked: stored >= asked,
    "LIKE": lambda stored, asked: asked.lower() in stored.lower(),
    "STARTSWITH": lambda stored, asked: stored.lower().startswith(asked.lower()),
    "IN": lambda stored, asked: stored in asked.split(","),
    "ISEMPTY": lambda stored, asked: stored == "",
    "ISNOTEMPTY": lambda stored, asked: stored != "",
}


ValueOf = Callable[[Record, str], str | None]


def select(records: list[Record], query: str, value_of: ValueOf) -> list[Record]:
    """Return the records an encoded query finds, in its order (else in that of creation).

    `value_of` returns a field's value, dot-walked ones included, None if there is no such field. A condition
    that is not understood, or asks for an unknown field, is ignored. A real instance does the same unless
    `glide.invalid_query.returns_no_rows` is set (unverified).
    """
    groups: list[list[str]] = []
    orders: list[tuple[str, bool]] = []
    for part in filter(None, query.split("^")):
        if part.startswith("ORDERBY"):
            descending = part.startswith("ORDERBYDESC")
            orders.append((part.removeprefix("ORDERBYDESC" if descending else "ORDERBY"), descending))
        elif part.startswith("OR") and groups:
            groups[-1].append(part[2:])
        else:
            groups.append([part])
    found = [record for record in records if all(_any(record, group, value_of) for group in groups)]
    for field, descending in reversed(orders):
        found.sort(key=lambda record: value_of(record, field) or "", reverse=descending)
    return found


def _any(record: Record, conditions: list[str], value_of: ValueOf) -> bool:
    answers = [_holds(record, condition, value_of) for condition in conditions]
    known = [answer for answer in answers if answer is not None]
    return any(known) or not known


def _holds(record: Record, condition: str, value_of: ValueOf) -> bool | None:
    match = _CONDITION.fullmatch(condition)
    stored = value_of(record, match["field"]) if match else None
    if match is None or stored is None:
        return None
    return _OPERATORS[match["operator"]](stored, match["value"])
