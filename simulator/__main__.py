"""`python -m simulator`: serve the simulator until Ctrl-C or SIGTERM."""

import argparse
import asyncio
import errno
import logging
import signal
import sys
from collections.abc import Sequence
from typing import Any, get_origin

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from simulator.settings import SimulatorSettings
from simulator.simulator import Simulator
from simulator.texts import Texts

DESCRIPTION = """
Stands in for a ServiceNow instance: the Virtual Agent Bot Integration API, its callbacks, the OAuth token
endpoint, the Table API and files, with a page in the browser where you play the live agent. Without any
credentials configured it lets everybody in.
"""
EPILOG = """
Every option is also a variable: --callback-url is SIMULATOR_CALLBACK_URL. Secrets are variables only, so that
no process list shows them: SIMULATOR_PASSWORD, SIMULATOR_CLIENT_SECRET, SIMULATOR_MESSAGE_TOKEN,
SIMULATOR_HASH_SECRET, SIMULATOR_CALLBACK_PASSWORD, SIMULATOR_CALLBACK_SECRET. So are the sentences:
SIMULATOR_TEXTS__GREETING and the like, and what is JSON: SIMULATOR_QUEUES, SIMULATOR_AGENTS and others, see
docs/simulator.md.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (2: bad settings, 1: cannot listen)."""
    given = {
        name: value for name, value in vars(_parser().parse_args(arguments)).items() if value is not None
    }
    verbose = given.pop("verbose")
    try:
        settings = SimulatorSettings(**given)
    except ValidationError as error:
        print(_explain_settings(error), file=sys.stderr)
        return 2
    level = logging.DEBUG if verbose else logging.INFO
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("simulator").setLevel(level)
    try:
        asyncio.run(_serve(settings))
    except OSError as error:
        print(_explain_listening(error, settings), file=sys.stderr)
        return 1
    return 0


async def _serve(settings: SimulatorSettings) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    simulator = Simulator(settings)
    async with simulator.serve(settings.host, settings.port) as url:
        print(f"ServiceNow simulator at {url}; open it in a browser to play the live agent.")
        callback_url = settings.callback_url.partition("?")[0]
        print(f"Callbacks go to {callback_url}. Seed of faults: {simulator.seed}. Ctrl-C stops.", flush=True)
        await stopped.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m simulator", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("-v", "--verbose", action="store_true", help="log message bodies too (no secrets)")
    for name, field in SimulatorSettings.model_fields.items():
        if _is_option(field):
            _add_option(parser, name, field)
    return parser


def _is_option(field: FieldInfo) -> bool:
    """Whether a setting can be given on the command line: neither secrets nor what is written as JSON."""
    structured = get_origin(field.annotation) in (list, dict) or field.annotation is Texts
    return not structured and field.annotation != SecretStr | None


def _add_option(parser: argparse.ArgumentParser, name: str, field: FieldInfo) -> None:
    kind: dict[str, Any] = {"metavar": "…"}
    default = field.default
    if field.annotation is bool:
        kind, default = {"action": argparse.BooleanOptionalAction}, "on" if default else "off"
    shown = "" if default in (None, "") else f" (default: {default})"
    help_text = f"{field.description}{shown}".replace("%", "%%")
    parser.add_argument(f"--{name.replace('_', '-')}", dest=name, default=None, help=help_text, **kind)


def _explain_settings(error: ValidationError) -> str:
    """Return one line per bad setting, without its value: that may be a secret."""
    lines = [f"{'.'.join(map(str, one['loc'])) or 'settings'}: {one['msg']}" for one in error.errors()]
    return "\n".join(lines)


def _explain_listening(error: OSError, settings: SimulatorSettings) -> str:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is already in use. Choose another port with --port or SIMULATOR_PORT."
    return f"Cannot listen on {where}: {error.strerror or error}"


if __name__ == "__main__":
    sys.exit(main())
