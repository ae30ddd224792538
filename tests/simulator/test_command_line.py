import asyncio
import os
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def running(*arguments, **variables):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", *arguments),
        cwd=ROOT,
        env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(20):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def address(process):
    line = (await process.stdout.readline()).decode()
    return next(word for word in line.split() if word.startswith("http://")).rstrip(";")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_until_it_is_told_to_stop(number):
    variables = {"SIMULATOR_AVAILABLE": "false", "SIMULATOR_TEXTS__NO_AGENTS": "Niemand da."}
    async with running("--port", "0", "--queue-name", "Helpdesk", **variables) as process:
        url = await address(process)
        async with aiohttp.ClientSession() as session, session.get(url + "/simulator/state") as response:
            state = await response.json()
        assert (state["available"], state["queue_name"]) == (False, "Helpdesk")
        process.send_signal(number)
        _, errors = await process.communicate()
        assert process.returncode == 0
        assert b"Traceback" not in errors


async def test_the_seed_is_printed_whether_given_or_drawn():
    for arguments, seed in ((["--seed", "42"], "42"), ([], r"\d+")):
        async with running("--port", "0", *arguments) as process:
            await address(process)
            line = (await process.stdout.readline()).decode()
        assert re.search(rf"Seed of faults: {seed}\.", line)


async def test_a_script_from_a_file_begins_at_once(tmp_path):
    script = tmp_path / "script.json"
    script.write_text('[{"at": 0, "fault": {"mode": "outage"}}, {"at": 60, "recover": true}]')
    async with running("--port", "0", SIMULATOR_SCRIPT=str(script)) as process:
        url = await address(process)
        async with aiohttp.ClientSession() as session:
            async with session.get(url + "/simulator/faults") as response:
                assert [fault["mode"] for fault in (await response.json())["faults"]] == ["outage"]
            async with session.get(url + "/simulator/script") as response:
                assert [step["done"] for step in (await response.json())["steps"]] == [True, False]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "cannot read"),
        ("{", "this is not JSON"),
        ('[{"at": 1, "recover": true}, {"at": 1, "fault": {"mode": "explode"}}]', "step 2: no failure mode"),
    ],
)
async def test_a_bad_script_is_explained(tmp_path, text, sentence):
    script = tmp_path / "script.json"
    if text is not None:
        script.write_text(text)
    async with running("--script", str(script)) as process:
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.decode().startswith("script: ")
    assert sentence in errors.decode()
    assert errors.count(b"\n") == 1


async def test_options_win_over_variables():
    async with running("--port", "0", "--available", SIMULATOR_AVAILABLE="false") as process:
        url = await address(process)
        async with aiohttp.ClientSession() as session, session.get(url + "/simulator/state") as response:
            assert (await response.json())["available"] is True


async def test_a_taken_port_is_explained():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with running("--port", port) as process:
            output, errors = await process.communicate()
    assert process.returncode == 1
    assert output == b""
    expected = f"127.0.0.1:{port} is already in use. Choose another port with --port or SIMULATOR_PORT."
    assert errors.decode().strip() == expected


@pytest.mark.parametrize(
    ("arguments", "variables", "sentence"),
    [
        (["--port", "many"], {}, "port: "),
        (["--callback-url", "user:pw@nowhere"], {}, "callback_url: "),
        ([], {"SIMULATOR_MESSAGE_AUTH_FAILURE": "loud"}, "message_auth_failure: "),
    ],
)
async def test_bad_settings_are_explained_without_their_values(arguments, variables, sentence):
    async with running(*arguments, **variables) as process:
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.decode().startswith(sentence)
    assert errors.count(b"\n") == 1
    assert b"pw@" not in errors


async def test_help_names_options_variables_and_defaults():
    async with running("--help", COLUMNS="300") as process:
        output, _ = await process.communicate()
    text = output.decode()
    assert "--callback-url" in text
    assert "http://127.0.0.1:5005/webhooks/servicenow/callback" in text
    assert "SIMULATOR_HASH_SECRET" in text
    assert "--hash-secret" not in text
