import json

import pytest

from handoff.errors import DeskBusy, DeskRejected, DeskUnavailable
from servicenow.incident import HIDDEN, PATH, Incident, IncidentDraft, IncidentTable
from tests.support.web_server import Answer

ROW = {
    "sys_id": "a" * 32,
    "number": "INC0010001",
    "state": "New",
    "short_description": "Printer on fire",
    "sys_updated_on": "2026-03-01 09:00:00",
    "assigned_to": "",
    "correlation_id": "m1",
}
DRAFT = IncidentDraft(short_description="Printer on fire", description="It burns")


@pytest.fixture
def table(make_instance, instance_url):
    return IncidentTable(make_instance(instance_url))


@pytest.fixture
def scripted(make_instance, server):
    """A table whose answers the test writes."""
    return IncidentTable(make_instance(server.url))


def rows(*found):
    return Answer(body=json.dumps({"result": list(found)}))


# -- looking up -------------------------------------------------------------------------


async def test_an_incident_is_found_by_its_number(table, simulator):
    known = simulator.incidents[0]
    found = await table.find(known["number"])
    assert (found.number, found.sys_id) == (known["number"], known["sys_id"])
    assert found.short_description == known["short_description"]
    assert not found.state.isdigit()  # the label, not the code
    assert found.updated_at == known["sys_updated_on"]


async def test_the_number_may_be_typed_in_any_case(table, simulator):
    number = simulator.incidents[0]["number"]
    assert (await table.find(number.lower())).number == number


async def test_a_person_is_shown_by_name(table, simulator):
    assigned = next(record for record in simulator.incidents if record["assigned_to"])
    found = await table.find(assigned["number"])
    assert found.assigned_to
    assert " " in found.assigned_to


async def test_an_unknown_number_finds_nothing(table):
    assert await table.find("INC9999999") is None


@pytest.mark.parametrize(
    "number",
    [
        "",
        "INC",
        "0010001",
        "INC0010001^ORnumberISNOTEMPTY",
        "INC0010001^NQactive=true",
        "INC0010001\n",
        "INC 0010001",
        "INC00%31",
        "INC٠٠١٠٠٠١",
        "INCIDENT0010001",
        "INC0000000000001",
        "javascript:gs.sleep(1)",
    ],
)
async def test_what_cannot_be_a_number_never_reaches_a_query(scripted, server, number):
    with pytest.raises(ValueError, match="Not an incident number"):
        await scripted.find(number)
    assert not server.requests


async def test_a_lookup_asks_for_few_columns_of_one_row(scripted, server):
    server.default = rows()
    await scripted.find("inc0010001")
    (request,) = server.requests
    assert (request.method, request.path) == ("GET", PATH)
    assert request.query["sysparm_query"] == "number=INC0010001"
    assert request.query["sysparm_limit"] == "1"
    assert "description," not in request.query["sysparm_fields"].replace("short_description,", "")


async def test_references_are_read_as_text_or_as_objects(scripted, server):
    person = {"display_value": "Beth Lindqvist", "link": "https://x/1"}
    server.answer(rows({**ROW, "assigned_to": person}), rows({**ROW, "assigned_to": {"value": "abc"}}))
    assert (await scripted.find("INC0010001")).assigned_to == "Beth Lindqvist"
    assert (await scripted.find("INC0010001")).assigned_to == "abc"


async def test_nobody_assigned_is_none(scripted, server):
    server.default = rows(ROW)
    assert await scripted.find("INC0010001") == Incident(
        number="INC0010001",
        sys_id="a" * 32,
        state="New",
        short_description="Printer on fire",
        updated_at="2026-03-01 09:00:00",
        assigned_to=None,
    )


@pytest.mark.parametrize("row", [{}, {"sys_id": "a"}, {"number": ""}, "x", None])
async def test_hidden_columns_are_no_incident_without_a_number(scripted, server, row):
    server.default = rows(row)
    with pytest.raises(DeskRejected, match="roles"):
        await scripted.find("INC0010001")


async def test_another_incident_than_the_one_asked_for_is_not_shown(scripted, server):
    """An instance drops a condition that it does not understand or hides, and answers any row."""
    server.default = rows({**ROW, "number": "INC0000001"})
    with pytest.raises(DeskRejected, match="roles"):
        await scripted.find("INC0010001")


