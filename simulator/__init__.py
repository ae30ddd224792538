"""A stand-in for ServiceNow's Virtual Agent Bot Integration API, with a page to play the live agent.

Needs nothing else of this project: `python -m simulator` runs it alone. See docs/simulator.md.
"""

from simulator.chat import Chat, EndReason, Entry, HistoryEntry, Sender, State
from simulator.errors import BadCommand, SimulatorError, UnknownChat, WrongState
from simulator.journal import Exchange
from simulator.settings import SimulatorSettings
from simulator.simulator import Simulator
from simulator.texts import Texts

__all__ = [
    "BadCommand",
    "Chat",
    "EndReason",
    "Entry",
    "Exchange",
    "HistoryEntry",
    "Sender",
    "Simulator",
    "SimulatorError",
    "SimulatorSettings",
    "State",
    "Texts",
    "UnknownChat",
    "WrongState",
]
