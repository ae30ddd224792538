import pytest
from sqlalchemy import Integer, bindparam, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from handoff.message_rows import FIND_UNSHOWN, FIND_UNSHOWN_AND_OWN
from handoff.statements import Prepared, one_of
from handoff.tables import messages

SQLITE = sqlite.dialect(paramstyle="qmark")
POSTGRES = postgresql.asyncpg.dialect()
BY_NAME = messages.c.name == bindparam("name")


def test_fixed_values_are_written_out_for_sqlite():
    """A parameter that decides whether a partial index serves would have it planned anew at each run."""
    compiled = Prepared(select(messages.c.id).where(BY_NAME, messages.c.client_id == "it's")).compiled(SQLITE)
    assert compiled.text.endswith("WHERE messages.name = ? AND messages.client_id = 'it''s'")
    assert compiled.bind({"name": "Dana"}) == ["Dana"]


def test_fixed_values_are_written_out_for_postgresql():
    query = select(messages.c.id).where(messages.c.seq > 3, BY_NAME, messages.c.client_id == "it's $1")
    compiled = Prepared(query.where(messages.c.desk_id == bindparam("name"))).compiled(POSTGRES)
    assert compiled.text.partition("WHERE ")[2] == (
        "messages.seq > 3::INTEGER AND messages.name = $1::VARCHAR"
        " AND messages.client_id = 'it''s $1'::VARCHAR AND messages.desk_id = $1::VARCHAR"
    )
    assert compiled.bind({"name": "Dana"}) == ["Dana"]


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES])
@pytest.mark.parametrize(("value", "written"), [(None, "NULL"), (False, "FALSE"), (7, "7"), ("a", "'a'")])
def test_what_is_written_out_is_sql(dialect, value, written):
    query = select(messages.c.id).where(messages.c.possibly_sent == literal(value, Integer))
    assert f"possibly_sent = {written}" in Prepared(query).compiled(dialect).text


def test_values_are_written_out_where_they_are_plain():
    query = select(messages.c.id).where(BY_NAME, messages.c.seq == bindparam("number"))
    compiled = Prepared(query).compiled(POSTGRES)
    written = compiled.write({"name": "it's $2", "number": 7})
    assert written.partition("WHERE ")[2] == (
        "messages.name = 'it''s $2'::VARCHAR AND messages.seq = 7::INTEGER"
    )
    assert compiled.write({"name": "a\nb", "number": 7}) is None
    assert compiled.write({"name": "a\0b", "number": 7}) is None


def test_values_are_bound_and_read_by_the_columns_types(clock):
    written = Prepared(insert(messages)).compiled(SQLITE)
    values = dict.fromkeys(messages.c.keys()) | {"content": {"text": "hi"}, "created_at": clock()}
    bound = dict(zip(messages.c.keys(), written.bind(values), strict=True))
    assert bound["content"] == '{"text": "hi"}'
    read = Prepared(select(messages.c.content, messages.c.created_at)).compiled(SQLITE)
    assert read.read([(bound["content"], bound["created_at"])]) == [({"text": "hi"}, clock())]


def test_a_list_that_is_only_written_when_it_is_run_is_refused():
    prepared = Prepared(select(messages.c.id).where(messages.c.seq.in_([1, 2])))
    with pytest.raises(ValueError, match="Only known when it is run"):
        prepared.compiled(SQLITE)


@pytest.mark.parametrize(("values", "found"), [((1, 2), 2), ((), 0)])
def test_one_of_is_such_a_list_written_beforehand(values, found):
    text = Prepared(select(messages.c.id).where(one_of(messages.c.seq, values))).compiled(SQLITE).text
    assert text.count("messages.seq =") == found


TO_SHOW = "SEARCH messages USING INDEX messages_to_show (conversation=?)"
BY_NUMBER = "SEARCH messages USING INDEX sqlite_autoindex_messages_2 (conversation=? AND seq>?)"


@pytest.mark.parametrize(
    ("prepared", "values", "searches"),
    [(FIND_UNSHOWN, ["c1"], [TO_SHOW]), (FIND_UNSHOWN_AND_OWN, ["c1", "c1", 7], [TO_SHOW, BY_NUMBER])],
    ids=["unshown", "unshown and own"],
)
async def test_what_was_not_shown_is_found_by_an_index(ledger, prepared, values, searches):
    """Else the cost of a message would grow with its conversation."""
    async with ledger.entry() as entry:
        connection = entry.messages._connection
        if connection.dialect.name != "sqlite":
            pytest.skip("PostgreSQL decides by what is in the table")
        text = prepared.compiled(connection.dialect).text
        plan = connection._raw.execute(f"EXPLAIN QUERY PLAN {text}", values).fetchall()
    assert [step[3] for step in plan if step[3].startswith(("SEARCH", "SCAN"))] == searches