@pytest.mark.parametrize("body", ["<html>", '{"result":{}}', "{}", "[]", '{"result":null}'])
async def test_an_answer_that_is_not_the_table_is_worth_another_try(scripted, server, body):
    server.default = Answer(body=body)
    with pytest.raises(DeskUnavailable):
        await scripted.find("INC0010001")


# -- filing -----------------------------------------------------------------------------


async def test_an_incident_is_filed_as_told(table, simulator):
    filed = await table.create(
        IncidentDraft(
            short_description="Printer on fire",
            description="It burns\nstill",
            urgency="1",
            caller="joan.okafor",
            correlation_id="m1",
        )
    )
    record = simulator.incidents[-1]
    assert (filed.number, filed.state) == (record["number"], "New")
    assert record["description"] == "It burns\nstill"
    assert (record["urgency"], record["impact"], record["contact_type"]) == ("1", "3", "chat")
    assert record["correlation_id"] == "m1"
    assert record["caller_id"]
    assert await table.find(filed.number) == filed


async def test_what_is_unknown_is_left_out(scripted, server):
    server.default = Answer(201, json.dumps({"result": ROW}))
    await scripted.create(DRAFT)
    (request,) = server.requests
    assert json.loads(request.raw).keys() == {
        "short_description",
        "description",
        "urgency",
        "impact",
        "contact_type",
    }


async def test_a_long_short_description_is_cut_to_the_column(table, simulator):
    await table.create(IncidentDraft(short_description="x" * 500, description="y" * 5000))
    assert len(simulator.incidents[-1]["short_description"]) == 160
    assert len(simulator.incidents[-1]["description"]) == 5000


async def test_the_same_correlation_id_never_files_two(table, simulator):
    draft = IncidentDraft(short_description="a", description="b", correlation_id="m1")
    before = len(simulator.incidents)
    filed = [await table.create(draft) for _ in range(3)]
    assert len({incident.number for incident in filed}) == 1
    assert len(simulator.incidents) == before + 1


async def test_an_answer_that_was_lost_does_not_file_a_second(scripted, server):
    draft = IncidentDraft(short_description="a", description="b", correlation_id="m1")
    server.answer(rows(), Answer(drop=True), rows(ROW))
    with pytest.raises(DeskUnavailable) as error:
        await scripted.create(draft)
    assert error.value.possibly_done
    assert (await scripted.create(draft)).number == "INC0010001"
    assert [request.method for request in server.requests] == ["GET", "POST", "GET"]


async def test_other_correlation_ids_file_another(table, simulator):
    one = await table.create(IncidentDraft(short_description="a", description="b", correlation_id="m1"))
    two = await table.create(IncidentDraft(short_description="a", description="b", correlation_id="m2"))
    assert one.number != two.number


@pytest.mark.parametrize(
    "odd", ["m1^ORnumberISNOTEMPTY", "m1^NQactive=true", "wamid.HBgL/+==", "m 1", "m1\n", "x" * 101, "\ud83d"]
)
async def test_a_correlation_id_that_could_change_the_query_is_known_by_its_digest(table, simulator, odd):
    """Channels give their messages all kinds of ids, and a requester can choose some of them."""
    draft = IncidentDraft(short_description="a", description="b", correlation_id=odd)
    first = await table.create(draft)
    assert first.number == simulator.incidents[-1]["number"]
    assert await table.create(draft) == first
    assert simulator.incidents[-1]["correlation_id"].isalnum()


@pytest.mark.parametrize("hidden", [{"correlation_id": "other"}, {"correlation_id": ""}])
async def test_somebody_elses_incident_is_never_taken_for_ours(scripted, server, hidden):
    server.default = rows({**ROW, **hidden})
    draft = IncidentDraft(short_description="a", description="b", correlation_id="m1")
    with pytest.raises(DeskRejected) as error:
        await scripted.create(draft)
    assert str(error.value) == HIDDEN


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("outage", DeskUnavailable),
        ("html", DeskUnavailable),
        ("reset", DeskUnavailable),
        ("429", DeskBusy),
        ("401", DeskRejected),
        ("403", DeskRejected),
    ],
)
async def test_every_way_to_fail_has_its_error(table, simulator, mode, error):
    simulator.fail(mode, endpoint="table")
    for call in (table.find("INC0009001"), table.create(DRAFT)):
        with pytest.raises(error) as raised:
            await call
        assert type(raised.value) is error
