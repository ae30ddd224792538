"""A stand-in for ServiceNow's Virtual Agent Bot Integration API, with a page to play the live agent.

Needs nothing else of this project: `python -m simulator` runs it alone. See docs/simulator.md.
"""

from simulator.chat import Chat, EndReason, Entry, File, HistoryEntry, Sender, State, Transfer
from simulator.clock import Clock
from simulator.errors import BadCommand, SimulatorError, UnknownChat, WrongState
from simulator.floor import Agent, Presence, Queue
from simulator.journal import Exchange
from simulator.settings import SimulatorSettings
from simulator.simulator import Simulator
from simulator.system_log import LogEntry
from simulator.texts import Texts

__all__ = [
    "Agent",
    "BadCommand",
    "Chat",
    "Clock",
    "EndReason",
    "Entry",
    "Exchange",
    "File",
    "HistoryEntry",
    "LogEntry",
    "Presence",
    "Queue",
    "Sender",
    "Simulator",
    "SimulatorError",
    "SimulatorSettings",
    "State",
    "Texts",
    "Transfer",
    "UnknownChat",
    "WrongState",
]
