import re

import pytest

TABLE = "/api/now/table/incident"


async def get(client, path=TABLE, **parameters):
    status, body = await client.request("GET", path, params=parameters)
    assert status == 200, body
    return body["result"]


async def create(client, values, **parameters):
    async with client.session.post(client.url + TABLE, json=values, params=parameters) as response:
        return response.status, response.headers, (await response.json())["result"]


async def test_created_records_are_strings_with_a_number_and_a_place(client, simulator):
    status, headers, record = await create(
        client, {"short_description": "No sound", "urgency": 1, "impact": "2"}
    )
    assert status == 201
    assert record["number"] == "INC0010001"
    assert re.fullmatch("[0-9a-f]{32}", record["sys_id"])
    assert headers["Location"] == f"{client.url}{TABLE}/{record['sys_id']}"
    assert (record["urgency"], record["priority"], record["state"], record["active"]) == (
        "1",
        "2",
        "1",
        "true",
    )
    assert all(isinstance(value, str | dict) for value in record.values())
    assert simulator.incidents[-1]["short_description"] == "No sound"
    assert (await create(client, {}))[2]["number"] == "INC0010002"


async def test_only_the_asked_fields_come_back(client):
    _, _, record = await create(client, {"short_description": "x"}, sysparm_fields="number,sys_id,nonsense")
    assert record.keys() == {"number", "sys_id"}


async def test_unknown_and_read_only_fields_are_ignored(client):
    sent = {"nonsense": "x", "number": "INC1", "sys_id": "x", "priority": "1", "active": False}
    _, _, record = await create(client, sent)
    assert record["number"] == "INC0010001"
    assert (record["priority"], record["active"]) == ("5", "true")
    assert "nonsense" not in record


async def test_callers_are_references(client):
    _, _, record = await create(client, {"caller_id": "Sam.Reyes@example.com"})
    caller = record["caller_id"]
    assert caller["link"] == f"{client.url}/api/now/table/sys_user/{caller['value']}"
    path = f"{TABLE}/{record['sys_id']}"
    plain = await get(client, path, sysparm_exclude_reference_link="true")
    assert plain["caller_id"] == caller["value"]
    shown = await get(client, path, sysparm_display_value="true")
    assert shown["caller_id"] == {"display_value": "Sam Reyes", "link": caller["link"]}
    both = await get(client, path, sysparm_display_value="all", sysparm_exclude_reference_link="true")
    assert both["caller_id"] == {"display_value": "Sam Reyes", "value": caller["value"]}
    assert both["state"] == {"display_value": "New", "value": "1"}
    inner = await get(client, path, sysparm_fields="caller_id.email")
    assert inner == {"caller_id.email": "sam.reyes@example.com"}


async def test_an_unknown_caller_is_kept_as_sent(client):
    _, _, record = await create(client, {"caller_id": "somebody"}, sysparm_exclude_reference_link="true")
    assert record["caller_id"] == "somebody"


async def test_preloaded_incidents_cover_the_states(client):
    records = await get(client, sysparm_display_value="true", sysparm_query="ORDERBYnumber")
    assert [record["number"] for record in records] == [f"INC000900{number}" for number in range(1, 6)]
    assert [record["state"] for record in records] == ["New", "In Progress", "On Hold", "Resolved", "Closed"]
    raw = await get(
        client, sysparm_query="ORDERBYnumber", sysparm_fields="state,resolved_at,closed_at,active"
    )
    assert [record["state"] for record in raw] == ["1", "2", "3", "6", "7"]
    assert raw[3]["resolved_at"]
    assert raw[4]["closed_at"]
    assert raw[4]["active"] == "false"


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("number=INC0009002", [2]),
        ("number=inc0009002", [2]),
        ("state=1", [1]),
        ("state!=1^active=true", [2, 3, 4]),
        ("stateIN1,7^ORDERBYDESCnumber", [5, 1]),
        ("state=1^ORstate=2", [1, 2]),
        ("short_descriptionLIKEpassword^ORDERBYDESCnumber", [5, 2]),
        ("short_descriptionSTARTSWITHPrinter", [4]),
        ("assigned_toISEMPTY", [1]),
        ("assigned_toISNOTEMPTY^state>=6", [4, 5]),
        ("caller_id.email=joan.okafor@example.com", [3, 4]),
        ("number>INC0009003^number<=INC0009004", [4]),
        ("number<INC0009002", [1]),
        ("ORDERBYcaller_id.name^ORDERBYDESCnumber", [4, 3, 5, 2, 1]),
        ("nonsense=1", [1, 2, 3, 4, 5]),
        ("%%%", [1, 2, 3, 4, 5]),
        ("caller_id.nonsense=1", [1, 2, 3, 4, 5]),
        ("correlation_id=unknown", []),
    ],
)
async def test_queries(client, query, numbers):
    records = await get(client, sysparm_query=query, sysparm_fields="number")
    assert [int(record["number"][-1]) for record in records] == numbers


async def test_limit_offset_and_count(client):
    parameters = {"sysparm_limit": "2", "sysparm_offset": "1", "sysparm_query": "ORDERBYnumber"}
    async with client.session.get(client.url + TABLE, params=parameters) as response:
        records = (await response.json())["result"]
        assert response.headers["X-Total-Count"] == "5"
    assert [record["number"] for record in records] == ["INC0009002", "INC0009003"]
    assert len(await get(client, sysparm_limit="many")) == 5


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_updates(client, simulator, method):
    record = simulator.incidents[0]
    path = f"{TABLE}/{record['sys_id']}"
    change = {"state": "Resolved", "comments": "Works again", "close_code": "Solution provided"}
    status, body = await client.request(method, path, json=change)
    assert status == 200
    assert body["result"]["state"] == "6"
    assert body["result"]["sys_mod_count"] == "1"
    assert body["result"]["resolved_at"]
    assert body["result"]["comments"] == ""  # journal fields have no value of their own
    await client.request(method, path, json={"comments": "Really"})
    shown = await get(client, path, sysparm_display_value="true")
    assert shown["comments"].index("Really") < shown["comments"].index("Works again")


async def test_versioned_paths_work(client):
    assert await get(client, "/api/now/v2/table/incident", sysparm_limit="1")


@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_an_unknown_record_is_a_404(client, method):
    status, body = await client.request(method, f"{TABLE}/{'0' * 32}", json={})
    assert status == 404
    assert body["status"] == "failure"
    assert body["error"]["message"] == "No Record found"


async def test_other_tables_and_other_bodies_are_refused(client):
    assert (await client.request("GET", "/api/now/table/sys_nothing"))[0] == 400
    assert (await client.request("POST", TABLE, data={"x": "y"}))[0] == 415
    assert (await client.request("POST", TABLE, json=["x"]))[0] == 400
    status, body = await client.request("POST", TABLE, json={"description": {"a": 1}, "category": None})
    assert status == 201
    assert (body["result"]["description"], body["result"]["category"]) == ('{"a": 1}', "")


async def test_duplicates_are_not_noticed(client):
    for _ in range(2):
        await create(client, {"correlation_id": "c1", "correlation_display": "Rasa"})
    assert len(await get(client, sysparm_query="correlation_id=c1")) == 2


async def test_reset_brings_the_first_records_back(client, simulator):
    await create(client, {})
    simulator.reset()
    assert len(simulator.incidents) == 5
    assert (await create(client, {}))[2]["number"] == "INC0010001"
