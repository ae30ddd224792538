"""``make e2e``: the cases of ``e2e_tests/`` by ``rasa test e2e``, for those who have a licence.

Each folder is named after the state in which it wants the desk; the simulator is brought there first.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from local.environment import make_plan
from local.processes import Child, StartFailed, is_free
from local.training import ROOT, TrainingFailed, find_model, train_with_licence

DESK_PORT = 8082
NEEDED = """`make e2e` runs `rasa test e2e`, which needs RASA_LICENSE.
The Developer Edition is free, see rasa.com.
`make test` runs the same cases without it, through Rasa's Python API."""

# What each folder wants, as calls of the simulator's control interface.
STATES: Mapping[str, list[tuple[str, dict[str, object]]]] = {
    "desk_open": [],
    "nobody_available": [("availability", {"available": False})],
    "desk_down": [("faults", {"mode": "outage", "endpoint": "all"})],
    "desk_closed": [],
    "desk_unstaffed": [("agents/Alex%20Morgan", {"presence": "Away"})],
}
# What it wants of our own settings.
VARIABLES: Mapping[str, Mapping[str, str]] = {
    "desk_closed": {"HANDOFF_OPENING_HOURS": "closed"},
    "desk_unstaffed": {
        "SERVICENOW_AVAILABILITY": "true",
        "SERVICENOW_AVAILABILITY_PRESENCE": "current_presence_state.name=Available",
    },
}


def main() -> int:
    """Run every folder; the exit code is 0 only if all cases pass."""
    plan = make_plan({**os.environ, "SERVICENOW_URL": ""}, 5005, DESK_PORT)
    if not plan.has_licence:
        print(NEEDED)
        return 1
    if not is_free(DESK_PORT):
        print(f"Port {DESK_PORT} is taken; the simulator for the tests needs it.")
        return 1
    model = find_model()
    try:
        if not model.exists():
            train_with_licence(model, plan.config, plan.endpoints, plan.assistant)
    except TrainingFailed as error:
        print(error)
        return 1
    return max(_run_folder(folder, plan.assistant, plan.simulator or {}, model) for folder in STATES)


def _run_folder(folder: str, assistant: Mapping[str, str], simulator: Mapping[str, str], model: Path) -> int:
    desk = Child(
        "simulator", [sys.executable, "-m", "simulator"], simulator, ROOT / "var" / "log" / "e2e.log"
    )
    try:
        desk.wait_until_ready(f"http://127.0.0.1:{DESK_PORT}/", 30, lambda: False)
        for path, body in STATES[folder]:
            _command(path, body)
        with tempfile.TemporaryDirectory() as ledger:
            database = {"HANDOFF_DATABASE_URL": f"sqlite:///{ledger}/e2e.db"}
            environment = {**assistant, **database, **VARIABLES.get(folder, {})}
            return _run_rasa(f"e2e_tests/{folder}", model, environment)
    except StartFailed as error:
        print(error)
        return 1
    finally:
        desk.stop()


def _run_rasa(cases: str, model: Path, environment: Mapping[str, str]) -> int:
    command = [sys.executable, "-m", "rasa", "test", "e2e", cases, "--model", str(model)]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603


def _command(path: str, body: Mapping[str, object]) -> None:
    url = f"http://127.0.0.1:{DESK_PORT}/simulator/{path}"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - loopback


if __name__ == "__main__":
    sys.exit(main())
