"""Whoever goes in the middle of something leaves nothing half done, and holds nobody up.

A statement that is cut in two would leave SQLite's worker thread answering nobody.
"""

import asyncio
import json
from urllib.parse import urlsplit

from tests.support.stage import SECRET
from tests.support.waiting import eventually

PAUSES = [0, 0, 0.001, 0.002, 0.004, 0.008, 0.016]  # seconds until the sender is gone, again and again


async def send(url: str, body: bytes) -> asyncio.StreamWriter:
    """A whole callback, whose answer nobody waits for."""
    parts = urlsplit(url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: x\r\nx-handoff-secret: {SECRET}\r\nContent-Length: {len(body)}"
    )
    writer.write(head.encode() + b"\r\n\r\n" + body)
    return writer


def write_callback(handoff, text: str) -> bytes:
    agent = {"sentFromAgent": True, "agentName": "Dana"}
    said = {"uiType": "OutputText", "value": text, "messageId": text, "agentInfo": agent}
    return json.dumps({"clientSessionId": handoff.id, "body": [said]}).encode()


async def said_in(stage, client) -> list[str]:
    async with (await stage.bridge()).backend.ledger.entry() as entry:
        return [message.text for message in await entry.messages.said_since(client.session_id, 0)]


async def test_a_callback_whose_sender_goes_is_taken_in_whole(stage):
    client = await stage.join()
    opening = await stage.open(client)
    async with (await stage.bridge()).backend.ledger.entry():
        writer = await send(stage.callback_url, write_callback(opening.handoff, "cut off"))
        await eventually(lambda: "callback" in {task.get_name() for task in asyncio.all_tasks()})
        writer.transport.abort()
        await eventually(writer.transport.is_closing)
        await asyncio.sleep(0.05)  # the server notices
    await client.expect("cut off")


async def test_senders_that_go_at_any_moment_hold_nobody_up(stage):
    client = await stage.join()
    opening = await stage.open(client)

    async def send_and_go(number: int) -> None:
        writer = await send(stage.callback_url, write_callback(opening.handoff, f"words {number}"))
        await asyncio.sleep(PAUSES[number % len(PAUSES)])
        writer.transport.abort()

    await asyncio.gather(*map(send_and_go, range(60)))
    writer = await send(stage.callback_url, write_callback(opening.handoff, "last"))
    await client.expect("last")
    writer.close()


async def test_a_browser_that_goes_while_it_speaks_holds_nobody_up(stage):
    clients = [await stage.join() for _ in range(20)]

    async def speak_and_go(number: int, client) -> None:
        await client.emit("typing", on=True)
        await client.emit("user_uttered", message=f"words {number}", message_id=f"m{number}")
        await asyncio.sleep(PAUSES[number % len(PAUSES)])
        client.socket.eio.ws._response.connection.transport.abort()

    await asyncio.gather(*(speak_and_go(number, client) for number, client in enumerate(clients)))
    other = await stage.join()
    await other.say("still there")
    await other.expect("echo: still there")


async def test_what_a_browser_said_before_it_went_is_taken_in(stage):
    """It is not acknowledged, so it may come again: then it is known."""
    client = await stage.join()
    async with (await stage.bridge()).backend.ledger.entry():
        await client.emit("user_uttered", message="cut off", message_id="m1")
        await asyncio.sleep(0.05)  # it arrives
        client.socket.eio.ws._response.connection.transport.abort()
        await asyncio.sleep(0.05)  # the server notices
    await eventually(lambda: stage.bot.heard == ["cut off"])
    assert await said_in(stage, client) == ["cut off", "echo: cut off"]
