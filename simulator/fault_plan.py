"""Everything that goes wrong on demand: faults of requests, faults of callbacks, and a script of both."""

from collections.abc import Callable

from simulator.callback_faults import CallbackFault, CallbackFaults
from simulator.chance import Chance
from simulator.changes import Changes
from simulator.faults import Fault, Faults
from simulator.script import Script
from simulator.settings import SimulatorSettings
from simulator.steps import Deed, Step, load


class FaultPlan:
    """The active faults and the script that changes them; `expire_tokens` is what else it can do."""

    def __init__(
        self, settings: SimulatorSettings, changes: Changes, expire_tokens: Callable[[], None]
    ) -> None:
        self.chance = Chance(settings.seed)
        self.requests = Faults(self.chance)
        self.callbacks = CallbackFaults(self.chance, changes)
        self.script = Script(self.perform)
        self._changes = changes
        self._expire_tokens = expire_tokens
        self._serving = False
        if settings.script:
            self.script.load(load(settings.script))

    def start(self) -> None:
        """Let the script begin, or go on."""
        self._serving = True
        self.script.go()

    def stop(self) -> None:
        """Stop the script and let go of the requests that are held; the faults stay."""
        self._serving = False
        self.script.stop()
        self.requests.shut_down()

    def run(self, steps: list[Step]) -> None:
        """Replace the script. The draws start over, so that the same script and seed do the same again."""
        self.chance.begin_again()
        self.script.load(steps)
        if self._serving:
            self.script.go()

    def perform(self, deed: Deed) -> None:
        """Do what one step of a script asks for."""
        match deed:
            case Fault():
                self.requests.add(deed)
            case CallbackFault():
                self.callbacks.add(deed)
            case "recover":
                self.recover()
            case "expire_tokens":
                self._expire_tokens()
        self._changes.tell()

    def recover(self, *, requests: bool = True, callbacks: bool = True) -> None:
        """End all faults; requests that are held are processed, callbacks held back are sent now."""
        if requests:
            self.requests.recover()
        if callbacks:
            self.callbacks.recover()
        self._changes.tell()
