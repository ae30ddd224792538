"""What the processes of a run have to know of each other."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "var" / "bench"  # on the disk that a ledger would be on, as a commit is synced to it
LOOPBACK = "127.0.0.1"
DESK_PATH = "/api/sn_va_as_service/bot/integration"
CALLBACK_PATH = "/webhooks/servicenow/callback"
SECRET = "callback-secret-of-the-benchmarks"
USER, PASSWORD = "benchmark", "password-of-the-benchmarks"
AGENT = "Dana"
# A connection of the load waits for its turn longer than a server would let it by default.
PATIENT = {"KEEP_ALIVE_TIMEOUT": 3600, "REQUEST_TIMEOUT": 3600}


@dataclass(frozen=True)
class Seat:
    """A conversation with a live agent: the session of the browser, and what the desk calls it.

    ``seen`` is the number of the last message that the browser knows.
    """

    conversation: str
    handoff: str
    seen: int = 0


@dataclass(frozen=True)
class Holding:
    """So many live handoffs, drawn by ``seed`` as ``make_seats`` draws them.

    Each with ``said`` messages in the ledger, and with a tracker of so many ``events`` where there is Rasa.
    """

    count: int
    seed: int
    said: int = 0
    events: int = 0


def seat_all(holding: Holding) -> list[Seat]:
    """Its conversations, with browsers that have seen everything."""
    return [replace(seat, seen=holding.said) for seat in make_seats(holding.count, holding.seed)]


def make_seats(count: int, seed: int) -> list[Seat]:
    """The same for the same seed; ids are random UUIDs, as the web chat asks for."""
    chance = random.Random(seed)

    def draw() -> str:
        return str(UUID(int=chance.getrandbits(128), version=4))

    return [Seat(draw(), draw()) for _ in range(count)]
