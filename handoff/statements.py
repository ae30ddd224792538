"""Statements of the hot path: put together and compiled once, and run without SQLAlchemy's machinery.

SQLAlchemy takes about 100 µs to bind, run and wrap a statement that SQLite runs in five, and a
diverted message needs a dozen. So what every message needs is compiled once per dialect to its text,
and its values are bound and read here, by the same types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Executable, Integer, Select, bindparam, false, or_
from sqlalchemy.sql.compiler import SQLCompiler

Row = tuple[Any, ...]
PLACE = "place"
NUMBERED = re.compile(r"\$(\d+)")  # PostgreSQL's parameters
Convert = Callable[[Any], Any]
Bound = tuple[str, Convert | None]  # a parameter's name, and how it is bound
Place = tuple[str | None, Convert | None, Any]  # the same; or a fixed value


class Compiled:
    """One statement in one dialect: its text, and how values go in and come out, by place."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled: SQLCompiler = statement.compile(dialect=dialect)
        self.text = compiled.string
        if "[POSTCOMPILE" in self.text:
            raise ValueError(f"Only known when it is run: {self.text}")
        binders = compiled._bind_processors
        places: list[Place] = []
        for name in compiled.positiontup or ():
            bind, convert = compiled.binds[name], binders.get(name)
            if bind.required:
                places.append((name, convert, None))  # type: ignore[arg-type]
            else:
                fixed = bind.effective_value
                places.append((None, None, convert(fixed) if convert else _plain(fixed)))  # type: ignore[operator]
        self.text, bound = _write_out(self.text, places, dialect)
        self._pick = _make_picker([name for name, _ in bound])
        self._binders = tuple((place, convert) for place, (_, convert) in enumerate(bound) if convert)
        self._readers = _find_readers(compiled, dialect)

    def bind(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the text's marks."""
        bound = list(self._pick(values))
        for place, convert in self._binders:
            bound[place] = convert(bound[place])
        return bound

    def write(self, values: Mapping[str, Any]) -> str | None:
        """The text with its values written out, for PostgreSQL; None where one of them cannot be."""
        bound = self.bind(values)
        if not all(map(_can_be_written, bound)):
            return None
        pieces = NUMBERED.split(self.text)
        return _fill(pieces[::2], [_quote(bound[int(number) - 1]) for number in pieces[1::2]])

    def read(self, rows: Iterable[Any]) -> list[Row]:
        """Rows of the database as rows of values."""
        return [self._read(row) for row in rows] if self._readers else list(map(tuple, rows))

    def _read(self, row: Iterable[Any]) -> Row:
        values = list(row)
        for place, convert in self._readers:
            if (value := values[place]) is not None:
                values[place] = convert(value)
        return tuple(values)


class Prepared:
    """A statement whose only parameters are bound by name; compiled at its first use in a dialect."""

    def __init__(self, statement: Executable) -> None:
        self.statement = statement
        self._compiled: dict[str, Compiled] = {}

        self.is_look = bool(statement.is_select)
        self.finds = isinstance(statement, Select) or _returns(statement)
        # Whether rows can tell by which set of values they were found, or changed.
        self.can_be_placed = self.finds or bool(statement.is_dml)
        self._placed: dict[str, Compiled] = {}

    def compiled(self, dialect: Dialect) -> Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = Compiled(self.statement, dialect)
        return found

    def placed(self, dialect: Dialect) -> Compiled:
        """With ``PLACE``, a number among its values that comes back as the last of each row."""
        found = self._placed.get(dialect.name)
        if found is None:
            found = self._placed[dialect.name] = Compiled(_place(self.statement), dialect)
        return found


def one_of(column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """``column IN (...)`` of values that are known beforehand; a list is only written out when it is run."""
    return or_(false(), *(column == value for value in values))


def _returns(statement: Any) -> bool:
    return bool(statement.is_dml and statement.exported_columns)


def _place(statement: Any) -> Any:
    place = bindparam(PLACE, type_=Integer)
    return statement.add_columns(place) if statement.is_select else statement.returning(place)


def _write_out(text: str, places: Sequence[Place], dialect: Dialect) -> tuple[str, list[Bound]]:
    """Write fixed values as literals.

    A statement whose parameter the database has to look at to see whether a partial index serves would be
    planned anew at each run, which takes longer than the run.
    """
    kept = [(name, convert) for name, convert, _ in places if name]
    numbers = iter(range(1, len(kept) + 1))
    if dialect.name == "sqlite":
        marks = ["?" if name else _quote(fixed) for name, _, fixed in places]
        return _fill(text.split("?"), marks), kept
    marks = [f"${next(numbers)}" if name else _quote(fixed) for name, _, fixed in places]
    pieces = NUMBERED.split(text)  # texts and numbers in turn
    return _fill(pieces[::2], [marks[int(number) - 1] for number in pieces[1::2]]), kept


def _fill(texts: Sequence[str], marks: Sequence[str]) -> str:
    return "".join(text + mark for text, mark in zip(texts, [*marks, ""], strict=True))


def _can_be_written(value: Any) -> bool:
    return value is None or isinstance(value, int) or (isinstance(value, str) and value.isprintable())


def _quote(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value).upper() if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def _plain(value: Any) -> Any:
    """An enum's text: drivers are slower with its subclass."""
    return str(value) if isinstance(value, str) else value


def _make_picker(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    """What picks the values of these names, in order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: [values[name] for name in names]


def _find_readers(compiled: SQLCompiler, dialect: Dialect) -> tuple[tuple[int, Convert], ...]:
    found = []
    for place, column in enumerate(compiled._result_columns):
        convert = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if convert:
            found.append((place, convert))
    return tuple(found)
