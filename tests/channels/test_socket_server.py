from uuid import uuid4

import pytest
from engineio.exceptions import SocketIsClosedError

from channels.socket_server import Codec, make_socket_server


def test_json_is_written_compactly_and_read_again():
    said = ["bot_uttered", {"text": "ü \N{GRINNING FACE} \ud83d", "seq": 1}]
    written = Codec.dumps(said, separators=(", ", ": "))
    assert " :" not in written
    assert Codec.loads(written) == said


@pytest.mark.parametrize("text", ["[1" + "0" * 100 + "]", "[", ""])
def test_what_is_no_json_or_has_an_endless_number_is_refused(text):
    with pytest.raises(ValueError):
        Codec.loads(text)


class Engine:
    """Plays the sockets: takes down what each is sent; some have just gone."""

    def __init__(self, *gone):
        self.gone = gone
        self.sent = []

    def generate_id(self):
        return str(uuid4())

    async def send_packet(self, engine_id, packet):
        if engine_id in self.gone:
            raise SocketIsClosedError
        self.sent.append((engine_id, packet.encode()))


async def seat(server, *names):
    for name in names:
        sid = await server.manager.connect(name, "/")
        await server.manager.enter_room(sid, "/", "ours:c1")


async def test_everybody_in_the_room_is_sent_it_though_one_has_just_gone():
    server = make_socket_server([])
    server.eio = Engine("e2")
    await seat(server, "e1", "e2", "e3")
    await server.emit("bot_uttered", {"text": "hi"}, room="ours:c1")
    frame = '42["bot_uttered",{"text":"hi"}]'
    assert server.eio.sent == [("e1", frame), ("e3", frame)]


async def test_nobody_is_in_a_room_that_is_empty():
    server = make_socket_server([])
    server.eio = Engine()
    await server.emit("bot_uttered", {"text": "hi"}, room="ours:c1")
    assert server.eio.sent == []
