"""The floor: the least that relays between a browser and ServiceNow with Sanic and python-socketio.

``python -m benchmarks.floor PORT DESK_URL [LEDGER]``. With a ledger each message is committed and
synced to the disk before it is acknowledged or shown, all that wait in one commit; without one
nothing is kept. It knows no handoffs, no receipts, no repetition and no failure.
"""

import asyncio
import gc
import json
import sqlite3
import sys
import threading
from queue import SimpleQueue
from typing import Any

import aiohttp
import socketio
from sanic import Request, Sanic, response

from benchmarks.stage import CALLBACK_PATH, DESK_PATH, PASSWORD, PATIENT, SECRET, USER
from local.server import run_app

TABLE = """PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE said (session TEXT,
number INTEGER, id TEXT UNIQUE, sender TEXT, text TEXT, PRIMARY KEY (session, number));"""
MISSED = "SELECT id, number, sender, text FROM said WHERE session = ? AND number > ? ORDER BY number"
port, desk_url, ledger = int(sys.argv[1]), sys.argv[2], "".join(sys.argv[3:])
waiting: SimpleQueue[tuple[asyncio.Future[Any], tuple[Any, ...]]] = SimpleQueue()
posting: set[asyncio.Task[None]] = set()
server = socketio.AsyncServer(async_mode="sanic")
app: Any = Sanic("floor", configure_logging=False)
app.update_config(PATIENT)
server.attach(app)


def write(loop: asyncio.AbstractEventLoop) -> None:
    rows, numbers = sqlite3.connect(ledger, isolation_level=None), dict[str, int]()
    rows.executescript(TABLE)
    while True:
        done: list[tuple[asyncio.Future[Any], Any]] = []
        work = [waiting.get()]
        while not waiting.empty():
            work.append(waiting.get())
        rows.execute("BEGIN IMMEDIATE")
        for future, (session, *said) in work:
            if len(said) == 1:  # of a browser that has come back: the number of what it has seen
                done.append((future, rows.execute(MISSED, (session, *said)).fetchall()))
                continue
            numbers[session] = number = numbers.get(session, 0) + 1
            rows.execute("INSERT INTO said VALUES (?, ?, ?, ?, ?)", (session, number, *said))
            done.append((future, number))
        rows.execute("COMMIT")
        loop.call_soon_threadsafe(lambda done=done: [future.set_result(result) for future, result in done])  # type: ignore[misc]


async def keep(session: str, *said: Any) -> Any:
    if not ledger:
        return [] if len(said) == 1 else 1
    future = asyncio.get_running_loop().create_future()
    waiting.put((future, (session, *said)))
    return await future


async def show(room: str, message_id: str, number: int, sender: str, text: str) -> None:
    about = {"message_id": message_id, "seq": number, "sender": sender, "name": "Dana"}
    await server.emit("bot_uttered", {"text": text, "metadata": about}, to=room)


async def join(sid: str, asked: dict[str, Any]) -> None:
    await server.enter_room(sid, asked["session_id"])
    await server.emit("session_confirm", asked["session_id"], to=sid)
    for row in await keep(asked["session_id"], asked["last_seen"]):
        await show(sid, *row)


async def hear(sid: str, said: dict[str, Any]) -> dict[str, Any]:
    number = await keep(said["session_id"], said["message_id"], "requester", said["message"])
    posting.add(task := asyncio.create_task(post(said)))
    task.add_done_callback(posting.discard)
    return {"accepted": True, "message_id": said["message_id"], "seq": number}


async def post(said: dict[str, Any]) -> None:
    message = {"text": said["message"], "typed": True, "clientMessageId": said["message_id"]}
    ids = {"requestId": said["message_id"], "clientSessionId": said["session_id"], "userId": "u"}
    async with app.ctx.http.post(desk_url + DESK_PATH, json={**ids, "message": message}) as answer:
        assert (await answer.json())["status"] == "success"


async def relay(request: Request[Any, Any]) -> response.HTTPResponse:
    assert request.headers["x-handoff-secret"] == SECRET
    said = json.loads(request.body)
    for item in said["body"]:
        number = await keep(said["clientSessionId"], item["messageId"], "agent", item["value"])
        await show(said["clientSessionId"], item["messageId"], number, "agent", item["value"])
    return response.json({})


async def main() -> None:
    server.on("session_request", join)
    server.on("user_uttered", hear)
    app.add_route(relay, CALLBACK_PATH, methods=["POST"])
    app.ctx.http = aiohttp.ClientSession(auth=aiohttp.BasicAuth(USER, PASSWORD))
    if ledger:
        threading.Thread(target=write, args=[asyncio.get_running_loop()], daemon=True).start()
    async with run_app(app, port, is_alone=True):
        gc.collect()
        gc.freeze()  # as ours does
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
