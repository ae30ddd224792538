"""``make run``: the simulator, the assistant and the chat page on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping

from handoff.errors import SettingsError
from handoff.settings import Desk, read_settings
from local.environment import Plan, make_plan
from local.processes import Child, StartFailed, is_free
from local.training import ROOT, TrainingFailed, find_model, train_with_licence

LOGS = ROOT / "var" / "log"
START_PATIENCE = 180.0  # seconds for the assistant to train, load and answer
SIMULATOR_PATIENCE = 30.0

NO_LICENCE = """
  Running without a Rasa licence: for a look and for development on this machine only, through
  Rasa's public Python API. For `rasa run`, `rasa train` and anything in production get a licence
  (the Developer Edition is free, see rasa.com) and set RASA_LICENSE, here or in .env."""

READY = """
  Chat as the requester        {address}/chat/
  Answer as the live agent     {desk}

  Ask the assistant for a person, accept the chat at the desk, answer, end it. Ctrl-C stops everything."""

REAL_DESK = "in ServiceNow: {url}"
CALLBACKS = "\n  Callbacks must reach     {address}/webhooks/servicenow/callback (see the README)"


def main(argv: list[str] | None = None) -> int:
    """Start everything, wait for Ctrl-C or a failure, stop everything. Exit code 1 for a failure."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=int, default=5005, help="of the chat page (default 5005)")
    parser.add_argument("--desk-port", type=int, default=8081, help="of the simulator's desk (default 8081)")
    options = parser.parse_args(argv)
    plan = make_plan(os.environ, options.port, options.desk_port)
    stopped = _listen_for_stop()
    children: list[Child] = []
    try:
        _check(plan)
        _start(plan, children, stopped)
        _wait(children, stopped)
    except (SettingsError, StartFailed, TrainingFailed) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    finally:
        _stop(children)
    return 0


class Stop:
    """Whether somebody wants everything to stop; a signal may come within the handler of another one.

    The lock of a ``threading.Event`` would then be waited for by the thread that has it.
    """

    def __init__(self) -> None:
        self._is_set = False

    def set(self, *_signal: object) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set

    def wait(self, seconds: float) -> bool:
        """Returns whether it is set by then; a signal does not end the wait, so let it be short."""
        if not self._is_set:
            time.sleep(seconds)
        return self._is_set


def _listen_for_stop() -> Stop:
    stopped = Stop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stopped.set)
    return stopped


def _check(plan: Plan) -> None:
    """Refuse what cannot work before anything is started."""
    if plan.simulator is not None and plan.port == plan.desk_port:
        raise StartFailed(
            f"PORT and DESK_PORT are both {plan.port}. Choose another one: make run DESK_PORT={plan.port + 1}"
        )
    wanted = {plan.port: "PORT"} | ({plan.desk_port: "DESK_PORT"} if plan.simulator is not None else {})
    for port, name in wanted.items():
        if not is_free(port):
            raise StartFailed(
                f"Port {port} is taken, perhaps by another `make run`. "
                f"Stop that, or choose another port: make run {name}={port + 1}"
            )
    read_settings(**{key.lower(): value for key, value in plan.assistant.items() if _is_setting(key)})


def _is_setting(name: str) -> bool:
    return name.startswith(("SERVICENOW_", "HANDOFF_")) and not name.startswith("HANDOFF_LLM_")


def _start(plan: Plan, children: list[Child], stopped: Stop) -> None:
    print(NO_LICENCE if not plan.has_licence else "\n  Running with your Rasa licence.", flush=True)
    print()
    _say(_describe_step(plan))
    assistant = _run("assistant", _command(plan), plan.assistant)  # first, as it takes longest
    children.append(assistant)
    if plan.simulator is not None:
        simulator = _run("simulator", ["-m", "simulator"], plan.simulator)
        children.append(simulator)
        simulator.wait_until_ready(plan.desk_address, SIMULATOR_PATIENCE, stopped.is_set)
    assistant.wait_until_ready(f"{plan.address}/webhooks/webchat/", START_PATIENCE, stopped.is_set)
    if not stopped.is_set():
        print(READY.format(address=plan.address, desk=_describe_desk(plan)), flush=True)


def _describe_step(plan: Plan) -> str:
    what = "the assistant" if plan.simulator is None else "the assistant and the ServiceNow simulator"
    if find_model(plan.config, plan.endpoints).exists():
        return f"Starting {what} (about a quarter of a minute) ..."
    return f"Starting {what}; training comes first, once (about a minute) ..."


def _command(plan: Plan) -> list[str]:
    """With a licence, Rasa's own command line serves; without one, its Python API on loopback."""
    if not plan.has_licence:
        return [
            "-m",
            "local.server",
            "--port",
            str(plan.port),
            "--config",
            plan.config,
            "--endpoints",
            plan.endpoints,
        ]
    model = find_model(plan.config, plan.endpoints)
    if not model.exists():
        train_with_licence(model, plan.config, plan.endpoints, plan.assistant)
    run = ["-m", "rasa", "run", "--interface", "127.0.0.1", "--port", str(plan.port), "--model", str(model)]
    return [*run, "--credentials", "credentials.yml", "--endpoints", plan.endpoints]


def _describe_desk(plan: Plan) -> str:
    if plan.simulator is not None:
        return plan.desk_address + "/"
    is_polled = plan.assistant.get("SERVICENOW_DESK") == Desk.CONNECT_SUPPORT
    text = REAL_DESK if is_polled else REAL_DESK + CALLBACKS
    return text.format(url=plan.assistant["SERVICENOW_URL"], address=plan.address)


def _run(name: str, arguments: list[str], environment: Mapping[str, str]) -> Child:
    return Child(name, [sys.executable, *arguments], environment, LOGS / f"{name}.log")


def _wait(children: list[Child], stopped: Stop) -> None:
    while not stopped.wait(0.5):
        for child in children:
            if child.has_ended:
                raise StartFailed(f"The {child.name} ended by itself; see {child.log}.")


def _stop(children: list[Child]) -> None:
    if children:
        print("\nStopping ...", flush=True)
    for child in reversed(children):
        child.stop()


def _say(line: str) -> None:
    print(f"  {line}", flush=True)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
